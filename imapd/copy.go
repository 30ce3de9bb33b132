package imapd

import (
	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"

	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// Copy is COPY and UID COPY.
func (s *session) Copy(set imap.NumSet, name string) (*imap.CopyData, error) {
	return s.carry(set, name, mailbox.Copy)
}

// Move is MOVE and UID MOVE (RFC 6851): one act, then COPYUID, then the EXPUNGEs.
func (s *session) Move(w *imapserver.MoveWriter, set imap.NumSet, name string) error {
	v := s.selected.Folder
	if v.ReadOnly {
		return s.fail(errReadOnly())
	}
	var moved mailbox.Copied
	data, err := s.carry(set, name, func(tx *store.Tx, from, to mailbox.FolderID, uids mailbox.Set) (mailbox.Copied, error) {
		var err error
		moved, err = mailbox.Move(tx, from, to, uids)
		return moved, err
	})
	if err != nil || data == nil {
		return err
	}
	if err := w.WriteCopyData(data); err != nil {
		return err
	}
	for _, seq := range v.Drop(moved.From) {
		if err := w.WriteExpunge(seq); err != nil {
			return err
		}
	}
	return nil
}

// carry copies or moves letters; nil data says that there were none.
func (s *session) carry(set imap.NumSet, name string, act func(*store.Tx, mailbox.FolderID, mailbox.FolderID, mailbox.Set) (mailbox.Copied, error)) (*imap.CopyData, error) {
	v := s.selected.Folder
	n, err := numbersOf(set)
	if err != nil {
		return nil, err
	}
	to, err := s.folder(name)
	if err != nil {
		return nil, s.failTarget(err)
	}
	picked := v.Pick(n)
	if len(picked) == 0 {
		return nil, nil
	}
	var c mailbox.Copied
	err = s.change(func(tx *store.Tx) (err error) {
		c, err = act(tx, v.ID, to.ID, v.Set(picked))
		return err
	})
	if err != nil {
		return nil, s.failTarget(err)
	}
	if len(c.From) == 0 {
		return nil, nil
	}
	s.changed = to.ID
	return &imap.CopyData{UIDValidity: uint32(c.UIDValidity), SourceUIDs: uidSet(c.From), DestUIDs: uidSet(c.To)}, nil
}

// Expunge is EXPUNGE, UID EXPUNGE, and CLOSE, which tells nothing.
func (s *session) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	v := s.selected.Folder
	if v.ReadOnly {
		if s.conn.Command() == "CLOSE" {
			return nil // RFC 9051 6.4.1: no error, nothing removed
		}
		return s.fail(errReadOnly())
	}
	picked := v.Whole()
	if uids != nil {
		n, err := numbersOf(*uids)
		if err != nil {
			return err
		}
		picked = v.Pick(n)
	}
	if len(picked) == 0 {
		return nil
	}
	var gone []mailbox.UID
	err := s.change(func(tx *store.Tx) (err error) {
		gone, err = mailbox.Expunge(tx, v.ID, v.Set(picked))
		return err
	})
	if err != nil {
		return s.fail(err)
	}
	for _, seq := range v.Drop(gone) {
		if err := w.WriteExpunge(seq); err != nil {
			return err
		}
	}
	return nil
}
