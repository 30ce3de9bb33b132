package message

import (
	"net/http"
	"strconv"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// page is how many letters a page of a list has. Our choice: what a thumb scrolls.
const pageSize = 30

// roleOf returns the folder that ?folder= names. It fails with fault.NotFound
// "folder-unknown".
func roleOf(name string) (mailbox.Role, error) {
	switch name {
	case "", inbox:
		return mailbox.Inbox, nil
	case sent:
		return mailbox.Sent, nil
	case trash:
		return mailbox.Trash, nil
	}
	return "", fault.New(fault.NotFound, "folder-unknown")
}

// cursor reads ?before=, zero for the newest.
func cursor(r *http.Request) (mailbox.UID, error) {
	raw := r.FormValue("before")
	if raw == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(raw, 10, 32)
	if err != nil || n == 0 {
		return 0, fault.New(fault.Invalid, "cursor-malformed")
	}
	return mailbox.UID(n), nil
}

// list serves GET /messages.
func (m *room) list(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	role, err := roleOf(r.FormValue("folder"))
	if err != nil {
		return nil, err
	}
	lines, next, err := m.lines(v, r, role)
	if err != nil {
		return nil, err
	}
	var unread int
	var may []string
	err = m.DB.Read(r.Context(), func(tx *store.Tx) (err error) {
		if unread, err = unseen(tx, v.Reader.Box.Inbox); err != nil {
			return err
		}
		may, err = m.mayWrite(tx, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	folder := string(role)
	return ui.Page{
		Template: "messages-list", Title: "msg.title",
		Data: newList(v, folder, unread, lines, next, may), JSON: newListFacts(v, unread, lines, next),
	}, nil
}

func unseen(tx *store.Tx, folder mailbox.FolderID) (int, error) {
	f, err := mailbox.Status(tx, nil, folder)
	return int(f.Unseen), err
}

// mayWrite names those whom the patient may answer now, who wrote last first.
func (m *room) mayWrite(tx *store.Tx, v *ui.Visit) ([]string, error) {
	const most = 20 // a help, not a directory
	all, err := mailbox.Correspondents(tx, m.Works, v.Reader.Box.ID)
	var open []string
	for _, c := range all {
		if name := SenderName(c.Name); c.Open && name != "" && len(open) < most {
			open = append(open, name)
		}
	}
	return open, err
}

// lines reads a page of a folder, and the cursor of the next. A folder that its
// holder deleted is empty.
func (m *room) lines(v *ui.Visit, r *http.Request, role mailbox.Role) ([]Line, string, error) {
	before, err := cursor(r)
	if err != nil {
		return nil, "", err
	}
	folder, err := m.folder(v, r, role)
	if fault.Is(err, fault.NotFound) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	found, err := m.Reading.Letters(r.Context(), v.Reader, folder, before, pageSize+1)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(found) > pageSize {
		found = found[:pageSize]
		next = strconv.FormatUint(uint64(found[pageSize-1].UID), 10)
	}
	lines := make([]Line, len(found))
	for i, l := range found {
		lines[i] = newLine(l, role == mailbox.Sent)
	}
	return lines, next, nil
}

func (m *room) folder(v *ui.Visit, r *http.Request, role mailbox.Role) (mailbox.FolderID, error) {
	if role == mailbox.Inbox {
		return v.Reader.Box.Inbox, nil
	}
	var id mailbox.FolderID
	err := m.DB.Read(r.Context(), func(tx *store.Tx) error {
		f, err := mailbox.FolderByRole(tx, v.Reader.Box.ID, role)
		id = f.ID
		return err
	})
	return id, err
}

// newLine makes a line of what the reading room tells.
func newLine(l reading.Line, mine bool) Line {
	line := Line{
		ID: string(l.ID), Name: SenderName(l.From), Subject: ReadSubject(l.Subject), Preview: l.Preview, Date: l.At,
		Unread: l.Unread(), Answered: l.Flags.Has(mailbox.FlagAnswered), Files: l.Attachments,
	}
	if mine {
		line.Unread, line.Name = false, ""
		if len(l.To) > 0 {
			line.Name = SenderName(l.To[0])
		}
	}
	return line
}
