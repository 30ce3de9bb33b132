package mailbox_test

import (
	"slices"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestAPageHoldsTheNewestFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(2)
		for range 5 {
			w.deliver(h[0].ID, "", 0)
		}
		w.deliver(h[1].ID, "", 0)
		for _, c := range []struct {
			before mailbox.UID
			limit  int
			want   []mailbox.UID
		}{
			{0, 3, []mailbox.UID{5, 4, 3}}, {3, 3, []mailbox.UID{2, 1}}, {1, 3, nil}, {0, 9, []mailbox.UID{5, 4, 3, 2, 1}},
		} {
			var got []mailbox.UID
			w.read(func(tx *store.Tx) error {
				got = nil
				return mailbox.Page(tx, h[0].Inbox, c.before, c.limit, func(m mailbox.Message) error {
					if len(m.Record) == 0 || len(m.Key) == 0 || m.Body == "" {
						t.Errorf("letter %d cannot be opened", m.UID)
					}
					got = append(got, m.UID)
					return nil
				})
			})
			if !slices.Equal(got, c.want) {
				t.Errorf("before %d: %v, want %v", c.before, got, c.want)
			}
		}
	})
}

func TestALetterIsFoundByItsIDInItsOwnBoxOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(2)
		d, body := letterFor(h[0].ID, 100)
		w.write(func(tx *store.Tx) error {
			if _, err := mailbox.Deliver(tx, d); err != nil {
				return err
			}
			return mailbox.AddBody(tx, body)
		})
		trash := w.folder(h[0], "Trash")
		locate := func(box mailbox.BoxID) (at mailbox.Place, err error) {
			w.read(func(tx *store.Tx) error {
				at, err = mailbox.Locate(tx, box, d.ID)
				return nil
			})
			return at, err
		}
		if at, err := locate(h[0].ID); err != nil || at.Folder != h[0].Inbox || at.UID != 1 {
			t.Errorf("%+v, %v", at, err)
		}
		if at, err := locate(h[1].ID); fault.Reason(err) != "letter-unknown" {
			t.Errorf("in another box: %+v, %v", at, err)
		}
		w.write(func(tx *store.Tx) error {
			_, err := mailbox.Move(tx, h[0].Inbox, trash.ID, mailbox.All())
			return err
		})
		if at, err := locate(h[0].ID); err != nil || at.Folder != trash.ID {
			t.Errorf("after a move: %+v, %v", at, err)
		}
	})
}
