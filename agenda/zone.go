package agenda

import (
	"cmp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a static binary on a bare machine has no zone files
)

// zone turns clock times into instants. Clock times are time.Time values in UTC.
type zone struct {
	// loc is the zone where it is known by name.
	loc *time.Location
	// name and shifts are those of a zone that the message defines; shifts are in order
	// and not empty.
	name   string
	shifts []Shift
}

// utc is the zone of UTC, and of what has none.
func utc() zone { return zone{loc: time.UTC} }

// offset returns the offset in force at an instant, in seconds.
func (z zone) offset(unix int64) int {
	if z.loc != nil {
		_, off := time.Unix(unix, 0).In(z.loc).Zone()
		return off
	}
	i, found := slices.BinarySearchFunc(z.shifts, unix, func(s Shift, at int64) int { return cmp.Compare(s.At, at) })
	switch {
	case found:
		return z.shifts[i].To
	case i == 0:
		return z.shifts[0].From
	}
	return z.shifts[i-1].To
}

// instant returns the instant of a clock time. One that occurs twice is the first,
// one that is skipped is read with the offset before (RFC 5545 3.3.5).
func (z zone) instant(clock time.Time) time.Time {
	y, m, d := clock.Date()
	h, mi, s := clock.Clock()
	if z.loc != nil {
		return time.Date(y, m, d, h, mi, s, 0, z.loc)
	}
	off := z.shifts[0].From
	for _, s := range z.shifts {
		if clock.Unix() < s.At+int64(s.From)+int64(max(0, s.To-s.From)) {
			break
		}
		off = s.To
	}
	return z.in(time.Unix(clock.Unix()-int64(off), 0))
}

// clock returns what a clock of the zone shows at an instant, as a time in UTC.
func (z zone) clock(t time.Time) time.Time {
	return time.Unix(t.Unix()+int64(z.offset(t.Unix())), 0).UTC()
}

// in returns an instant with the zone's offset. A zero time stays zero.
func (z zone) in(t time.Time) time.Time {
	switch {
	case t.IsZero():
		return t
	case z.loc != nil:
		return t.In(z.loc)
	}
	return t.In(time.FixedZone(z.name, z.offset(t.Unix())))
}

// zone returns the zone of an event's times.
func (e *Event) zone() zone {
	if len(e.Shifts) > 0 {
		return zone{name: e.Zone, shifts: e.Shifts}
	}
	if loc := place(e.Zone); loc != nil {
		return zone{loc: loc}
	}
	return utc()
}

// knownZone returns the zone that a TZID names without the help of the message: an IANA
// name, one behind a prefix as libical and Mozilla write it, or a Microsoft name; nil
// if there is none.
func knownZone(tzid string) *time.Location {
	if loc := place(tzid); loc != nil {
		return loc
	}
	if name, ok := microsoft(tzid); ok {
		return place(name)
	}
	if !strings.HasPrefix(tzid, "/") { // RFC 5545 3.2.19: a globally unique name
		return nil
	}
	segments := strings.Split(tzid[1:], "/")
	for n := min(3, len(segments)); n > 0; n-- { // "America/Argentina/Buenos_Aires" is the longest
		if loc := place(strings.Join(segments[len(segments)-n:], "/")); loc != nil {
			return loc
		}
	}
	return nil
}

// place returns the location of an IANA name, nil if it is none. The text comes from
// strangers and time.LoadLocation looks for files: only what is shaped like a name of
// the database gets there, and never "Local", the zone of this machine.
func place(name string) *time.Location {
	if !shapedLikeZone(name) || name == "Local" {
		return nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return loc
}

// shapedLikeZone reports whether a text is one to three names of letters, digits,
// "_", "+" and "-" that begin with a capital, with "/" between them.
func shapedLikeZone(name string) bool {
	if len(name) == 0 || len(name) > 40 || strings.Count(name, "/") > 2 {
		return false
	}
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment[0] < 'A' || segment[0] > 'Z' {
			return false
		}
		for i := range len(segment) {
			switch c := segment[i]; {
			case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_', c == '+', c == '-':
			default:
				return false
			}
		}
	}
	return true
}
