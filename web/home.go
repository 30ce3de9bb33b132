package web

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/message"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// homePattern is the one page that asks strangers in with 200 instead of 401.
const homePattern = "GET /{$}"

// How much the home page shows, and how far back it looks for it.
const (
	homeLetters, homeLookLetters   = 5, 50
	homeDocuments                  = 3
	homeEvents, homeLookEvents     = 4, 200
	homeAccesses, homeLookAccesses = 3, 30
)

// home is what the page shows: rows for the parts.
type home struct {
	Name, Lead                      string
	Letters, Asked, Documents, Next []map[string]any
	Accesses                        []homeAccess
	unread, asked                   int
	letters                         []reading.Line
	asking, coming                  []reading.Event
	documents                       []dmp.Entry
	accesses                        []dmp.Access
}

// homeAccess is one line of who looked.
type homeAccess struct{ Who, What, Object, When string }

func (s *Server) homeRoutes() []ui.Route {
	return []ui.Route{{Pattern: homePattern, Section: "home", Serve: s.home}}
}

// home says what is new: letters to open, invitations to answer, what was filed, what
// comes next, who looked. It opens nothing: these are lists.
func (s *Server) home(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	h := &home{Name: cmp.Or(v.Person.Given, v.Person.Name)}
	for _, gather := range []func(*ui.Visit, *http.Request, *home) error{s.homeLetters, s.homeVault} {
		if err := gather(v, r, h); err != nil {
			return nil, err
		}
	}
	h.rows(v)
	return ui.Page{Template: "home", Title: "home.title", Data: h, JSON: map[string]any{
		"name": v.Person.Name, "unread": h.unread, "to_confirm": h.asked,
	}}, nil
}

func (s *Server) homeLetters(v *ui.Visit, r *http.Request, h *home) error {
	var inbox mailbox.Folder
	err := s.DB.Read(r.Context(), func(tx *store.Tx) (err error) {
		inbox, err = mailbox.FolderByRole(tx, v.Reader.Box.ID, mailbox.Inbox)
		return err
	})
	if err != nil {
		return err
	}
	if h.unread = int(inbox.Unseen); h.unread == 0 {
		return nil
	}
	lines, err := s.Reading.Letters(r.Context(), v.Reader, inbox.ID, 0, homeLookLetters)
	for _, line := range lines {
		if line.Unread() && len(h.letters) < homeLetters {
			h.letters = append(h.letters, line)
		}
	}
	return err
}

// homeVault reads what a patient's space has besides letters.
func (s *Server) homeVault(v *ui.Visit, r *http.Request, h *home) (err error) {
	if v.Reader.Box.Kind != mailbox.Patient {
		return nil
	}
	events, err := s.Reading.Events(r.Context(), v.Reader, homeLookEvents)
	if err != nil {
		return err
	}
	h.sort(v, events)
	if h.documents, _, err = s.Reading.Documents(r.Context(), v.Reader, dmp.Query{Limit: homeDocuments}); err != nil {
		return err
	}
	accesses, _, err := s.Reading.Accesses(r.Context(), v.Reader, "", homeLookAccesses)
	for _, a := range accesses {
		if a.Why != dmp.Own && len(h.accesses) < homeAccesses {
			h.accesses = append(h.accesses, a)
		}
	}
	return err
}

// sort keeps the events that wait for an answer, and the next of the others, each by
// time.
func (h *home) sort(v *ui.Visit, events []reading.Event) {
	slices.SortFunc(events, func(a, b reading.Event) int { return begins(v, a).Compare(begins(v, b)) })
	for _, e := range events {
		switch {
		case begins(v, e).Before(v.Now.Add(-24 * time.Hour)):
		case e.Status == agenda.NeedsAction:
			h.asking = append(h.asking, e)
		case e.Status == agenda.Accepted && len(h.coming) < homeEvents:
			h.coming = append(h.coming, e)
		}
	}
	h.asked = len(h.asking)
	h.asking = h.asking[:min(len(h.asking), homeEvents)]
}

// begins is when an event begins for its reader: a day or a time of no zone is the
// reader's own.
func begins(v *ui.Visit, e reading.Event) time.Time {
	if !e.AllDay && !e.Floating {
		return e.Start
	}
	u := e.Start.UTC()
	return time.Date(u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), 0, v.Words.Zone)
}

// rows says everything in the visitor's language.
func (h *home) rows(v *ui.Visit) {
	h.Lead = v.T("home.nothing-new")
	if h.unread > 0 {
		h.Lead = v.T("home.letters", "Count", h.unread)
	}
	if h.asked > 0 {
		asked := v.T("home.asked", "Count", h.asked)
		if h.unread > 0 {
			asked = h.Lead + " " + asked
		}
		h.Lead = asked
	}
	for _, l := range h.letters {
		row := map[string]any{
			"Href": "/messages/" + string(l.ID), "From": cmp.Or(message.SenderName(l.From), v.T("home.no-name")),
			"Subject": message.Title(v, message.ReadSubject(l.Subject)),
			"Preview": l.Preview, "New": true, "Meta": v.Words.When(v.Now, l.At), "Machine": v.Words.Machine(l.At),
		}
		if l.Attachments > 0 {
			row["Tags"] = []any{map[string]any{"Kind": "bare", "Icon": "clip", "Text": v.T("home.attachments", "Count", l.Attachments)}}
		}
		h.Letters = append(h.Letters, row)
	}
	for _, e := range h.asking {
		row := eventRow(v, e)
		row["Kind"] = "ask"
		row["Tags"] = []any{map[string]any{"Kind": "warn", "Icon": "clock", "Wrap": true, "Text": v.T("home.answer-asked")}}
		h.Asked = append(h.Asked, row)
	}
	for _, e := range h.coming {
		h.Next = append(h.Next, eventRow(v, e))
	}
	for _, d := range h.documents {
		shelf := dmp.ShelfOf(d.Category)
		at := cmp.Or(d.Created, d.At)
		h.Documents = append(h.Documents, map[string]any{
			"Href": "/documents/" + string(d.ID), "Title": cmp.Or(d.Title, d.Type.Display, shelf.Label.In(v.Lang)),
			"Sub": author(d), "Icon": shelf.Icon, "Tint": shelf.Tint,
			"Meta": v.Words.Short(v.Now, at), "Machine": v.Words.Machine(at),
		})
	}
	for _, a := range h.accesses {
		h.Accesses = append(h.Accesses, homeAccess{
			cmp.Or(a.Who, v.T("brand")), v.T("home.did." + string(a.What)), a.Title, v.Words.Moment(v.Now, a.At),
		})
	}
}

// eventRow is an event in a list.
func eventRow(v *ui.Visit, e reading.Event) map[string]any {
	at := begins(v, e)
	when := v.Words.DayName(at)
	if !e.AllDay {
		when = v.T("home.event-time", "Day", when, "Clock", v.Words.Clock(at))
	}
	return map[string]any{
		"Href": "/agenda/" + string(e.ID), "At": at, "Title": cmp.Or(e.Summary, v.T("home.no-subject")),
		"Time": when, "Place": e.Location,
	}
}

// author is who wrote a document: the institution first, as people know it.
func author(d dmp.Entry) string {
	for _, a := range d.Authors {
		if name := cmp.Or(a.Institution, a.Person); name != "" {
			return name
		}
	}
	return ""
}
