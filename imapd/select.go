package imapd

import (
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/imapd/view"
	"github.com/vaguemestre/vaguemestre/mailbox"
)

// Select is SELECT and EXAMINE.
func (s *session) Select(name string, o *imap.SelectOptions) (*imap.SelectData, error) {
	f, err := s.folder(name)
	if err != nil {
		return nil, s.fail(err)
	}
	w, v, err := view.Look(s.conn.Context(), s.srv.DB, s.srv.Bus, f.ID, o.ReadOnly, s.srv.times.Poll)
	if err != nil {
		return nil, s.fail(err)
	}
	if err := s.loadLabels(); err != nil {
		w.Close()
		return nil, s.fail(err)
	}
	s.mu.Lock()
	s.selected = w
	s.mu.Unlock()
	return &imap.SelectData{
		Flags:             s.labels.list(s.labels.keywords.All()),
		PermanentFlags:    s.permanent(o.ReadOnly),
		NumMessages:       uint32(len(v.Rows)),
		FirstUnseenSeqNum: firstUnseen(v.Rows),
		UIDNext:           imap.UID(v.UIDNext),
		UIDValidity:       uint32(v.UIDValidity),
	}, nil
}

// firstUnseen returns the sequence number of the first letter without \Seen, 0 if
// there is none.
func firstUnseen(rows []mailbox.Row) uint32 {
	for i, r := range rows {
		if !r.Flags.Has(mailbox.FlagSeen) {
			return uint32(i + 1)
		}
	}
	return 0
}

// Unselect is UNSELECT, the end of CLOSE, and what SELECT begins with.
func (s *session) Unselect() error {
	s.unselect()
	return nil
}

// unselect forgets the selected folder.
func (s *session) unselect() {
	s.forget()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.selected != nil {
		s.selected.Close()
		s.selected = nil
	}
}

// Poll tells the client what changed, after its command was carried out.
func (s *session) Poll(w *imapserver.UpdateWriter, mayExpunge bool) error {
	asked := s.conn.Command() == "NOOP" || s.conn.Command() == "CHECK"
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.selected == nil {
		return nil
	}
	v := s.selected.Folder
	// What the client did itself it is told at once; the poke may come later.
	if s.selected.Due() || asked || s.changed == v.ID || mayExpunge && v.Untold() {
		s.changed = ""
		return s.tell(w, mayExpunge)
	}
	return nil
}

// Idle tells the client what changes, as it changes.
func (s *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.idle.Add(1)
	defer s.idle.Done()
	watch := s.selected
	s.mu.Unlock()
	if watch == nil {
		select {
		case <-stop:
		case <-s.conn.Context().Done():
		}
		return nil
	}
	return s.idling(w, watch, stop)
}

// idling waits for pokes, and looks without one now and then.
func (s *session) idling(w *imapserver.UpdateWriter, watch *view.Watch, stop <-chan struct{}) error {
	slow := time.NewTicker(s.srv.times.Poll)
	defer slow.Stop()
	for {
		s.mu.Lock()
		err := s.tell(w, true)
		s.mu.Unlock()
		if err != nil {
			return err
		}
		select {
		case <-watch.C():
		case <-slow.C:
		case <-stop:
			return nil
		case <-s.conn.Context().Done():
			return nil
		}
	}
}

// tell reads what changed and writes it. The caller holds mu.
func (s *session) tell(w *imapserver.UpdateWriter, mayExpunge bool) error {
	n, err := s.selected.CatchUp(s.conn.Context(), mayExpunge)
	switch {
	case fault.Is(err, fault.NotFound) && s.deleted == s.selected.Folder.ID:
		// The client deleted what it has selected: it is left with an empty folder.
		n = s.selected.Folder.Absorb(s.selected.Folder.Vanished(), mayExpunge)
	case fault.Is(err, fault.NotFound):
		// Somebody else did: no sequence number means anything now.
		s.conn.HangUp("The selected mailbox was deleted")
		return nil
	case err != nil:
		_ = s.fail(err) // noted; the next look will find what this one missed
		return nil
	}
	for _, seq := range n.Expunged {
		if err := w.WriteExpunge(seq); err != nil {
			return err
		}
	}
	if n.Grown > 0 {
		if err := w.WriteNumMessages(uint32(len(s.selected.Folder.Rows))); err != nil {
			return err
		}
		if err := w.WriteNumRecent(0); err != nil {
			return err
		}
	}
	return s.tellFlags(w, n)
}

// tellFlags writes changed flags, after their names where those are new.
func (s *session) tellFlags(w *imapserver.UpdateWriter, n view.News) error {
	rows := s.selected.Folder.Rows
	bits := mailbox.Flags(0)
	for _, r := range rows[len(rows)-n.Grown:] {
		bits |= r.Flags
	}
	for _, i := range n.Changed {
		bits |= rows[i].Flags
	}
	if bits&^s.labels.keywords.All() != 0 {
		if err := s.loadLabels(); err != nil {
			_ = s.fail(err) // noted; the names come with the next change
			return nil
		}
		if err := w.WriteMailboxFlags(s.labels.list(s.labels.keywords.All())); err != nil {
			return err
		}
	}
	for _, i := range n.Changed {
		if err := w.WriteMessageFlags(uint32(i+1), imap.UID(rows[i].UID), s.labels.list(rows[i].Flags)); err != nil {
			return err
		}
	}
	return nil
}
