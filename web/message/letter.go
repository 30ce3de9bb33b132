package message

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// letterPage is what the template of a letter shows.
type letterPage struct {
	// URL is the letter's path, Folder where it lies: inbox, sent or trash.
	URL, Folder string
	// Subject is in words; From and To are names.
	Subject, From, To string
	Replaces, Over    bool
	// Mine says that the visitor wrote it.
	Mine bool
	Date time.Time
	// Day tells the date in words.
	Day  string
	Text Paragraphs
	// Cut says that there is more text than is shown.
	Cut bool
	// Frame says that there is a layout, shown in a frame of its own.
	Frame bool
	// Original is a PDF that came beside documents which have none in themselves: it is
	// shown before them. Nil for none.
	Original    *leaf.Original
	Invitations []invitation
	Filed       []filedLine
	// Pending says that the documents are about to be filed.
	Pending bool
	Leaves  []leaf.Document
	Files   []leaf.Attachment
	Answer  answerable
	// Outcome is the path of what became of it, empty for none.
	Outcome string
}

// Asks reports whether an invitation awaits an answer: then that is the main thing to
// do on the page, and there is one main button.
func (p letterPage) Asks() bool {
	return slices.ContainsFunc(p.Invitations, func(i invitation) bool { return i.Open })
}

// answerable says whether the letter can be answered; Why is the end of a word key.
type answerable struct {
	Allowed bool
	Why     string
}

// letterFacts are the facts of a letter.
type letterFacts struct {
	ID          string        `json:"id"`
	From        string        `json:"from"`
	Subject     string        `json:"subject"`
	Date        string        `json:"date"`
	Text        string        `json:"text"`
	HTML        string        `json:"html,omitempty"` // where the layout is fetched
	Attachments []fileFacts   `json:"attachments"`
	Documents   []filedFacts  `json:"documents"`
	Invitations []inviteFacts `json:"invitations"`
	Answer      answerFacts   `json:"answer"`
}

type fileFacts struct {
	Part string `json:"part"`
	Name string `json:"name"`
	Size int64  `json:"size"`
	Kind string `json:"kind"`
}

type answerFacts struct {
	Allowed bool   `json:"allowed"`
	Why     string `json:"why,omitempty"`
}

// letter serves GET /messages/{letter}.
func (m *room) letter(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	l, err := m.Reading.Letter(r.Context(), v.Reader, mailbox.MessageID(r.PathValue("letter")))
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }() // it was read only
	p := letterPage{
		URL: "/messages/" + url.PathEscape(string(l.ID)), Subject: Title(v, ReadSubject(l.Subject)),
		From: nameOr(v, SenderName(l.From)), Date: l.At, Answer: answerOf(l.NoAnswer),
	}
	p.Day = leaf.Capital(v.Words.Day(p.Date))
	s := ReadSubject(l.Subject)
	p.Replaces, p.Over = s.Replaces, s.Over
	if p.Folder, err = m.place(v, r, l.Folder); err != nil {
		return nil, err
	}
	if p.Mine = p.Folder == sent; p.Mine {
		p.mine(v, l)
	}
	if err := p.words(m, l); err != nil {
		return nil, err
	}
	d := newDesk(v, l, p.URL)
	if err := d.lay(); err != nil {
		return nil, err
	}
	if err := m.filed(v, r, l, &p, d); err != nil {
		return nil, err
	}
	p.Leaves, p.Files, p.Original = d.leaves, d.attachments(len(p.Invitations) > 0), d.original()
	return ui.Page{Template: "letter-page", Title: "msg.page", TitleArgs: []any{"Subject", p.Subject}, Data: p, JSON: p.facts(v, l, d)}, nil
}

// mine shows a letter that the visitor sent.
func (p *letterPage) mine(v *ui.Visit, l *reading.Letter) {
	p.From = v.T("msg.you")
	if len(l.To) > 0 {
		p.To = nameOr(v, SenderName(l.To[0]))
	}
	p.Outcome = "/outcome/" + url.PathEscape(string(l.ID))
}

// place names the folder in which a letter lies; one of the visitor's own is told as
// the inbox, which is where its page leads back to.
func (m *room) place(v *ui.Visit, r *http.Request, at mailbox.FolderID) (string, error) {
	name := inbox
	err := m.DB.Read(r.Context(), func(tx *store.Tx) error {
		f, err := mailbox.Status(tx, nil, at)
		if f.Role == mailbox.Sent || f.Role == mailbox.Trash {
			name = string(f.Role)
		}
		return err
	})
	return name, err
}

