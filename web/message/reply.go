package message

import (
	"io"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// replyPage is what the form of an answer shows.
type replyPage struct {
	URL, Subject, Name string
	Allowed            bool
	Why                string
	Errors             []leaf.Problem
	TextField          leaf.Field
	FilesError         string
	MaxFiles           int
	MaxFile            int64
}

// replyFacts are the facts of the form.
type replyFacts struct {
	To      string `json:"to"`
	Subject string `json:"subject"`
	Allowed bool   `json:"allowed"`
	Why     string `json:"why,omitempty"`
}

// newReply makes the form for a letter, with what was written and what is wrong with it.
func newReply(v *ui.Visit, l *reading.Letter, d draft) replyPage {
	a := answerOf(l.NoAnswer)
	p := replyPage{
		URL: "/messages/" + url.PathEscape(string(l.ID)), Subject: Title(v, ReadSubject(l.Subject)), Name: nameOr(v, SenderName(l.From)),
		Allowed: a.Allowed, Why: a.Why, Errors: d.problems, MaxFiles: maxFiles, MaxFile: maxUpload,
	}
	p.TextField = leaf.Field{
		ID: "text", Label: v.T("msg.reply.text"), Hint: v.T("msg.reply.text.hint"), Value: d.text, Rows: 9, Required: true,
	}
	for _, problem := range d.problems {
		switch problem.ID {
		case "text":
			p.TextField.Error = problem.Error
		case "files":
			p.FilesError = problem.Error
		}
	}
	return p
}

func (p replyPage) answer(status int) ui.Page {
	return ui.Page{
		Status: status, Template: "reply-page", Title: "msg.reply.title", TitleArgs: []any{"Name", p.Name}, Data: p,
		JSON: replyFacts{To: p.Name, Subject: p.Subject, Allowed: p.Allowed, Why: p.Why},
	}
}

// reply serves GET /messages/{letter}/reply: the form, or a sentence that says why
// there is none. There is one recipient, and no way to name another.
func (m *room) reply(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	l, err := m.Reading.Letter(r.Context(), v.Reader, mailbox.MessageID(r.PathValue("letter")))
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }() // it was read only
	return newReply(v, l, draft{}).answer(http.StatusOK), nil
}

// send serves POST /messages/{letter}/reply.
func (m *room) send(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	l, err := m.Reading.Letter(r.Context(), v.Reader, mailbox.MessageID(r.PathValue("letter")))
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }() // it was read only
	if l.NoAnswer != nil {
		return nil, denied(l.NoAnswer)
	}
	d, err := readDraft(v, r, roomFor(m.Office.MaxSize()))
	defer d.close()
	if err != nil {
		return nil, err
	}
	if len(d.problems) > 0 {
		return wrong(v, l, d, fault.New(fault.Invalid, d.reason))
	}
	id, err := m.post(v, r, l, d)
	switch fault.KindOf(err) {
	case fault.Denied, fault.Invalid, fault.OverQuota, fault.Transient:
		d.problems = []leaf.Problem{{ID: "", Error: refusal(v, err)}}
		return wrong(v, l, d, err)
	case fault.Internal, fault.NotFound, fault.Conflict:
		if err != nil {
			return nil, err
		}
	}
	return ui.Redirect{To: "/outcome/" + url.PathEscape(id), Notice: "notice.message-sent"}, nil
}

// denied makes a refusal of why a letter cannot be answered.
func denied(err error) error {
	if fault.Is(err, fault.Denied) {
		return err
	}
	return fault.Wrap(fault.Denied, "correspondent-unknown", err)
}

// wrong shows the form again, with what was written. Programs hear the reason.
func wrong(v *ui.Visit, l *reading.Letter, d draft, err error) (ui.Answer, error) {
	if v.JSON {
		return nil, err
	}
	return newReply(v, l, d).answer(ui.Status(err)), nil
}

// refusal says in words why the sorting office did not take the letter.
func refusal(v *ui.Visit, err error) string {
	if key := "reason." + fault.Reason(err); v.Words.Has(key) {
		return v.T(key)
	}
	if fault.Is(err, fault.Transient) || fault.Is(err, fault.OverQuota) {
		return v.T("msg.reply.error.later")
	}
	return v.T("msg.reply.error.refused")
}

// post composes the answer and gives it to the sorting office; the letter that is
// answered is marked in the same transaction. It returns the id of the outcome.
func (m *room) post(v *ui.Visit, r *http.Request, l *reading.Letter, d draft) (string, error) {
	refs, err := l.ReferenceIDs()
	if err != nil {
		return "", err
	}
	by := v.Reader
	spool, err := seal.NewSpool(m.Reading.SpoolDir)
	if err != nil {
		return "", fault.Wrap(fault.Transient, "spool-unavailable", err)
	}
	defer func() { _ = spool.Close() }() // nothing of it is left
	a := Answer{
		From: by.Box.Address, Name: v.Person.Name, To: l.Answer, Subject: ReadSubject(l.Subject).Text,
		MessageID:  "<" + identity.NewID() + "@" + string(by.Box.Address.Domain()) + ">",
		References: refs, Date: v.Now, Text: d.text, Files: d.files,
	}
	if _, err := a.WriteTo(spool); err != nil {
		return "", err
	}
	return m.Office.Send(r.Context(), delivery.Sending{
		By: by.By, Box: by.Box, Keys: by.Keys, To: []identity.Address{l.Answer},
		Letter: io.NewSectionReader(spool, 0, spool.Size()), Conn: by.Conn, Remote: by.Remote,
		Also: func(tx *store.Tx, _ string) error {
			if err := m.Reading.May(tx, by, reading.Answer); err != nil {
				return err
			}
			_, _, err := mailbox.SetFlags(tx, l.Folder, mailbox.SetOf(l.UID), mailbox.Add, mailbox.FlagAnswered, 0)
			return err
		},
	})
}

// roomFor is how many octets of files fit a letter of a size: base64 with its line ends
// makes 78 octets of 57 (RFC 2045 6.8), and the rest of the letter needs some.
func roomFor(letter int64) int64 {
	const rest = 512 << 10
	return max(0, (letter-rest)/78*57)
}

// tooLong reports whether a text is longer than an answer may be.
func tooLong(text string) bool { return utf8.RuneCountInString(text) > maxWritten }
