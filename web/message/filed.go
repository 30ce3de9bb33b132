package message

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/filing"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// filedLine says what became of one document.
type filedLine struct {
	Title string
	// URL is where the document is, empty if it was kept out; Reason then says why.
	URL, Reason string
	// Known says that it was there before.
	Known bool

	facts filedFacts
}

type filedFacts struct {
	Part    string `json:"part"`
	Title   string `json:"title"`
	Outcome string `json:"outcome"`
	ID      string `json:"id,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// invitation is an invitation as the letter shows it.
type invitation struct {
	Title, When, Where string
	// URL is the event's path, empty if it is not in the agenda; Version is what was
	// shown, for an answer.
	URL, Version string
	Said         *leaf.Tag
	// Note is the word key of a sentence; Open says that an answer is awaited.
	Note string
	Open bool

	facts inviteFacts
}

type inviteFacts struct {
	ID      string `json:"id,omitempty"`
	Summary string `json:"summary"`
	Status  string `json:"status"`
	Reason  string `json:"reason,omitempty"`
}

// filed tells what became of the letter's documents and invitations.
func (m *room) filed(v *ui.Visit, r *http.Request, l *reading.Letter, p *letterPage, d *desk) error {
	record, err := filing.ReadRecord(l.Filing)
	if err != nil {
		return err
	}
	p.Filed = filedLines(v, record)
	if len(l.Filing) == 0 && len(d.leaves) > 0 && !p.Mine {
		p.Pending = true
	}
	for _, e := range record.Attachments {
		if !calendar(e) {
			continue
		}
		i, err := m.invited(v, r, l, e)
		if err != nil {
			return err
		}
		p.Invitations = append(p.Invitations, i)
	}
	return nil
}

// calendar reports whether an attachment was an invitation, applied or not.
func calendar(e filing.Entry) bool {
	switch e.Outcome {
	case filing.Added, filing.Updated, filing.Cancelled, filing.Stale:
		return true
	case filing.Kept:
		return e.Kind == filing.Invitation
	case filing.Filed, filing.Known, filing.Copy, filing.Inert:
	}
	return false
}

// filedLines are the documents of a filing, those that were kept out after the others.
func filedLines(v *ui.Visit, record filing.Record) []filedLine {
	var in, out []filedLine
	for _, e := range record.Attachments {
		switch {
		case e.Outcome == filing.Filed || e.Outcome == filing.Known:
			for _, b := range e.Documents {
				title := named(v, b.Title)
				in = append(in, filedLine{
					Title: title, URL: "/documents/" + url.PathEscape(string(b.ID)), Known: !b.New,
					facts: filedFacts{Part: e.Part, Title: title, Outcome: outcomeOf(b.New), ID: string(b.ID)},
				})
			}
		case e.Outcome == filing.Kept && !calendar(e):
			reason := e.Reason
			if reason == "" {
				reason = record.Reason
			}
			title := named(v, e.Name)
			out = append(out, filedLine{
				Title: title, Reason: v.T(keptKey(reason)),
				facts: filedFacts{Part: e.Part, Title: title, Outcome: string(filing.Kept), Reason: reason},
			})
		}
	}
	return slices.Concat(in, out)
}

func outcomeOf(isNew bool) string {
	if isNew {
		return string(filing.Filed)
	}
	return string(filing.Known)
}

func named(v *ui.Visit, title string) string {
	if title = strings.TrimSpace(tame(title)); title != "" {
		return title
	}
	return v.T("leaf.untitled")
}

// keptKey chooses the sentence for why a document was not filed: few sentences for
// many reasons, since a reader needs to know what to do, not how it was built.
func keptKey(reason string) string {
	switch {
	case strings.HasSuffix(reason, "two-patients"):
		return "msg.kept.two-patients"
	case strings.HasPrefix(reason, "identity-"), reason == "patient-unknown", reason == "box-identity-missing", reason == "cda-ins-split":
		return "msg.kept.identity"
	case reason == "replacement-of-another-author":
		return "msg.kept.author"
	case reason == "document-id-reused", reason == "document-id-differs", reason == "document-id-missing":
		return "msg.kept.reused"
	case strings.HasSuffix(reason, "-too-large"), strings.HasSuffix(reason, "-limit"), strings.Contains(reason, "-too-many-"),
		reason == "zip-ratio", reason == "zip-overlap", reason == "xml-dtd", reason == "zip-nested", reason == "letter-ambiguous", reason == "zip-ambiguous":
		return "msg.kept.unsafe"
	case strings.HasPrefix(reason, "zip-"), strings.HasPrefix(reason, "xdm-"), strings.HasPrefix(reason, "cda-"), strings.HasPrefix(reason, "xml-"):
		return "msg.kept.damaged"
	}
	return "msg.kept.other"
}

// invited shows an invitation: the event in the agenda as it is now, else what the
// letter says.
func (m *room) invited(v *ui.Visit, r *http.Request, l *reading.Letter, e filing.Entry) (invitation, error) {
	told := m.calendarOf(l, e.Part)
	if e.Outcome != filing.Kept {
		all, err := m.Reading.Events(r.Context(), v.Reader, mostEvents)
		if err != nil {
			return invitation{}, err
		}
		at := slices.IndexFunc(all, func(known reading.Event) bool { return known.Letter == string(l.ID) })
		if at < 0 && told != nil {
			at = slices.IndexFunc(all, func(known reading.Event) bool {
				return known.UID == told.UID && known.RecurrenceID == told.RecurrenceID
			})
		}
		if at >= 0 {
			return showEvent(v, all[at]), nil
		}
	}
	i := invitation{Title: v.T("event.untitled"), Note: "msg.invite.unread", facts: inviteFacts{Status: string(e.Outcome), Reason: e.Reason}}
	if told != nil {
		i.Title, i.When, i.Where = leaf.EventTitle(v.Words, told), leaf.Capital(leaf.When(v.Words, told, told.Start, told.End)), told.Location
	}
	switch {
	case e.Outcome != filing.Kept:
		i.Note = "msg.invite.gone"
	case e.Reason == "invite-sender-not-organizer" || e.Reason == "invite-other-organizer":
		i.Note = "msg.invite.other"
	case e.Reason == "invite-not-for-me":
		i.Note = "msg.invite.not-you"
	}
	i.facts.Summary = i.Title
	return i, nil
}

// mostEvents is how many events are looked through for the one of a letter.
const mostEvents = 500

// showEvent shows an event of the agenda.
func showEvent(v *ui.Visit, e reading.Event) invitation {
	tag := leaf.StatusTag(v.Words, e.Status)
	i := invitation{
		Title: leaf.EventTitle(v.Words, &e.Event), When: leaf.Capital(leaf.When(v.Words, &e.Event, e.Start, e.End)), Where: e.Location,
		URL: "/agenda/" + url.PathEscape(string(e.ID)), Version: e.Version, Said: &tag,
		Open: e.Status == agenda.NeedsAction && !e.Organizer.Address.IsZero(),
	}
	if end := leaf.Ends(&e.Event, v.Words.Zone); !end.IsZero() && end.Before(v.Now) {
		i.Open, i.Note = false, "msg.invite.past"
	}
	if e.Status == agenda.Cancelled {
		i.Note = "msg.invite.cancelled"
	}
	i.facts = inviteFacts{ID: string(e.ID), Summary: i.Title, Status: string(e.Status)}
	return i
}

// calendarOf reads what a calendar part says, nil if it cannot be read.
func (m *room) calendarOf(l *reading.Letter, path string) *agenda.Event {
	part, err := l.Part(path)
	if err != nil {
		return nil
	}
	message, err := agenda.Read(l.Open(part), agenda.Limits{})
	if err != nil || len(message.Events) == 0 {
		return nil
	}
	return &message.Events[0]
}
