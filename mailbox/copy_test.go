package mailbox_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// messages reads a folder's rows.
func (w *world) messages(id mailbox.FolderID) (out []mailbox.Message) {
	w.t.Helper()
	w.read(func(tx *store.Tx) error {
		return mailbox.Messages(tx, id, mailbox.All(), func(m mailbox.Message) error {
			out = append(out, m)
			return nil
		})
	})
	return out
}

// A copy and a moved letter open with what the original opened with.
func TestACopyIsTheSameLetter(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		archive, trash := w.folder(h, "Archive").ID, w.folder(h, "Trash").ID
		w.deliver(h.ID, "", mailbox.FlagFlagged|1<<30)
		original := w.messages(h.Inbox)[0]
		w.write(func(tx *store.Tx) error {
			if _, err := mailbox.Copy(tx, h.Inbox, archive, mailbox.All()); err != nil {
				return err
			}
			_, err := mailbox.Move(tx, h.Inbox, trash, mailbox.All())
			return err
		})
		for _, id := range []mailbox.FolderID{archive, trash} {
			if diff := cmp.Diff([]mailbox.Message{original}, w.messages(id)); diff != "" {
				t.Errorf("(-original +copy)\n%s", diff)
			}
		}
	})
}

func TestACopyNeedsRoom(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.box("small@hospital.example", mailbox.PER, func(b *mailbox.NewBox) { b.Quota = 250 })
		w.deliver(h.ID, "", 0)
		w.deliver(h.ID, "", 0)
		archive := w.folder(h, "Archive").ID
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := mailbox.Copy(tx, h.Inbox, archive, mailbox.All())
			return err
		})
		if !fault.Is(err, fault.OverQuota) || fault.Reason(err) != "box-full" {
			t.Errorf("copy: %v", err)
		}
		// A move needs none.
		w.write(func(tx *store.Tx) error {
			_, err := mailbox.Move(tx, h.Inbox, archive, mailbox.All())
			return err
		})
		w.countersHold(h)
	})
}

func TestAKeyIsRewrappedOnceAndOnlyForItsLetter(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		w.deliver(h.ID, "", 0)
		w.deliver(h.ID, "", 0)
		before := w.messages(h.Inbox)
		rewrap := func(keys ...mailbox.Rewrapped) {
			w.write(func(tx *store.Tx) error { return mailbox.Rewrap(tx, h.Inbox, keys) })
		}
		rewrap(mailbox.Rewrapped{UID: 1, ID: before[0].ID, Key: []byte("fast")},
			mailbox.Rewrapped{UID: 2, ID: before[0].ID, Key: []byte("of another letter")})
		rewrap(mailbox.Rewrapped{UID: 1, ID: before[0].ID, Key: []byte("too late")})
		w.write(func(tx *store.Tx) error { return mailbox.SetOutcome(tx, h.Inbox, 2, "read") })
		want := before
		want[1].Outcome = "read"
		want[0].KeyForm, want[0].Key = mailbox.UnderSpace, []byte("fast")
		if diff := cmp.Diff(want, w.messages(h.Inbox)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// Publication is what sessions are woken by.
func TestChangesArePublishedOnceAndOnlyWhenThereAreAny(t *testing.T) {
	t.Parallel()
	topics := make(chan []string, 100)
	storetest.EachWith(t, store.Options{Publish: func(s []string) { topics <- s }}, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		archive := w.folder(h, "Archive").ID
		drain := func() (all []string) {
			// SQLite publishes after it answered, and before the next transaction.
			w.write(func(*store.Tx) error { return nil })
			for {
				select {
				case s := <-topics:
					all = append(all, s...)
				default:
					return all
				}
			}
		}
		drain()
		for _, c := range []struct {
			what string
			act  func(tx *store.Tx) error
			want []string
		}{
			{"deliver", func(tx *store.Tx) error {
				d, _ := letterFor(h.ID, 1)
				_, err := mailbox.Deliver(tx, d)
				return err
			}, []string{"folder:" + string(h.Inbox)}},
			{"flag", func(tx *store.Tx) error {
				_, _, err := mailbox.SetFlags(tx, h.Inbox, mailbox.All(), mailbox.Add, mailbox.FlagSeen, 0)
				return err
			}, []string{"folder:" + string(h.Inbox)}},
			{"same flag", func(tx *store.Tx) error {
				_, _, err := mailbox.SetFlags(tx, h.Inbox, mailbox.All(), mailbox.Add, mailbox.FlagSeen, 0)
				return err
			}, nil},
			{"expunge nothing", func(tx *store.Tx) error {
				_, err := mailbox.Expunge(tx, h.Inbox, mailbox.All())
				return err
			}, nil},
			{"move", func(tx *store.Tx) error {
				_, err := mailbox.Move(tx, h.Inbox, archive, mailbox.All())
				return err
			}, []string{"folder:" + string(h.Inbox), "folder:" + string(archive)}},
			{"subscribe", func(tx *store.Tx) error { return mailbox.Subscribe(tx, archive, false) }, []string{"box:" + string(h.ID)}},
		} {
			w.write(c.act)
			if diff := cmp.Diff(c.want, drain()); diff != "" {
				t.Errorf("%s (-want +got)\n%s", c.what, diff)
			}
		}
	})
}
