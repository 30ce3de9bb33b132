package agenda

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-ical"
	"github.com/teambition/rrule-go"
)

// Bounds of zones that a message defines. New York since 1883 has 30 observances.
const (
	maxZones       = 20
	maxObservances = 120
	maxShifts      = 300
	// yearsBack and yearsOn are how many years around an event its zone is computed:
	// a series is shown two years at a time, and moved to a newer letter long before.
	yearsBack = 2
	yearsOn   = 20
)

// observance is a STANDARD or DAYLIGHT component (RFC 5545 3.6.5).
type observance struct {
	onset    time.Time // clock time before the change
	from, to int
	rule     *rule
	dates    []time.Time
}

// zones are the zones that a message defines and those that it names.
type zones struct {
	defined map[string][]observance
	found   map[string]zoned
}

// zoned is a zone that was looked for.
type zoned struct {
	zone
	// around is the year that it was computed for, if the message defines it.
	around  int
	ok      bool
	warning string
}

// readZones reads the VTIMEZONE components. One that is odd in any way defines
// nothing: its name may still be known.
func readZones(cal *ical.Component) *zones {
	z := &zones{defined: map[string][]observance{}, found: map[string]zoned{}}
	for _, c := range cal.Children {
		if c.Name != "VTIMEZONE" || len(z.defined) >= maxZones {
			continue
		}
		id := strings.TrimSpace(unescape(first(c, "TZID")))
		if _, twice := z.defined[id]; id == "" || twice || len(c.Children) > maxObservances {
			continue
		}
		var all []observance
		for _, o := range c.Children {
			one, ok := readObservance(o)
			if !ok {
				all = nil
				break
			}
			all = append(all, one)
		}
		z.defined[id] = all
	}
	return z
}

// first returns the first value of a property.
func first(c *ical.Component, name string) string {
	if p := c.Props.Get(name); p != nil {
		return p.Value
	}
	return ""
}

// readObservance reads one STANDARD or DAYLIGHT.
func readObservance(c *ical.Component) (observance, bool) {
	onset, ok := parseMoment(first(c, "DTSTART"))
	from, okFrom := parseOffset(first(c, "TZOFFSETFROM"))
	to, okTo := parseOffset(first(c, "TZOFFSETTO"))
	if !ok || !okFrom || !okTo || len(c.Props.Values("RRULE")) > 1 {
		return observance{}, false
	}
	o := observance{onset: onset.clock, from: from, to: to}
	if value := first(c, "RRULE"); value != "" {
		r, err := parseRule(value)
		// Zones change by the year; nothing else is worth computing.
		if err != nil || r.option.Freq != rrule.YEARLY || r.option.Interval > 1 || r.option.Count > 0 {
			return observance{}, false
		}
		o.rule = &r
	}
	for _, p := range c.Props.Values("RDATE") {
		for v := range strings.SplitSeq(p.Value, ",") {
			if m, ok := parseMoment(v); ok && len(o.dates) < maxShifts {
				o.dates = append(o.dates, m.clock)
			}
		}
	}
	return o, true
}

// parseOffset reads a UTC offset (RFC 5545 3.3.14) in seconds. No place is further
// than 14 hours from UTC; a day is refused.
func parseOffset(s string) (int, bool) {
	s = strings.TrimSpace(s)
	if len(s) != 5 && len(s) != 7 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	var n [3]int
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n[(i-1)/2] = n[(i-1)/2]*10 + int(s[i]-'0')
	}
	if n[0] > 15 || n[1] > 59 || n[2] > 59 {
		return 0, false
	}
	seconds := n[0]*3600 + n[1]*60 + n[2]
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// find returns the zone of a TZID around a clock time. The message's own definition
// wins over what we know under the name (RFC 5545 3.2.19) where it covers that time.
// Where both say the same instant ours is taken, which knows more than a few years.
func (z *zones) find(tzid string, clock time.Time) zoned {
	tzid = strings.TrimSpace(tzid)
	was, known := z.found[tzid]
	if known && (was.loc != nil || !was.ok || clock.Year() >= was.around && clock.Year() <= was.around+yearsOn) {
		return was
	}
	got := zoned{around: clock.Year()}
	loc := knownZone(tzid)
	shifts := shiftsOf(z.defined[tzid], clock.Year())
	known = loc != nil
	ours, theirs := zone{loc: loc}, zone{name: line(tzid, maxName), shifts: shifts}
	switch {
	case !known && len(shifts) == 0:
		got.warning = "zone-unknown"
	case !known:
		got.zone, got.ok = theirs, true
	case len(shifts) == 0 || shifts[0].At > clock.Unix() || ours.instant(clock).Equal(theirs.instant(clock)):
		ours.name = loc.String()
		got.zone, got.ok = ours, true
	default:
		got.zone, got.ok, got.warning = theirs, true, "zone-disagrees"
	}
	if len(z.found) < 4*maxZones {
		z.found[tzid] = got
	}
	return got
}

// shiftsOf computes the changes of offset around a year, in order; none if the
// definition is empty or makes no sense.
func shiftsOf(all []observance, year int) []Shift {
	var out []Shift
	for _, o := range all {
		out = append(out, o.shifts(year)...)
		if len(out) > maxShifts {
			return nil
		}
	}
	slices.SortFunc(out, func(a, b Shift) int { return cmp.Compare(a.At, b.At) })
	return slices.CompactFunc(out, func(a, b Shift) bool { return a.At == b.At })
}

// shifts computes the onsets of one observance: all single ones, and those of a rule
// around a year, or around its last year if that was before.
func (o *observance) shifts(year int) []Shift {
	clocks := append([]time.Time{o.onset}, o.dates...)
	if o.rule != nil {
		clocks = append(clocks, o.yearly(year)...)
	}
	out := make([]Shift, 0, len(clocks))
	for _, c := range clocks {
		out = append(out, Shift{At: c.Unix() - int64(o.from), From: o.from, To: o.to})
	}
	return out
}

// yearly computes the onsets of a rule.
func (o *observance) yearly(year int) []time.Time {
	last := year + yearsOn
	until := o.rule.until
	if o.rule.ends {
		last = min(last, until.clock.Year())
	}
	begin := max(o.onset.Year(), min(year, last)-yearsBack)
	if begin > last || begin < 1 {
		return nil
	}
	// A rule for every year may begin in any year: the onset is moved to the first
	// that matters.
	start := o.onset.AddDate(begin-o.onset.Year(), 0, 0)
	end := time.Date(last, 12, 31, 23, 59, 59, 0, time.UTC)
	var out []time.Time
	o.rule.between(start, start, end, func(t time.Time) bool {
		at := t
		if until.form == formUTC {
			at = t.Add(-time.Duration(o.from) * time.Second)
		}
		if !o.rule.ends || !at.After(until.clock) {
			out = append(out, t)
		}
		return len(out) < maxShifts
	})
	return out
}