// words reads the letter's own text. Of a letter that has only a layout it is the words
// in it: they are read on any screen and on paper, and the layout stands behind.
func (p *letterPage) words(m *room, l *reading.Letter) error {
	p.Frame = len(l.With(reading.HTML)) > 0
	for _, part := range l.With(reading.Plain) {
		text, whole, err := l.Text(part, maxText)
		if err != nil {
			return err
		}
		p.Text = append(p.Text, paragraphs(text, flowed(l, part))...)
		p.Cut = p.Cut || !whole
	}
	if len(p.Text) > 0 || !p.Frame {
		return nil
	}
	clean, err := m.layout(l, nil)
	p.Text = paragraphs(words(clean), false)
	return err
}

// layout returns the sanitised HTML of a letter. It fails with fault.NotFound
// "layout-missing".
func (m *room) layout(l *reading.Letter, image func(id string) (string, []byte)) (string, error) {
	parts := l.With(reading.HTML)
	if len(parts) == 0 {
		return "", fault.New(fault.NotFound, "layout-missing")
	}
	raw, _, err := l.Text(parts[0], maxHTML)
	return m.clean.clean(raw, image), err
}

// flowed reports whether the lines of a text part go on (RFC 3676 4.1).
func flowed(l *reading.Letter, p *reading.Part) bool {
	part, ok := l.Summary.Structure.Find(numbers(p.Path))
	if !ok {
		return false
	}
	format, _ := part.Params.Get("format")
	return strings.EqualFold(format, "flowed")
}

// answerOf chooses the words for why a letter cannot be answered.
func answerOf(err error) answerable {
	switch fault.Reason(err) {
	case "correspondent-closed":
		return answerable{Why: "closed"}
	case "correspondent-unknown":
		return answerable{Why: "unknown"}
	}
	if err != nil {
		return answerable{Why: "elsewhere"}
	}
	return answerable{Allowed: true}
}

// facts are the letter's facts.
func (p *letterPage) facts(v *ui.Visit, l *reading.Letter, d *desk) letterFacts {
	f := letterFacts{
		ID: string(l.ID), From: p.From, Subject: p.Subject, Date: v.Words.Machine(p.Date), Text: p.Text.String(),
		Attachments: d.facts(), Documents: []filedFacts{}, Invitations: []inviteFacts{},
		Answer: answerFacts{Allowed: p.Answer.Allowed && !p.Mine, Why: p.Answer.Why},
	}
	if p.Frame {
		f.HTML = p.URL + "/html"
	}
	for _, d := range p.Filed {
		f.Documents = append(f.Documents, d.facts)
	}
	for _, i := range p.Invitations {
		f.Invitations = append(f.Invitations, i.facts)
	}
	return f
}

// html serves GET /messages/{letter}/html: the layout of a letter, sanitised, under a
// policy that loads nothing.
func (m *room) html(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	l, err := m.Reading.Letter(r.Context(), v.Reader, mailbox.MessageID(r.PathValue("letter")))
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }() // it was read only
	clean, err := m.layout(l, picture(l))
	if err != nil {
		return nil, err
	}
	page := framed(v.Lang, v.T("msg.html.title"), clean)
	return ui.File{
		Name: "lettre.html", Type: "text/html; charset=utf-8", Size: int64(len(page)), Inline: true,
		Content: bytes.NewReader(page), Policy: framePolicy(),
	}, nil
}

// picture finds an image of a letter by its Content-ID. One that cannot be read is as
// good as none: its alternative text stands there.
func picture(l *reading.Letter) func(id string) (string, []byte) {
	parts := l.With(reading.Embedded)
	return func(id string) (string, []byte) {
		for _, part := range parts {
			if part.ContentID != id {
				continue
			}
			octets, err := io.ReadAll(io.LimitReader(l.Open(part), maxImage+1))
			if err != nil || len(octets) > maxImage {
				return "", nil
			}
			if kind := leaf.SniffOctets(octets, true); kind.Image() {
				return kind.MIME(), octets
			}
			return "", nil
		}
		return "", nil
	}
}
