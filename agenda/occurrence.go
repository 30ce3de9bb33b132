package agenda

import (
	"slices"
	"time"
)

// Occurrence is one time at which an event takes place.
type Occurrence struct {
	// Event says what takes place; for a changed instance of a series, the change.
	Event *Event
	// Start and End are those of this occurrence, in the event's zone.
	Start, End time.Time
}

// Occurrences returns what takes place from from until to, in order, at most max:
// series are expanded as by [Expand], changed instances stand in the place of what
// they change, and what was cancelled is gone. Events are all opened events of one
// agenda, or as many as matter.
func Occurrences(events []Event, from, to time.Time, max int) (out []Occurrence, truncated bool) {
	if max <= 0 || max > maxOccurrences {
		max = maxOccurrences
	}
	changes := map[string][]*Event{}
	for i := range events {
		if e := &events[i]; e.RecurrenceID != "" {
			changes[e.UID] = append(changes[e.UID], e)
		}
	}
	for i := range events {
		e := &events[i]
		if e.gone() || e.Following && seriesOf(events, e) {
			continue
		}
		starts, cut := Expand(*e, from, to, max)
		truncated = truncated || cut
		for _, t := range starts {
			if o, ok := e.at(t, changes[e.UID]); ok {
				out = append(out, o)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Occurrence) int { return a.Start.Compare(b.Start) })
	if len(out) > max {
		return out[:max], true
	}
	return out, truncated
}

// gone reports whether an event takes no place.
func (e *Event) gone() bool { return e.Status == Cancelled || e.Status == Void }

// seriesOf reports whether the series of a changed instance is among the events.
func seriesOf(events []Event, e *Event) bool {
	return slices.ContainsFunc(events, func(o Event) bool {
		return o.UID == e.UID && o.RecurrenceID == "" && !o.gone()
	})
}

// at returns the occurrence of a series at t, as its changes have it; false if it is
// cancelled, or moved to where its own change puts it.
func (e *Event) at(t time.Time, changes []*Event) (Occurrence, bool) {
	length := e.End.Sub(e.Start)
	o := Occurrence{Event: e, Start: t, End: t.Add(length)}
	if e.RecurrenceID != "" {
		return o, true
	}
	id := e.instanceAt(t)
	var following *Event
	for _, c := range changes {
		switch {
		case !c.Following && c.RecurrenceID == id:
			return Occurrence{}, false
		case c.Following && c.RecurrenceID <= id && (following == nil || c.RecurrenceID > following.RecurrenceID):
			following = c
		}
	}
	if following == nil {
		return o, true
	}
	if following.gone() || following.Start.IsZero() {
		return Occurrence{}, false
	}
	was, _ := parseMoment(following.RecurrenceID)
	moved := following.Start.Sub(was.clock)
	o = Occurrence{Event: following, Start: t.Add(moved)}
	o.End = o.Start.Add(following.End.Sub(following.Start))
	return o, true
}

// instanceAt returns the RecurrenceID of the occurrence at t.
func (e *Event) instanceAt(t time.Time) string {
	switch {
	case e.AllDay:
		return t.UTC().Format(layoutDay)
	case e.Floating:
		return t.UTC().Format(layoutLocal)
	}
	return t.UTC().Format(layoutUTC)
}
