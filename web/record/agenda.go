package record

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// Bounds of the agenda. Our choice: a year ahead, and what was recently.
const (
	mostEvents = 500
	mostShown  = 100
	mostPast   = 20
	aheadYears = 1
)

// calendarPage is what the templates of the agenda show.
type calendarPage struct {
	// Ask counts the events that await an answer.
	Ask  int
	Tabs []leaf.Link
	// Heading, Before and After are those of a week or month.
	Heading       string
	Before, After leaf.Link
	Groups        []eventGroup
	Days          []weekDay
	Weekdays      []weekday
	Weeks         [][]monthDay
	Truncated     bool
}

type eventGroup struct {
	Head string
	// Ask says that these await an answer.
	Ask    bool
	Events []eventRow
}

// eventRow is the part "event".
type eventRow struct {
	Href        string
	At          time.Time
	Title, Time string
	Place       string
	Tags        []leaf.Tag
	Kind        string
}

// eventFacts are the facts of an event; the first six are what outside programs build
// on. Start and End are days ("2026-12-03") for whole days.
type eventFacts struct {
	ID       string `json:"id"`
	UID      string `json:"uid"`
	Summary  string `json:"summary"`
	Start    string `json:"start"`
	End      string `json:"end"`
	Status   string `json:"status"`
	Location string `json:"location"`
	AllDay   bool   `json:"all_day"`
	Repeats  bool   `json:"repeats"`
	Letter   string `json:"letter,omitempty"`
	Version  string `json:"version"`
}

type eventsFacts struct {
	Events []eventFacts `json:"events"`
}

// agenda serves GET /agenda.
func (m *room) agenda(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	view := r.FormValue("view")
	day, err := dateOf(v, r.FormValue("date"))
	if err != nil {
		return nil, err
	}
	events, err := m.Reading.Events(r.Context(), v.Reader, mostEvents)
	if err != nil {
		return nil, err
	}
	page := ui.Page{Title: "cal.title", JSON: newEventsFacts(v, events)}
	b := newBook(v, events)
	switch view {
	case "", "list":
		page.Template, page.Data = "agenda-list", b.list()
	case "week":
		page.Template, page.Data = "agenda-week", b.week(day)
	case "month":
		page.Template, page.Data = "agenda-month", b.month(day)
	default:
		return nil, fault.New(fault.NotFound, "view-unknown")
	}
	return page, nil
}

