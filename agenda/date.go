package agenda

import (
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-ical"
)

// form is how a date or time is written (RFC 5545 3.3.4, 3.3.5).
type form uint8

const (
	formDay   form = iota // 20260105
	formLocal             // 20260105T100000, in a zone or floating
	formUTC               // 20260105T090000Z
)

// The layouts of the forms.
const (
	layoutDay   = "20060102"
	layoutLocal = "20060102T150405"
	layoutUTC   = "20060102T150405Z"
)

// moment is a date or time as it is written: what a clock shows, as a time in UTC.
type moment struct {
	clock time.Time
	form  form
}

// parseMoment reads a date or a time; its length says which it is, whatever VALUE
// says. RFC 5545 3.3.12 allows a second 60: it is read as the next.
func parseMoment(s string) (moment, bool) {
	s = strings.TrimSpace(s)
	layout, f := layoutDay, formDay
	switch len(s) {
	case len(layoutDay):
	case len(layoutLocal):
		layout, f = layoutLocal, formLocal
	case len(layoutUTC):
		layout, f = layoutUTC, formUTC
	default:
		return moment{}, false
	}
	leap := time.Duration(0)
	if f != formDay && s[13:15] == "60" {
		s, leap = s[:13]+"59"+s[15:], time.Second
	}
	t, err := time.Parse(layout, s)
	if err != nil || t.Year() < 1 {
		return moment{}, false
	}
	return moment{t.Add(leap), f}, true
}

// in returns the instant, in a zone for a local time.
func (m moment) in(z zone) time.Time {
	if m.form == formLocal {
		return z.instant(m.clock)
	}
	return z.in(m.clock)
}

// plausible reports whether an appointment can be in that year: no calendar needs
// others, and between 1901 and 2099 every fourth year is a leap year.
func plausible(t time.Time) bool { return t.Year() > 1901 && t.Year() < 2099 }

// maxDuration is the longest event. Our choice.
const maxDuration = 366 * 24 * time.Hour

// duration reads a DURATION (RFC 5545 3.3.6). The library does not look whether the
// sum fits: numbers that are too large for any appointment are refused before.
func duration(p *ical.Prop) (time.Duration, bool) {
	if len(p.Value) > 32 {
		return 0, false
	}
	for digits := range strings.FieldsFuncSeq(p.Value, func(r rune) bool { return r < '0' || r > '9' }) {
		if n, err := strconv.Atoi(digits); err != nil || n > 100_000 {
			return 0, false
		}
	}
	if n := strings.Count(strings.ToUpper(p.Value), "W"); n > 1 || n == 1 && len(p.Value) > len("+P9999W") {
		return 0, false
	}
	d, err := p.Duration()
	return d, err == nil && d >= 0 && d <= maxDuration
}

// micros is a time for a column; zero is before every other.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
