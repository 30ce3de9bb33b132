package delivery_test

import (
	"context"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// closeWindows lets the office write what it heard.
func closeWindows(op *deliverytest.Operator) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	op.Office.Run(ctx)
}

func TestTheSameLetterAfterABrokenConnectionIsOneRow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{Delivery: delivery.Options{Inline: 64}})
		h, other := op.Open(mailbox.PER, anne), op.Open(mailbox.PER, paul)
		text := deliverytest.Text(bob, "x")
		send := func(what, text string, to ...string) delivery.Visit {
			v := op.Peer(deliverytest.City)
			if err := deliverytest.Send(v, bob, to, text); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			return v
		}
		want := func(what string, letters, others int) {
			t.Helper()
			if n, m := len(op.Inbox(h)), len(op.Inbox(other)); n != letters || m != others {
				t.Errorf("%s: %d and %d letters, want %d and %d", what, n, m, letters, others)
			}
			if files, rows := len(op.Files()), op.Count("body"); files != rows {
				t.Errorf("%s: %d files for %d bodies", what, files, rows)
			}
		}
		send("first", text, anne).Close()
		closeWindows(op)
		want("once", 1, 0)
		send("again, the connection had ended", text, anne).Close()
		want("again", 1, 0)
		send("to one more", text, anne, paul).Close()
		want("for one of two it is the same", 1, 1)
		send("another body", text+"x\r\n", anne).Close()
		want("another body", 2, 1)

		// A repetition has a 250 of its own: once that is heard, the letter is over.
		v := send("again, and heard", text, anne)
		v.Heard()
		v.Close()
		closeWindows(op)
		send("a new letter with the same text", text, anne).Close()
		want("after the window", 3, 1)
	})
}

func TestWhatTheClientLeftOutDoesNotMakeARepetitionNew(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	a, z := op.Open(mailbox.PER, anne), op.Open(mailbox.PER, zoe)
	for range 2 {
		v := op.Submit(a)
		if err := deliverytest.Send(v, anne, []string{zoe}, "From: "+anne+"\r\n\r\nsans Message-ID\r\n"); err != nil {
			t.Fatal(err)
		}
		v.Close()
	}
	if n := len(op.Inbox(z)); n != 1 {
		t.Errorf("%d letters", n)
	}
	if n := op.Count("outcome_letter"); n != 1 {
		t.Errorf("%d outcomes", n)
	}
}

// Whoever was served before the connection broke is not told of a failure now; who
// was not is.
func TestARepetitionStillReportsWhoCannotBeServed(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{Delivery: delivery.Options{Inline: 64}})
	h, p := op.Open(mailbox.PER, anne), op.Open(mailbox.PER, paul)
	text := deliverytest.Text(bob, "x")
	if err := deliverytest.Send(op.Peer(deliverytest.City), bob, []string{anne}, text); err != nil {
		t.Fatal(err)
	}
	v := op.Peer(deliverytest.City)
	if err := deliverytest.Envelope(v, bob, anne, paul); err != nil {
		t.Fatal(err)
	}
	op.State(p, mailbox.Closed)
	if err := v.Data(t.Context(), strings.NewReader(text)); err != nil {
		t.Errorf("the sender's letter is in a box: %v", err)
	}
	if n := len(op.Inbox(h)); n != 1 {
		t.Errorf("%d letters", n)
	}
	parcels, _ := jobs(t, op)
	if len(parcels) != 1 || !parcels[0].Sender().IsZero() {
		t.Errorf("%d reports", len(parcels))
	}
	if files, rows := len(op.Files()), op.Count("body"); files != rows || rows != 2 {
		t.Errorf("%d files for %d bodies, want the letter's and the report's", files, rows)
	}
}

func TestAPipelinedVisitClosesTheWindowsOfAllItsLetters(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	h := op.Open(mailbox.PER, anne)
	first, second := deliverytest.Text(bob, "1"), deliverytest.Text(bob, "2")
	v := op.Peer(deliverytest.City)
	for _, text := range []string{first, second} { // the peer was not silent in between
		if err := deliverytest.Send(v, bob, []string{anne}, text); err != nil {
			t.Fatal(err)
		}
	}
	v.Heard()
	closeWindows(op)
	for _, text := range []string{first, second} {
		if err := deliverytest.Send(op.Peer(deliverytest.City), bob, []string{anne}, text); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(op.Inbox(h)); n != 4 {
		t.Errorf("%d letters, want 4", n)
	}
}
