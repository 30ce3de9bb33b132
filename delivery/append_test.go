package delivery_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestAnAppendedLetterIsKeptAsItIs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{Delivery: delivery.Options{Inline: 64, MaxSize: 10_000}})
		a := op.Open(mailbox.PER, anne)
		ring := op.Ring(a)
		defer ring.Zero()
		var drafts mailbox.Folder
		op.Read(func(tx *store.Tx) (err error) {
			drafts, err = mailbox.FolderByName(tx, ring, a.ID, "Drafts")
			return err
		})
		at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
		add := func(r io.Reader) (mailbox.Placed, error) {
			return op.Office.Append(t.Context(), delivery.Append{
				Box: a.ID, Folder: drafts.ID, Flags: mailbox.FlagDraft | mailbox.FlagSeen, Internal: at, Keys: ring,
			}, r)
		}
		text := "Bcc: " + paul + "\r\nSubject: brouillon\r\n\r\nsans auteur ni date\r\n"
		placed, err := add(strings.NewReader(text))
		if err != nil || placed.UID != 1 || placed.Folder != drafts.ID {
			t.Fatalf("placed %+v, %v", placed, err)
		}
		got := op.Folder(a, drafts.ID)
		if len(got) != 1 || got[0].String() != text || !got[0].Internal.Equal(at) || !got[0].Flags.Has(mailbox.FlagDraft) ||
			got[0].KeyForm != mailbox.UnderSpace {
			t.Errorf("got %+v", got)
		}
		if again, err := add(strings.NewReader(text)); err != nil || again.UID != 2 {
			t.Errorf("the same again: %+v, %v", again, err)
		}

		files := len(op.Files())
		_, err = add(strings.NewReader(strings.Repeat("x", 10_001)))
		wantReason(t, "too large", err, "letter-too-large")
		gone := errors.New("connection reset")
		if _, err = add(&broken{text, gone}); !errors.Is(err, gone) {
			t.Errorf("broken off: %v", err)
		}
		op.Quota(a, 10)
		_, err = add(strings.NewReader(text))
		wantReason(t, "no room", err, "box-full")
		if n := op.Count("body"); n != 2 || len(op.Files()) != files {
			t.Errorf("%d bodies, %d files after refusals, %d before", n, len(op.Files()), files)
		}
	})
}