// dateOf reads ?date=, today if there is none. Years are bounded, so that no
// arithmetic on them can go wrong.
func dateOf(v *ui.Visit, raw string) (time.Time, error) {
	if raw == "" {
		return midnight(v.Now.In(v.Words.Zone)), nil
	}
	t, err := time.ParseInLocation(time.DateOnly, raw, v.Words.Zone)
	if err != nil || t.Year() < 1900 || t.Year() > 2200 {
		return time.Time{}, fault.New(fault.Invalid, "date-malformed")
	}
	return t, nil
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// book is the agenda of one visit.
type book struct {
	v      *ui.Visit
	events []agenda.Event
}

func newBook(v *ui.Visit, all []reading.Event) *book {
	b := &book{v: v, events: make([]agenda.Event, len(all))}
	for i, e := range all {
		b.events[i] = e.Event
	}
	return b
}

// occurrences are what takes place in a span of the reader's calendar, cancelled
// events included: a person should see that they need not go. Whole days and clock
// times of no zone are in UTC, so a day more on both sides is asked for.
func (b *book) occurrences(from, to time.Time) ([]occurrence, bool) {
	found, cut := agenda.Occurrences(b.events, from.AddDate(0, 0, -1), to.AddDate(0, 0, 1), mostShown*4)
	for i := range b.events {
		if e := &b.events[i]; e.Status == agenda.Cancelled && !e.Start.IsZero() {
			found = append(found, agenda.Occurrence{Event: e, Start: e.Start, End: e.End})
		}
	}
	var out []occurrence
	for _, o := range found {
		at := occurrence{Occurrence: o, from: leaf.Local(o.Event, o.Start, b.v.Words.Zone), to: leaf.Local(o.Event, o.End, b.v.Words.Zone)}
		if at.to.Before(at.from) {
			at.to = at.from
		}
		if at.from.Before(to) && (at.to.After(from) || at.from.Equal(at.to) && !at.from.Before(from)) {
			out = append(out, at)
		}
	}
	slices.SortStableFunc(out, func(a, b occurrence) int { return a.from.Compare(b.from) })
	return out, cut
}

// occurrence is one time at which an event takes place, in the reader's calendar.
type occurrence struct {
	agenda.Occurrence
	from, to time.Time
}

// touches reports whether an occurrence takes place on a day.
func (o occurrence) touches(day time.Time) bool {
	next := day.AddDate(0, 0, 1)
	return o.from.Before(next) && (o.to.After(day) || o.from.Equal(o.to) && !o.from.Before(day))
}

// list shows what awaits an answer, then what is to come by month, then what was.
func (b *book) list() calendarPage {
	now := b.v.Now.In(b.v.Words.Zone)
	today := midnight(now)
	coming, cut := b.occurrences(today, today.AddDate(aheadYears, 0, 0))
	p := calendarPage{Tabs: b.tabs("list", today), Truncated: cut}
	ask := eventGroup{Head: b.v.T("cal.to-confirm"), Ask: true}
	var months []eventGroup
	asked := make(map[agenda.EventID]bool)
	shown := 0
	for _, o := range coming {
		if o.Event.Status == agenda.NeedsAction {
			if !asked[o.Event.ID] { // a series is asked for once
				asked[o.Event.ID] = true
				ask.Events = append(ask.Events, b.row(o, true))
			}
			continue
		}
		if shown++; shown > mostShown {
			p.Truncated = true
			break
		}
		head := b.v.Words.Month(o.from)
		if len(months) == 0 || months[len(months)-1].Head != head {
			months = append(months, eventGroup{Head: head})
		}
		g := &months[len(months)-1]
		g.Events = append(g.Events, b.row(o, false))
	}
	if p.Ask = len(ask.Events); p.Ask > 0 {
		p.Groups = append(p.Groups, ask)
	}
	p.Groups = append(p.Groups, months...)
	if past := b.past(today); len(past.Events) > 0 {
		p.Groups = append(p.Groups, past)
	}
	return p
}

// past are the last events that are over, the newest first.
func (b *book) past(today time.Time) eventGroup {
	was, _ := b.occurrences(today.AddDate(-1, 0, 0), today)
	g := eventGroup{Head: b.v.T("cal.past")}
	for _, o := range slices.Backward(was) {
		if o.to.After(today) {
			continue // it goes on
		}
		if len(g.Events) == mostPast {
			break
		}
		g.Events = append(g.Events, b.row(o, true))
	}
	return g
}

// row shows an occurrence in a list; whole tells its day too.
func (b *book) row(o occurrence, whole bool) eventRow {
	w := b.v.Words
	r := eventRow{
		Href: eventPath(o.Event.ID), At: o.from, Title: leaf.EventTitle(w, o.Event),
		Time: leaf.Hours(w, o.Event, o.Start, o.End), Place: o.Event.Location,
	}
	if whole || !midnight(o.from).Equal(midnight(o.to)) {
		r.Time = leaf.Capital(leaf.When(w, o.Event, o.Start, o.End))
	}
	over := !o.to.After(b.v.Now) && o.Event.Status == agenda.NeedsAction // too late for an answer
	if o.Event.Status != agenda.Accepted && !over {
		r.Tags = []leaf.Tag{leaf.StatusTag(w, o.Event.Status)}
	}
	if o.Event.Status == agenda.NeedsAction && !over {
		r.Kind = "ask"
	}
	return r
}

func eventPath(id agenda.EventID) string { return "/agenda/" + url.PathEscape(string(id)) }

// tabs are the three views, on the same day.
func (b *book) tabs(current string, day time.Time) []leaf.Link {
	var out []leaf.Link
	for _, view := range []string{"list", "week", "month"} {
		href := "/agenda"
		if view != "list" {
			href += "?view=" + view + "&date=" + day.Format(time.DateOnly)
		}
		out = append(out, leaf.Link{Href: href, Text: b.v.T("cal.view." + view), Current: view == current})
	}
	return out
}

// asking counts what awaits an answer.
func (b *book) asking() int {
	n := 0
	today := midnight(b.v.Now.In(b.v.Words.Zone))
	for i := range b.events {
		e := &b.events[i]
		if end := leaf.Ends(e, b.v.Words.Zone); e.Status == agenda.NeedsAction && (end.IsZero() || !end.Before(today)) {
			n++
		}
	}
	return n
}

func newEventsFacts(v *ui.Visit, events []reading.Event) eventsFacts {
	f := eventsFacts{Events: make([]eventFacts, 0, len(events))}
	sorted := slices.SortedStableFunc(slices.Values(events), func(a, b reading.Event) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	for _, e := range sorted {
		f.Events = append(f.Events, newEventFacts(v, e))
	}
	return f
}

func newEventFacts(v *ui.Visit, e reading.Event) eventFacts {
	return eventFacts{
		ID: string(e.ID), UID: e.UID, Summary: leaf.EventTitle(v.Words, &e.Event), Start: instant(v, &e.Event, e.Start), End: instant(v, &e.Event, e.End),
		Status: string(e.Status), Location: e.Location, AllDay: e.AllDay, Repeats: e.Recurs(), Letter: e.Letter, Version: e.Version,
	}
}

// instant writes a moment for programs, empty for none.
func instant(v *ui.Visit, e *agenda.Event, t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case e.AllDay:
		return t.Format(time.DateOnly)
	case e.Floating:
		return t.Format("2006-01-02T15:04:05")
	}
	return v.Words.Machine(t)
}
