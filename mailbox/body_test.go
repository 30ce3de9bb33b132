package mailbox_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// A body lives as long as one letter in any box, or one job, needs it.
func TestABodyGoesWithItsLastReference(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		boxes := w.boxes(2)
		body := mailbox.Body{ID: "body", Plain: 900, Sealed: 1000, Blob: "blobkey", Refs: 2}
		w.write(func(tx *store.Tx) error {
			for _, h := range boxes {
				d, _ := letterFor(h.ID, 1000)
				d.Body = body.ID
				if _, err := mailbox.Deliver(tx, d); err != nil {
					return err
				}
			}
			return mailbox.AddBody(tx, body)
		})
		refs := func(want int64) {
			t.Helper()
			w.read(func(tx *store.Tx) error {
				got, err := mailbox.OpenBody(tx, body.ID)
				body.Refs = want
				if diff := cmp.Diff(body, got); diff != "" {
					t.Errorf("body (-want +got)\n%s", diff)
				}
				return err
			})
		}
		refs(2)
		a, b := boxes[0], boxes[1]
		archive := w.folder(a, "Archive").ID
		w.write(func(tx *store.Tx) error {
			_, err := mailbox.Copy(tx, a.Inbox, archive, mailbox.All())
			return err
		})
		w.write(func(tx *store.Tx) error {
			_, err := mailbox.Copy(tx, archive, archive, mailbox.All())
			return err
		})
		refs(4)
		w.write(func(tx *store.Tx) error { return mailbox.ReferBody(tx, body.ID, 1) })
		w.write(func(tx *store.Tx) error {
			_, err := mailbox.Erase(tx, archive, mailbox.All())
			return err
		})
		refs(3)
		for _, id := range []mailbox.FolderID{a.Inbox, b.Inbox} {
			w.write(func(tx *store.Tx) error {
				_, err := mailbox.Erase(tx, id, mailbox.All())
				return err
			})
		}
		refs(1)
		w.write(func(tx *store.Tx) error { return mailbox.DropBody(tx, body.ID, 1) })
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			_, err := mailbox.OpenBody(tx, body.ID)
			return err
		})
		if !fault.Is(err, fault.NotFound) || fault.Reason(err) != "body-gone" {
			t.Errorf("after the last reference: %v", err)
		}
		w.countersHold(a)
		w.countersHold(b)
	})
}

func TestGarbageIsNamedUntilItIsCollected(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.write(func(tx *store.Tx) error {
			if err := mailbox.AddBody(tx, mailbox.Body{ID: "kept", Blob: "kept", Refs: 1}); err != nil {
				return err
			}
			if err := mailbox.AddBody(tx, mailbox.Body{ID: "inline", Inline: []byte("x"), Refs: 1}); err != nil {
				return err
			}
			if err := mailbox.DropBody(tx, "inline", 1); err != nil { // has no blob
				return err
			}
			return mailbox.AddBody(tx, mailbox.Body{ID: "refused", Blob: "refused"})
		})
		garbage := func(before time.Time) (keys []blob.Key) {
			w.read(func(tx *store.Tx) (err error) {
				keys, err = mailbox.Garbage(tx, before, 10)
				return err
			})
			return keys
		}
		if got := garbage(time.Now().Add(-time.Hour)); len(got) != 0 {
			t.Errorf("too young: %v", got)
		}
		if diff := cmp.Diff([]blob.Key{"refused"}, garbage(time.Now().Add(time.Hour))); diff != "" {
			t.Errorf("garbage (-want +got)\n%s", diff)
		}
		w.read(func(tx *store.Tx) error {
			got, err := mailbox.Unknown(tx, []blob.Key{"kept", "refused", "lost", "forgotten"})
			if diff := cmp.Diff([]blob.Key{"lost", "forgotten"}, got); diff != "" {
				t.Errorf("unknown (-want +got)\n%s", diff)
			}
			return err
		})
		w.write(func(tx *store.Tx) error { return mailbox.Collected(tx, []blob.Key{"refused"}) })
		if got := garbage(time.Now().Add(time.Hour)); len(got) != 0 {
			t.Errorf("collected, but still there: %v", got)
		}
	})
}
