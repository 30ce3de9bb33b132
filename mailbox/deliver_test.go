package mailbox_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestALetterIsReadAsItWasDelivered(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		d, body := letterFor(h.ID, 4242)
		d.Flags = mailbox.FlagFlagged
		d.Internal = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
		var placed mailbox.Placed
		w.write(func(tx *store.Tx) (err error) {
			if placed, err = mailbox.Deliver(tx, d); err != nil {
				return err
			}
			return mailbox.AddBody(tx, body)
		})
		var got []mailbox.Message
		w.read(func(tx *store.Tx) error {
			return mailbox.Messages(tx, h.Inbox, mailbox.All(), func(m mailbox.Message) error {
				got = append(got, m)
				return nil
			})
		})
		want := []mailbox.Message{{
			Facts: mailbox.Facts{
				Row: mailbox.Row{UID: 1, Flags: mailbox.FlagFlagged, ModSeq: 2},
				ID:  d.ID, Size: 4242, Internal: d.Internal, Outcome: "delivered",
			},
			Body: d.Body, KeyForm: mailbox.ToLetters, Key: d.Key, Record: d.Record,
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if want := (mailbox.Placed{Folder: h.Inbox, UID: 1, ModSeq: 2}); placed != want {
			t.Errorf("placed %+v, want %+v", placed, want)
		}
		w.countersHold(h)
	})
}

func TestABoxRefusesWithItsReason(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for _, c := range []struct {
			change func(*mailbox.NewBox)
			kind   fault.Kind
			reason string
		}{
			{func(b *mailbox.NewBox) { b.State = mailbox.Closed }, fault.Denied, "box-closed"},
			{func(b *mailbox.NewBox) { b.State = mailbox.Suspended }, fault.Denied, "box-suspended"},
			{func(b *mailbox.NewBox) { b.State = mailbox.Opposed }, fault.Denied, "box-opposed"},
			{func(b *mailbox.NewBox) { b.State = mailbox.Announced }, fault.Transient, "box-announced"},
			{func(b *mailbox.NewBox) { b.Quota = 99 }, fault.OverQuota, "box-full"},
			{func(b *mailbox.NewBox) { b.State, b.Quota = mailbox.Warned, 100 }, 0, ""},
			{func(b *mailbox.NewBox) { b.State, b.MaxLetters = mailbox.Automatic, 1 }, 0, ""},
		} {
			h := w.box(identity.NewID()+"@patient.example", mailbox.Patient, c.change)
			d, body := letterFor(h.ID, 100)
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				if _, err := mailbox.Deliver(tx, d); err != nil {
					return err
				}
				return mailbox.AddBody(tx, body)
			})
			if c.reason == "" && err != nil || c.reason != "" && (fault.Reason(err) != c.reason || !fault.Is(err, c.kind)) {
				t.Errorf("state %s: got %v, want %q", h.State, err, c.reason)
			}
			if got, want := fault.Reason(h.Takes(100)), fault.Reason(err); c.reason != "" && got != want {
				t.Errorf("Takes says %q, Deliver %q", got, want)
			}
			w.countersHold(h)
		}
	})
}

func TestTheLetterAfterTheLastIsRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.box("anne@hospital.example", mailbox.PER, func(b *mailbox.NewBox) { b.MaxLetters = 1 })
		w.deliver(h.ID, "", 0)
		d, _ := letterFor(h.ID, 1)
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := mailbox.Deliver(tx, d)
			return err
		})
		if !fault.Is(err, fault.OverQuota) || fault.Reason(err) != "letters-limit" {
			t.Errorf("got %v", err)
		}
	})
}

// A transaction with several recipients goes on after one that refuses.
func TestARefusalLeavesTheTransactionUsable(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		closed := w.box("closed@hospital.example", mailbox.PER, func(b *mailbox.NewBox) { b.State = mailbox.Closed })
		d, body := letterFor(h.ID, 100)
		var reasons []string
		w.write(func(tx *store.Tx) error {
			reasons = nil
			for _, to := range []struct {
				box    mailbox.BoxID
				folder mailbox.FolderID
			}{{"nobody", ""}, {closed.ID, ""}, {h.ID, h.Inbox + "999"}, {h.ID, closed.Inbox}, {h.ID, "nonsense"}, {h.ID, ""}} {
				d.Box, d.Folder = to.box, to.folder
				_, err := mailbox.Deliver(tx, d)
				reasons = append(reasons, fault.Reason(err))
			}
			return mailbox.AddBody(tx, body)
		})
		want := []string{"box-unknown", "box-closed", "folder-unknown", "folder-unknown", "folder-unknown", "internal"}
		if diff := cmp.Diff(want, reasons); diff != "" {
			t.Errorf("reasons (-want +got)\n%s", diff)
		}
		if v := w.view(h.Inbox); len(v.Rows) != 1 {
			t.Errorf("%d letters", len(v.Rows))
		}
		w.countersHold(h)
		w.countersHold(closed)
	})
}

