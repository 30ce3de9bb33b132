package leaf

import (
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// Local returns a moment of an event as the reader's calendar shows it: in their zone,
// but for days and clock times of no zone, which are the same everywhere.
func Local(e *agenda.Event, t time.Time, zone *time.Location) time.Time {
	if e.AllDay || e.Floating {
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone)
	}
	return t.In(zone)
}

// EventTitle names an event.
func EventTitle(w *ui.Words, e *agenda.Event) string {
	if title := strings.TrimSpace(e.Summary); title != "" {
		return title
	}
	return w.T("event.untitled")
}

// Hours tells when within its day an occurrence takes place: "14 h 15 à 14 h 45".
func Hours(w *ui.Words, e *agenda.Event, start, end time.Time) string {
	from, to := Local(e, start, w.Zone), Local(e, end, w.Zone)
	switch {
	case e.AllDay:
		return w.T("event.all-day")
	case !to.After(from):
		return w.Clock(from)
	case !sameDay(from, to):
		return w.Clock(from) // the page of the event tells its end
	}
	return w.T("event.hours", "From", w.Clock(from), "To", w.Clock(to))
}

// When tells when an occurrence takes place: "Jeudi 3 décembre 2026, 14 h 15 à 14 h 45".
func When(w *ui.Words, e *agenda.Event, start, end time.Time) string {
	if start.IsZero() {
		return w.T("event.when.unknown")
	}
	from, to := Local(e, start, w.Zone), Local(e, end, w.Zone)
	last := to
	if e.AllDay && to.After(from) {
		last = to.AddDate(0, 0, -1) // the end is exclusive (RFC 5545 3.6.1)
	}
	switch {
	case e.AllDay && sameDay(from, last), e.AllDay && !last.After(from):
		return w.T("event.day-hours", "Day", w.Day(from), "Hours", w.T("event.all-day"))
	case e.AllDay:
		return w.T("event.days", "From", w.Day(from), "To", w.Day(last))
	case to.After(from) && !sameDay(from, to):
		return w.T("event.days", "From", moment(w, from), "To", moment(w, to))
	}
	return w.T("event.day-hours", "Day", w.Day(from), "Hours", Hours(w, e, start, end))
}

func moment(w *ui.Words, t time.Time) string {
	return w.T("event.day-hours", "Day", w.Day(t), "Hours", w.Clock(t))
}

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Date()
	by, bm, bd := b.Date()
	return ay == by && am == bm && ad == bd
}

// Ends returns when an event, with all its occurrences, is over: zero when that cannot
// be known, or never.
func Ends(e *agenda.Event, zone *time.Location) time.Time {
	if e.Recurs() || e.Start.IsZero() {
		return time.Time{}
	}
	end := e.End
	if end.Before(e.Start) {
		end = e.Start
	}
	return Local(e, end, zone)
}

// StatusTag shows where an event stands for the person.
func StatusTag(w *ui.Words, s agenda.Status) Tag {
	t := Tag{Text: w.T("event.status." + string(s)), Wrap: true}
	switch s {
	case agenda.NeedsAction:
		t.Kind, t.Icon = "warn", "clock"
	case agenda.Accepted:
		t.Kind, t.Icon = "good", "check"
	case agenda.Declined:
		t.Icon = "cross"
	case agenda.Tentative:
		t.Kind, t.Icon = "info", "help"
	case agenda.Cancelled, agenda.Void:
		t.Kind, t.Icon = "bad", "stop"
	}
	return t
}

// Capital writes the first letter as a capital.
func Capital(s string) string {
	for i, r := range s {
		if i == 0 {
			return strings.ToUpper(string(r)) + s[len(string(r)):]
		}
	}
	return s
}
