package mailbox_test

import (
	"testing"

	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// engines runs a benchmark on each.
func engines(b *testing.B, bench func(b *testing.B, w *world)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, newWorld(b, storetest.SQLite(b))) })
	b.Run("postgres", func(b *testing.B) { bench(b, newWorld(b, storetest.Postgres(b))) })
}

// BenchmarkDeliver is the statements alone: 64 letters a transaction.
func BenchmarkDeliver(b *testing.B) {
	engines(b, func(b *testing.B, w *world) {
		h := w.box("box@hospital.example", mailbox.PER, func(n *mailbox.NewBox) { n.MaxLetters = 1 << 40; n.Quota = 1 << 50 })
		for n := 0; n < b.N; n += 64 {
			w.write(func(tx *store.Tx) error {
				for range 64 {
					d, body := letterFor(h.ID, 100)
					d.Record = make([]byte, 1500)
					if _, err := mailbox.Deliver(tx, d); err != nil {
						return err
					}
					if err := mailbox.AddBody(tx, body); err != nil {
						return err
					}
				}
				return nil
			})
		}
	})
}

// BenchmarkFolder is what a session asks of a folder of 10,000 letters.
func BenchmarkFolder(b *testing.B) {
	engines(b, func(b *testing.B, w *world) {
		h := w.box("box@hospital.example", mailbox.PER, nil)
		for range 100 {
			w.write(func(tx *store.Tx) error {
				for range 100 {
					d, _ := letterFor(h.ID, 100)
					d.Record = make([]byte, 1500)
					if _, err := mailbox.Deliver(tx, d); err != nil {
						return err
					}
				}
				return nil
			})
		}
		v := w.view(h.Inbox)
		b.Run("view", func(b *testing.B) {
			for b.Loop() {
				w.view(h.Inbox)
			}
		})
		b.Run("changes", func(b *testing.B) {
			for b.Loop() {
				w.read(func(tx *store.Tx) error {
					_, err := mailbox.ChangesSince(tx, h.Inbox, v.ModSeq-1)
					return err
				})
			}
		})
		b.Run("facts", func(b *testing.B) {
			for b.Loop() {
				w.read(func(tx *store.Tx) error {
					return mailbox.ReadFacts(tx, h.Inbox, mailbox.All(), func(mailbox.Facts) error { return nil })
				})
			}
		})
		b.Run("flags", func(b *testing.B) {
			op := mailbox.Remove
			for b.Loop() {
				op = mailbox.Add + mailbox.Remove - op
				w.write(func(tx *store.Tx) error {
					_, _, err := mailbox.SetFlags(tx, h.Inbox, mailbox.All(), op, mailbox.FlagSeen, 0)
					return err
				})
			}
		})
	})
}
