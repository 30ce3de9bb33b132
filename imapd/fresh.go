package imapd

import (
	"context"
	"log/slog"
	"time"

	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// forget closes the letter that was kept open between two steps.
func (s *session) forget() {
	if s.last != nil {
		s.last.Done()
		s.last = nil
	}
}

// keepFresh writes keys that were re-wrapped, all of one command in one
// transaction, and has the senders told whose letters were read. The client does not
// wait for it. Nothing is lost if the first fails: the next opening does it again.
func (s *session) keepFresh() {
	fresh, read := s.opener.Fresh(), s.read
	s.read = nil
	if len(fresh)+len(read) == 0 {
		return
	}
	folder := s.selected.Folder.ID
	s.rewraps.Wait() // one at a time
	s.rewraps.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.conn.Context()), 5*time.Second)
		defer cancel()
		s.opener.Marked(ctx, folder, read)
		if len(fresh) == 0 {
			return
		}
		err := s.srv.DB.Write(ctx, func(tx *store.Tx) error { return mailbox.Rewrap(tx, folder, fresh) })
		if err != nil {
			s.conn.Log().LogAttrs(ctx, slog.LevelWarn, "imap.rewrap", slog.Any("error", err))
		}
	})
}
