package message

import (
	"net/http"
	"net/url"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// storiesPage is the list of sent letters with what became of each.
type storiesPage struct {
	Rows []leaf.Row
	Next string
}

type sentFacts struct {
	ID         string           `json:"id"`
	Subject    string           `json:"subject"`
	Date       string           `json:"date"`
	Recipients []recipientFacts `json:"recipients"`
}

type storiesFacts struct {
	Outcomes []sentFacts `json:"outcomes"`
	Next     string      `json:"next,omitempty"`
}

// stories serves GET /outcome: the letters of the Sent folder, each with its outcome.
// Letters that were put there by other means have none and are left out.
func (m *room) stories(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	lines, next, err := m.lines(v, r, mailbox.Sent)
	if err != nil {
		return nil, err
	}
	known, err := m.names(v, r)
	if err != nil {
		return nil, err
	}
	page, facts := storiesPage{}, storiesFacts{Outcomes: []sentFacts{}, Next: next}
	if next != "" {
		page.Next = "/outcome?before=" + url.QueryEscape(next)
	}
	for _, l := range lines {
		story, err := m.Reading.Outcome(r.Context(), v.Reader, l.ID)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		p, f := newStory(v, story, known)
		page.Rows = append(page.Rows, storyRow(v, l, string(story.ID), p))
		facts.Outcomes = append(facts.Outcomes, sentFacts{ID: string(story.ID), Subject: Title(v, l.Subject), Date: v.Words.Machine(l.Date), Recipients: f.Recipients})
	}
	return ui.Page{Template: "outcome-list", Title: "out.list.title", Data: page, JSON: facts}, nil
}

func storyRow(v *ui.Visit, l Line, id string, p storyPage) leaf.Row {
	row := leaf.Row{
		Href: "/outcome/" + url.PathEscape(id), Title: Title(v, l.Subject), Icon: "send", Tint: "k-lilas",
		Meta: v.Words.When(v.Now, l.Date), Machine: v.Words.Machine(l.Date),
	}
	if len(p.Recipients) > 0 {
		row.Sub = v.T("msg.to", "Name", p.Recipients[0].Name)
		row.Tags = []leaf.Tag{p.Recipients[0].Status}
	}
	return row
}

// story serves GET /outcome/{outcome}.
func (m *room) story(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	story, err := m.Reading.Outcome(r.Context(), v.Reader, r.PathValue("outcome"))
	if err != nil {
		return nil, err
	}
	known, err := m.names(v, r)
	page, facts := newStory(v, story, known)
	return ui.Page{Template: "outcome-page", Title: "out.title", Data: page, JSON: facts}, err
}

// names returns how the patient knows a recipient: by name, never by address.
func (m *room) names(v *ui.Visit, r *http.Request) (func(outcome.Chapter) string, error) {
	known := make(map[string]string)
	err := m.DB.Read(r.Context(), func(tx *store.Tx) error {
		all, err := mailbox.Correspondents(tx, m.Works, v.Reader.Box.ID)
		for _, c := range all {
			known[c.Address.Key()] = SenderName(c.Name)
		}
		return err
	})
	return func(c outcome.Chapter) string { return known[c.Address.Key()] }, err
}
