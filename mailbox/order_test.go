package mailbox_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// 64 appenders and a reader: UIDs become visible in order, without a gap, so that
// a session that has seen UID n never meets a smaller one later.
func TestUIDsAppearInOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const appenders, each = 64, 4
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		var running atomic.Bool
		running.Store(true)
		var reader, writers sync.WaitGroup
		reader.Go(func() { watchOrder(t, db, h.Inbox, &running) })
		for range appenders {
			writers.Go(func() {
				for range each {
					if err := append1(t.Context(), db, h.ID); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		writers.Wait()
		running.Store(false)
		reader.Wait()
		v := w.view(h.Inbox)
		if len(v.Rows) != appenders*each || v.UIDNext != appenders*each+1 {
			t.Errorf("%d letters, next UID %d", len(v.Rows), v.UIDNext)
		}
		w.countersHold(h)
	})
}

// append1 delivers one letter.
func append1(ctx context.Context, db *store.DB, box mailbox.BoxID) error {
	d, body := letterFor(box, 100)
	return db.Write(ctx, func(tx *store.Tx) error {
		if _, err := mailbox.Deliver(tx, d); err != nil {
			return err
		}
		return mailbox.AddBody(tx, body)
	})
}

// watchOrder reads changes as a session does and fails on a UID that comes late.
func watchOrder(t *testing.T, db *store.DB, inbox mailbox.FolderID, running *atomic.Bool) {
	var seen mailbox.View
	for again := true; again; {
		again = running.Load() // one more look after the last writer
		var c mailbox.Changes
		err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
			c, err = mailbox.ChangesSince(tx, inbox, seen.ModSeq)
			return err
		})
		if err != nil {
			t.Error(err)
			return
		}
		for _, r := range c.Rows {
			if n := len(seen.Rows); r.UID != mailbox.UID(n+1) || n > 0 && r.ModSeq <= seen.Rows[n-1].ModSeq {
				t.Errorf("after %d letters came UID %d with MODSEQ %d", n, r.UID, r.ModSeq)
				return
			}
			seen.Rows = append(seen.Rows, r)
		}
		if int(c.UIDNext) != len(seen.Rows)+1 {
			t.Errorf("next UID %d after %d letters", c.UIDNext, len(seen.Rows))
			return
		}
		seen.ModSeq = c.ModSeq
	}
}

// Everything that locks box and folders at once, in both directions: no act may
// fail for good, and the counters hold.
func TestActsOnOneBoxDoNotBlockEachOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		archive := w.folder(h, "Archive").ID
		acts := []func(tx *store.Tx) error{
			func(tx *store.Tx) error {
				_, err := mailbox.Copy(tx, h.Inbox, archive, mailbox.SetOf(1, 2))
				return err
			},
			func(tx *store.Tx) error { _, err := mailbox.Copy(tx, archive, h.Inbox, mailbox.SetOf(1)); return err },
			func(tx *store.Tx) error {
				_, err := mailbox.Move(tx, h.Inbox, archive, mailbox.SetOf(3, 4, 5))
				return err
			},
			func(tx *store.Tx) error { _, err := mailbox.Move(tx, archive, h.Inbox, mailbox.SetOf(2)); return err },
			func(tx *store.Tx) error { _, err := mailbox.Expunge(tx, archive, mailbox.All()); return err },
			func(tx *store.Tx) error {
				_, _, err := mailbox.SetFlags(tx, archive, mailbox.All(), mailbox.Add, mailbox.FlagDeleted, 0)
				return err
			},
			func(tx *store.Tx) error { _, err := mailbox.PruneTombstones(tx, archive, 2); return err },
			func(tx *store.Tx) error {
				_, err := mailbox.CreateFolder(tx, h.ring, h.ID, "A/B", "")
				_ = err
				return nil
			},
		}
		var all sync.WaitGroup
		for _, act := range acts {
			all.Go(func() {
				for range 8 {
					if err := append1(t.Context(), db, h.ID); err != nil {
						t.Error(err)
					}
					if err := db.Write(t.Context(), act); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		w.countersHold(h)
		if n := db.Stats().Retries; db.Engine() == "postgres" && n > 0 {
			t.Errorf("%d transactions had to be repeated: locks were taken out of order", n)
		}
	})
}

// Letters with many recipients, their boxes sorted: no transaction waits for
// another that waits for it.
func TestLettersToManyBoxesDoNotBlockEachOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const letters = 24
		w := newWorld(t, db)
		boxes := w.boxes(5)
		slices.SortFunc(boxes, func(a, b holder) int { return strings.Compare(string(a.ID), string(b.ID)) })
		var all sync.WaitGroup
		for range letters {
			all.Go(func() {
				d, body := letterFor("", 100)
				body.Refs = int64(len(boxes))
				err := db.Write(t.Context(), func(tx *store.Tx) error {
					for _, h := range boxes {
						d.Box = h.ID
						if _, err := mailbox.Deliver(tx, d); err != nil {
							return err
						}
					}
					return mailbox.AddBody(tx, body)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, h := range boxes {
			if n := len(w.view(h.Inbox).Rows); n != letters {
				t.Errorf("%d letters, want %d", n, letters)
			}
			// Bodies are shared: erasing them in all boxes at once is the other order.
			all.Go(func() {
				err := db.Write(t.Context(), func(tx *store.Tx) error {
					_, err := mailbox.Erase(tx, h.Inbox, mailbox.All())
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := occurrences(t, db, "body", "sealed body"); n != 0 {
			t.Errorf("%d bodies left", n)
		}
		if n := db.Stats().Retries; db.Engine() == "postgres" && n > 0 {
			t.Errorf("%d transactions had to be repeated: locks were taken out of order", n)
		}
	})
}
