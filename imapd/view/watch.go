package view

import (
	"context"
	"time"

	"github.com/vaguemestre/vaguemestre/bus"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// Watch keeps a view up to date: it reads the folder's changes when it is poked,
// or when it has not looked for a while. The database is the truth; a poke that
// gets lost costs latency only.
type Watch struct {
	db     *store.DB
	Folder *Folder
	poll   time.Duration
	sub    bus.Subscription
	seen   time.Time // of the last look
}

// Look opens a folder: it listens before it reads, so that nothing falls between.
func Look(ctx context.Context, db *store.DB, b bus.Bus, folder mailbox.FolderID, readOnly bool, poll time.Duration) (*Watch, mailbox.View, error) {
	w := &Watch{db: db, poll: poll, sub: b.Subscribe(folder.Topic()), seen: time.Now()}
	var v mailbox.View
	err := db.Read(ctx, func(tx *store.Tx) (err error) {
		v, err = mailbox.ReadView(tx, folder)
		return err
	})
	if err != nil {
		w.sub.Close()
		return nil, v, err
	}
	w.Folder = NewFolder(folder, v, readOnly)
	return w, v, nil
}

// Due reports whether there may be something new.
func (w *Watch) Due() bool {
	select {
	case <-w.sub.C():
		return true
	default:
		return time.Since(w.seen) >= w.poll
	}
}

// CatchUp reads what changed and brings the view up to it. It fails with
// fault.NotFound "folder-unknown" when the folder is gone.
func (w *Watch) CatchUp(ctx context.Context, mayExpunge bool) (News, error) {
	w.seen = time.Now()
	var c mailbox.Changes
	err := w.db.Read(ctx, func(tx *store.Tx) (err error) {
		c, err = mailbox.ChangesSince(tx, w.Folder.ID, w.Folder.modseq)
		if fault.Is(err, fault.Conflict) { // view-too-old: the tombstones are pruned
			var v mailbox.View
			if v, err = mailbox.ReadView(tx, w.Folder.ID); err == nil {
				c = w.Folder.differences(v)
			}
		}
		return err
	})
	if err != nil {
		return News{}, err
	}
	return w.Folder.Absorb(c, mayExpunge), nil
}

// C is poked when there may be something new.
func (w *Watch) C() <-chan struct{} { return w.sub.C() }

// Close stops listening.
func (w *Watch) Close() { w.sub.Close() }
