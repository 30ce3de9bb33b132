package message

import (
	"net/http"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// unread serves POST /messages/{letter}/unread.
func (m *room) unread(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	err := m.change(v, r, func(tx *store.Tx, at mailbox.Place) error {
		_, _, err := mailbox.SetFlags(tx, at.Folder, mailbox.SetOf(at.UID), mailbox.Remove, mailbox.FlagSeen, 0)
		return err
	})
	return ui.Redirect{To: "/messages", Notice: "notice.message-unread"}, err
}

// trash serves POST /messages/{letter}/trash.
func (m *room) trash(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	err := m.change(v, r, func(tx *store.Tx, at mailbox.Place) error {
		bin, err := mailbox.FolderByRole(tx, v.Reader.Box.ID, mailbox.Trash)
		if fault.Is(err, fault.NotFound) { // its holder deleted it
			bin, err = mailbox.CreateFolder(tx, v.Reader.Keys, v.Reader.Box.ID, v.T("msg.folder.trash"), mailbox.Trash)
		}
		if err != nil {
			return err
		}
		return move(tx, at, bin.ID)
	})
	return ui.Redirect{To: "/messages", Notice: "notice.message-trashed"}, err
}

// restore serves POST /messages/{letter}/restore.
func (m *room) restore(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	err := m.change(v, r, func(tx *store.Tx, at mailbox.Place) error { return move(tx, at, v.Reader.Box.Inbox) })
	return ui.Redirect{To: "/messages", Notice: "notice.message-restored"}, err
}

// move moves a letter; one that is there already stays.
func move(tx *store.Tx, at mailbox.Place, to mailbox.FolderID) error {
	if at.Folder == to {
		return nil
	}
	_, err := mailbox.Move(tx, at.Folder, to, mailbox.SetOf(at.UID))
	return err
}

// change does something to a letter of the visitor's box. A letter of another box is
// fault.NotFound "letter-unknown", like one that never was.
func (m *room) change(v *ui.Visit, r *http.Request, do func(tx *store.Tx, at mailbox.Place) error) error {
	id := mailbox.MessageID(r.PathValue("letter"))
	return m.DB.Write(r.Context(), func(tx *store.Tx) error {
		at, err := mailbox.Locate(tx, v.Reader.Box.ID, id)
		if err != nil {
			return err
		}
		return do(tx, at)
	})
}
