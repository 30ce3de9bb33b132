package record

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// eventPage is what the template of an event shows.
type eventPage struct {
	URL, Title, Lead, Organizer string
	Said                        *leaf.Tag
	Facts                       []leaf.Fact
	// Notes are sentences about what is not certain.
	Notes []string
	// Closed is the word key of why there is no answer to give; May says that there is
	// one, Open that it is awaited.
	Closed    string
	May, Open bool
	Version   string
	Choices   []choice
	// Text is the description, More the next dates of a series.
	Text, More []string
	Letter     string
}

// choice is one answer.
type choice struct{ Value, Key, Icon, Class string }

// oneEvent are the facts of one event.
type oneEvent struct {
	eventFacts
	Organizer   string   `json:"organizer"`
	Description string   `json:"description"`
	MayAnswer   bool     `json:"may_answer"`
	Next        []string `json:"next"`
}

// mostNext is how many dates of a series the page of an event tells.
const mostNext = 8

// event serves GET /agenda/{event}.
func (m *room) event(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	e, err := m.Reading.Event(r.Context(), v.Reader, agenda.EventID(r.PathValue("event")))
	if err != nil {
		return nil, err
	}
	known, err := m.names(v, r)
	if err != nil {
		return nil, err
	}
	closed, err := m.closed(v, r, e)
	if err != nil {
		return nil, err
	}
	page := newEvent(v, e, known, closed)
	facts := oneEvent{
		eventFacts: newEventFacts(v, e), Organizer: page.Organizer, Description: e.Description, MayAnswer: page.May, Next: append([]string{}, page.More...),
	}
	return ui.Page{Template: "event-page", Title: "cal.page", TitleArgs: []any{"Title", page.Title}, Data: page, JSON: facts}, nil
}

// closed returns the word key of why an event has no answer to give, empty if it has.
func (m *room) closed(v *ui.Visit, r *http.Request, e reading.Event) (string, error) {
	switch err := answerable(v, e); fault.Reason(err) {
	case "event-cancelled":
		return "cal.closed.cancelled", nil
	case "event-past":
		return "cal.closed.past", nil
	case "event-without-organizer":
		return "cal.closed.no-reply", nil
	}
	err := m.DB.Read(r.Context(), func(tx *store.Tx) error {
		return mailbox.MayAnswer(tx, m.Works, v.Reader.Box.ID, e.Organizer.Address)
	})
	if fault.Is(err, fault.Denied) {
		return "cal.closed.no-reply", nil
	}
	return "", err
}

// answerable says why an event cannot be answered, nil if it can: fault.Conflict
// "event-cancelled" or "event-past", fault.Denied "event-without-organizer".
func answerable(v *ui.Visit, e reading.Event) error {
	end := leaf.Ends(&e.Event, v.Words.Zone)
	switch {
	case e.Status == agenda.Cancelled:
		return fault.New(fault.Conflict, "event-cancelled")
	case !end.IsZero() && end.Before(v.Now):
		return fault.New(fault.Conflict, "event-past")
	case e.Organizer.Address.IsZero():
		return fault.New(fault.Denied, "event-without-organizer")
	}
	return nil
}

func newEvent(v *ui.Visit, e reading.Event, known names, closed string) eventPage {
	w := v.Words
	p := eventPage{
		URL: eventPath(e.ID), Title: leaf.EventTitle(w, &e.Event), Organizer: organizer(v, e, known), Version: e.Version,
		Closed: closed, May: closed == "", Open: closed == "" && e.Status == agenda.NeedsAction,
	}
	p.Lead = v.T("cal.from", "Name", p.Organizer)
	if p.Open {
		p.Lead = v.T("cal.proposed", "Name", p.Organizer)
	}
	tag := leaf.StatusTag(w, e.Status)
	p.Said = &tag
	p.Facts = []leaf.Fact{
		{Name: v.T("cal.fact.when"), Value: leaf.Capital(leaf.When(w, &e.Event, e.Start, e.End))},
		{Name: v.T("cal.fact.where"), Value: e.Location},
		{Name: v.T("cal.fact.with"), Value: p.Organizer},
	}
	if e.Recurs() {
		p.Facts = append(p.Facts, leaf.Fact{Name: v.T("cal.fact.repeats"), Value: v.T("cal.repeats")})
		p.More = next(v, &e.Event)
	}
	for line := range strings.SplitSeq(e.Description, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			p.Text = append(p.Text, line)
		}
	}
	p.Notes = notes(v, &e.Event)
	p.Choices = choices(e.Status)
	if e.Letter != "" {
		p.Letter = "/messages/" + url.PathEscape(e.Letter)
	}
	return p
}

// organizer is who proposes an event, as the patient knows them.
func organizer(v *ui.Visit, e reading.Event, known names) string {
	name := e.Organizer.Name
	if containsAt(name) {
		name = ""
	}
	if !e.Organizer.Address.IsZero() {
		// What they are known by goes before what the invitation calls them: anybody can
		// write any name there.
		return cmp.Or(known[e.Organizer.Address.Key()], name, string(e.Organizer.Address.Domain()))
	}
	return cmp.Or(name, v.T("cal.somebody"))
}

// next tells the next dates of a series.
func next(v *ui.Visit, e *agenda.Event) []string {
	starts, _ := agenda.Expand(*e, v.Now, v.Now.AddDate(aheadYears, 0, 0), mostNext)
	out := make([]string, len(starts))
	for i, t := range starts {
		out[i] = leaf.Capital(leaf.When(v.Words, e, t, t.Add(e.End.Sub(e.Start))))
	}
	return out
}

// notes say what is not certain of an event: of many warnings, whether the hour is
// one, or something else.
func notes(v *ui.Visit, e *agenda.Event) []string {
	zone, other := false, false
	for _, w := range e.Warnings {
		if strings.Contains(w, "zone") {
			zone = true
		} else {
			other = true
		}
	}
	var out []string
	if zone {
		out = append(out, v.T("cal.note.zone"))
	}
	if other {
		out = append(out, v.T("cal.note.other"))
	}
	return out
}

// choices are the answers, the one that was given left out.
func choices(now agenda.Status) []choice {
	var out []choice
	for _, c := range []struct {
		status agenda.Status
		choice
	}{
		{agenda.Accepted, choice{"accept", "cal.answer.accept", "check", "btn--main"}},
		{agenda.Tentative, choice{"tentative", "cal.answer.tentative", "", "btn--side"}},
		{agenda.Declined, choice{"decline", "cal.answer.decline", "", "btn--side"}},
	} {
		if c.status != now {
			out = append(out, c.choice)
		}
	}
	return out
}