func TestARepeatedLetterIsTheSameRow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		replay := make([]byte, 32)
		send := func() (p mailbox.Placed) {
			d, body := letterFor(h.ID, 100)
			d.Replay = replay
			w.write(func(tx *store.Tx) (err error) {
				if p, err = mailbox.Deliver(tx, d); err != nil {
					return err
				}
				if p.Replayed {
					body.Refs = 0
				}
				return mailbox.AddBody(tx, body)
			})
			return p
		}
		first := send()
		// A move does not make it another letter.
		archive := w.folder(h, "Archive").ID
		w.write(func(tx *store.Tx) error {
			_, err := mailbox.Move(tx, h.Inbox, archive, mailbox.All())
			return err
		})
		before := w.view(h.Inbox)
		second := send()
		if want := (mailbox.Placed{Folder: archive, UID: 1, ModSeq: 2, Replayed: true}); second != want {
			t.Errorf("repeated: %+v, want %+v", second, want)
		}
		if diff := cmp.Diff(before, w.view(h.Inbox)); diff != "" {
			t.Errorf("the repetition left a trace\n%s", diff)
		}
		w.countersHold(h)

		w.write(func(tx *store.Tx) error { return mailbox.Answered(tx, h.ID, [][]byte{replay, make([]byte, 31), {}}) })
		if third := send(); third.Replayed || third.UID != first.UID+1 {
			t.Errorf("after the window: %+v", third)
		}
		var forgotten int64
		w.write(func(tx *store.Tx) (err error) {
			forgotten, err = mailbox.ForgetReplays(tx, time.Now().Add(time.Hour), 10)
			return err
		})
		if fourth := send(); forgotten != 1 || fourth.Replayed {
			t.Errorf("after 5 days: %d forgotten, %+v", forgotten, fourth)
		}
		w.countersHold(h)
	})
}

// The budget of DESIGN 2: at most four statements per recipient.
func TestADeliveryIsFourStatements(t *testing.T) {
	t.Parallel()
	counter := countStatements(t, storetest.PostgresDSN(t))
	db := storetest.Open(t, counter.dsn, store.Options{})
	w := newWorld(t, db)
	for _, c := range []struct {
		kind mailbox.Kind
		want int64
	}{{mailbox.PER, 3}, {mailbox.Patient, 4}} {
		h := w.box("box@"+string(c.kind)+".example", c.kind, nil)
		d, _ := letterFor(h.ID, 100)
		d.Replay = []byte(c.kind)
		if c.kind == mailbox.Patient {
			from, err := identity.ParseAddress("dr@hospital.example")
			if err != nil {
				t.Fatal(err)
			}
			if d.Correspondent, err = mailbox.NewCorrespondent(w.works, h.ID, from, "Dr", true); err != nil {
				t.Fatal(err)
			}
		}
		var got int64
		w.write(func(tx *store.Tx) error {
			before := counter.n.Load()
			_, err := mailbox.Deliver(tx, d)
			got = counter.n.Load() - before
			return err
		})
		if got != c.want {
			t.Errorf("%s: %d statements, want %d", c.kind, got, c.want)
		}
	}
}

// countersHold compares what box and folders count with their rows.
func (w *world) countersHold(h holder) {
	w.t.Helper()
	w.read(func(tx *store.Tx) error {
		b, err := mailbox.ByID(tx, w.works, h.ID)
		if err != nil {
			return err
		}
		folders, err := mailbox.Folders(tx, h.ring, h.ID)
		if err != nil {
			return err
		}
		var letters, bytes int64
		for _, f := range folders {
			var n, unseen, deleted, size int64
			var last mailbox.UID
			var high mailbox.ModSeq
			err := mailbox.ReadFacts(tx, f.ID, mailbox.All(), func(m mailbox.Facts) error {
				n, size, last, high = n+1, size+m.Size, m.UID, max(high, m.ModSeq)
				if !m.Flags.Has(mailbox.FlagSeen) {
					unseen++
				}
				if m.Flags.Has(mailbox.FlagDeleted) {
					deleted++
				}
				return nil
			})
			if err != nil {
				return err
			}
			if n != f.Messages || unseen != f.Unseen || deleted != f.Deleted || size != f.Bytes || last >= f.UIDNext || high > f.ModSeq {
				w.t.Errorf("%s counts %+v; rows: %d, %d unseen, %d deleted, %d bytes, last %d, high %d",
					f.Name, f, n, unseen, deleted, size, last, high)
			}
			letters, bytes = letters+n, bytes+size
		}
		if b.Letters != letters || b.Bytes != bytes {
			w.t.Errorf("box counts %d letters, %d bytes; rows: %d, %d", b.Letters, b.Bytes, letters, bytes)
		}
		return nil
	})
}
