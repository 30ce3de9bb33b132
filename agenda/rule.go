package agenda

import (
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/vaguemestre/vaguemestre/fault"
)

// rule is a recurrence rule (RFC 5545 3.3.10) that costs no more than it should.
//
// The library computes it; what surrounds the call is there because the library
// loops for ever on some rules (FREQ=HOURLY;INTERVAL=24;BYHOUR=5), leaves its arrays
// on others (FREQ=MONTHLY;BYDAY=53MO), and looks for the next match until the year
// 9999 when there is none (30 February).
type rule struct {
	option rrule.ROption
	// ends says that there is an UNTIL.
	ends  bool
	until moment
}

// Bounds of rules. Our choice: no appointment needs more.
const (
	maxInterval = 1000
	maxADay     = 24    // times in one day
	maxPlaces   = 12    // BYSETPOS
	maxSteps    = 30000 // occurrences that are looked at: those of every day since 1945
)

// errRule is a rule that is not understood.
func errRule(why string) error { return fault.Newf(fault.Invalid, "rule-unusable", "%s", why) }

// parseRule reads the value of an RRULE. It fails with fault.Invalid "rule-unusable".
func parseRule(value string) (rule, error) {
	value = strings.ToUpper(strings.TrimSpace(value))
	if len(value) > maxRule {
		return rule{}, errRule("long")
	}
	var r rule
	var rest []string
	seen := map[string]bool{}
	for part := range strings.SplitSeq(strings.Trim(value, ";"), ";") {
		key, v, _ := strings.Cut(part, "=")
		if seen[key] {
			return rule{}, errRule("a part twice")
		}
		seen[key] = true
		switch {
		case key == "UNTIL":
			if r.until, r.ends = parseMoment(v); !r.ends {
				return rule{}, errRule("UNTIL")
			}
		case part == "RSCALE=GREGORIAN", part == "SKIP=OMIT": // RFC 7529: the defaults
		case key == "DTSTART", key == "BYEASTER": // the library's own
			return rule{}, errRule("a part of no standard")
		case (key == "COUNT" || key == "INTERVAL") && !natural(v):
			return rule{}, errRule("a number")
		default:
			rest = append(rest, part)
		}
	}
	option, err := rrule.StrToROption(strings.Join(rest, ";"))
	if err != nil {
		return rule{}, errRule("not understood")
	}
	r.option = *option
	return r, r.vet()
}

// natural reports whether s is a number above zero.
func natural(s string) bool {
	n, err := strconv.ParseInt(s, 10, 32)
	return err == nil && n > 0
}

// vet refuses what RFC 5545 3.3.10 forbids or the library cannot bear.
func (r *rule) vet() error {
	o := &r.option
	days := len(o.Bymonthday) + len(o.Byyearday) + len(o.Byweekno) + len(o.Byweekday) + len(o.Bymonth) + len(o.Bysetpos)
	times := max(1, len(o.Byhour)) * max(1, len(o.Byminute)) * max(1, len(o.Bysecond))
	switch {
	case o.Interval > maxInterval:
		return errRule("INTERVAL")
	case o.Freq > rrule.DAILY && days+len(o.Byhour)+len(o.Byminute)+len(o.Bysecond) > 0:
		return errRule("parts of the day by the hour")
	case times > maxADay, len(o.Bysetpos) > maxPlaces:
		return errRule("times of the day")
	case len(o.Byweekno) > 0 && o.Freq != rrule.YEARLY,
		len(o.Byyearday) > 0 && o.Freq != rrule.YEARLY,
		len(o.Bymonthday) > 0 && o.Freq == rrule.WEEKLY:
		return errRule("parts that do not go together")
	}
	numbered := 0
	for _, d := range o.Byweekday {
		if d.N() != 0 {
			numbered++
		}
		within := 0 // RFC 5545: a number goes with months and years only
		switch {
		case o.Freq == rrule.MONTHLY, o.Freq == rrule.YEARLY && len(o.Bymonth) > 0:
			within = 5
		case o.Freq == rrule.YEARLY && len(o.Byweekno) == 0:
			within = 53
		}
		if d.N() > within || d.N() < -within {
			return errRule("BYDAY")
		}
	}
	if numbered > 0 && numbered < len(o.Byweekday) { // the library wants a day to be both
		return errRule("days with and without a number")
	}
	if _, err := rrule.NewRRule(*o); err != nil {
		return errRule("out of bounds")
	}
	return nil
}

// between calls yield with the occurrences of a series that starts at start, in
// order, from the first that is not before from until it answers false or the next is
// after to. All are clock times in UTC. It reports whether it gave up before.
func (r *rule) between(start, from, to time.Time, yield func(time.Time) bool) (gaveUp bool) {
	o := r.option
	if o.Freq > rrule.DAILY {
		return r.step(start, from, to, yield)
	}
	years, ok := late(start, to)
	if !ok {
		return true
	}
	o.Dtstart, o.Until = start.AddDate(years, 0, 0), to.AddDate(years, 0, 0)
	series, err := rrule.NewRRule(o)
	if err != nil {
		return true
	}
	next := series.Iterator()
	for range maxSteps {
		t, more := next()
		if !more {
			return false
		}
		if t = t.AddDate(-years, 0, 0); !t.Before(from) && !yield(t) {
			return false
		}
	}
	return true
}

// late returns by how many years a series is moved so that the library, which looks
// for the next occurrence until the year 9999, gives up soon after the window: the
// calendar of 1901 to 2099 is the same every 28 years, and 8,000 years are twenty
// whole cycles of the Gregorian calendar.
func late(start, end time.Time) (years int, ok bool) {
	years = 8000
	for end.Year()+years > 9999 {
		years -= 28
	}
	return years, plausible(start) && plausible(end) && start.Year()+years > 9901
}

// step is between for a rule by the hour, minute or second, whose occurrences are
// equally far apart: those before the window need not be counted one by one.
func (r *rule) step(start, from, to time.Time, yield func(time.Time) bool) (gaveUp bool) {
	pace := time.Duration(max(1, r.option.Interval)) * time.Second
	switch r.option.Freq {
	case rrule.HOURLY:
		pace *= 3600
	case rrule.MINUTELY:
		pace *= 60
	}
	if !plausible(start) || !plausible(to) {
		return true
	}
	n := max(0, int64(from.Sub(start)/pace))
	for range maxSteps {
		t := start.Add(time.Duration(n) * pace)
		if t.After(to) || r.option.Count > 0 && n >= int64(r.option.Count) {
			return false
		}
		if !t.Before(from) && !yield(t) {
			return false
		}
		n++
	}
	return true
}
