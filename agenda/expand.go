package agenda

import (
	"slices"
	"time"
)

// Bounds of an expansion (spec security 2.4).
const (
	maxOccurrences = 1000
	windowYears    = 2
)

// Expand returns the starts of an event's occurrences that touch the time from from
// until to (exclusive), in order and without repeats, at most max and never more
// than 1,000; zero means that. A window over two years is cut. Truncated says that
// there may be more: the window or the number was cut, or the rule is not one that
// is understood, and only what is certain is given.
//
// It computes lazily and in bounded time whatever the rule. DTSTART is always the
// first occurrence (RFC 5545 3.8.5.3), unless it is taken out by EXDATE. Whole days
// and floating times are in UTC, as in the event.
func Expand(e Event, from, to time.Time, max int) (starts []time.Time, truncated bool) {
	if e.Start.IsZero() || !from.Before(to) {
		return nil, false
	}
	if max <= 0 || max > maxOccurrences {
		max = maxOccurrences
	}
	truncated = e.Warned("rule-unusable")
	if end := from.AddDate(windowYears, 0, 0); end.Before(to) {
		to, truncated = end, truncated || e.Recurs()
	}
	x := expansion{event: &e, length: e.End.Sub(e.Start), from: from, to: to, max: max}
	x.add(e.Start)
	for _, t := range e.Extra {
		x.add(t)
	}
	if e.Rule != "" {
		truncated = x.rule() || truncated
	}
	slices.SortFunc(x.starts, time.Time.Compare)
	starts = slices.CompactFunc(x.starts, time.Time.Equal)
	if len(starts) > max {
		return starts[:max], true
	}
	return starts, truncated
}

// expansion is one call of Expand.
type expansion struct {
	event    *Event
	length   time.Duration
	from, to time.Time
	max      int
	starts   []time.Time
}

// add takes an occurrence if it touches the window and is not taken out.
func (x *expansion) add(t time.Time) {
	end := t.Add(x.length)
	if !t.Before(x.to) || end.Before(x.from) || end.Equal(x.from) && end.After(t) {
		return
	}
	if slices.ContainsFunc(x.event.Except, t.Equal) {
		return
	}
	x.starts = append(x.starts, t)
}

// rule adds the occurrences of the rule, and reports whether there may be more.
func (x *expansion) rule() (more bool) {
	r, err := parseRule(x.event.Rule)
	if err != nil {
		return true
	}
	z := x.event.zone()
	// The rule is computed on what a clock shows; two hours around cover its jumps.
	start := z.clock(x.event.Start)
	from, to := z.clock(x.from.Add(-x.length)).Add(-2*time.Hour), z.clock(x.to).Add(2*time.Hour)
	if until := r.last(z); r.ends && until.Before(to) {
		to = until
	}
	if to.Before(start) {
		return false
	}
	return r.between(start, from, to, func(clock time.Time) bool {
		x.add(z.instant(clock))
		if len(x.starts) > x.max+len(x.event.Extra)+1 {
			more = true
		}
		return !more
	}) || more
}

// last returns the clock time of UNTIL, which is part of the series (RFC 5545
// 3.3.10).
func (r *rule) last(z zone) time.Time {
	switch r.until.form {
	case formDay:
		return r.until.clock.AddDate(0, 0, 1).Add(-time.Second)
	case formUTC:
		return z.clock(r.until.clock)
	}
	return r.until.clock
}
