package reading_test

import (
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// asking is a letter that asks for a receipt.
func asking(from, to, subject string) string {
	return strings.Replace(deliverytest.Text(from, subject), "Subject:", "Disposition-Notification-To: "+to+"\r\nSubject:", 1)
}

// Spec mssante 7.8: the patient cannot refuse the read receipt; there is one.
func TestAPatientsReceiptIsSentOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.submit(asking(anne, "Anne <"+anne+">", "=?utf-8?Q?R=C3=A9sultats?="), ruth)
		by := w.reader(w.ruth)
		id := w.newest(by).ID
		for range 2 {
			w.open(by, id)
		}
		w.open(w.reader(w.ruth), id)
		receipts := w.Inbox(w.anne)
		if len(receipts) != 1 {
			t.Fatalf("%d receipts", len(receipts))
		}
		for _, want := range []string{
			"report-type=disposition-notification", "Final-Recipient: rfc822;" + ruth, "displayed", "Original-Message-ID: <",
		} {
			if text := strings.ReplaceAll(receipts[0].String(), "rfc822; ", "rfc822;"); !strings.Contains(text, want) {
				t.Errorf("the receipt does not say %q:\n%s", want, text)
			}
		}
		if sent, _ := mailbox.FlagByName("$MDNSent"); !w.newest(by).Flags.Has(sent) {
			t.Error("the letter does not say that a receipt was sent")
		}
		// Nobody answers a receipt.
		anneReads := w.reader(w.anne)
		w.open(anneReads, w.newest(anneReads).ID)
		if n := len(w.Inbox(w.ruth)); n != 1 {
			t.Errorf("%d letters at the patient's", n)
		}
	})
}

func TestReceiptsGoNowhereElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	paulReads, anneReads := w.reader(w.paul), w.reader(w.anne)
	w.submit(asking(anne, bob, "to another"), paul)
	w.open(paulReads, w.newest(paulReads).ID)
	w.arrive(asking(bob, bob, "to a professional"), anne)
	w.open(anneReads, w.newest(anneReads).ID)
	if n := w.Count("queue_job"); n != 0 || len(w.Inbox(w.anne)) != 1 {
		t.Errorf("%d jobs, %d letters", n, len(w.Inbox(w.anne)))
	}
	path := "Return-Path: <" + anne + ">\r\n"
	for header, want := range map[string]string{
		"Disposition-Notification-To: " + anne:                                              anne,
		"Disposition-Notification-To: <" + strings.ToUpper(anne) + ">":                      strings.ToUpper(anne[:4]) + anne[4:],
		"Disposition-Notification-To: " + bob:                                               "",
		"Disposition-Notification-To: " + anne + ", " + bob:                                 "",
		"Disposition-Notification-To: " + anne + "\r\nDisposition-Notification-To: " + anne: "",
		"Disposition-Notification-To: group: " + anne + ";":                                 "",
		"Subject: x": "",
	} {
		if got := reading.ReceiptAddress([]byte(path), []byte(header+"\r\n\r\n")); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
	if got := reading.ReceiptAddress([]byte("Return-Path: <>\r\n"), []byte("Disposition-Notification-To: "+anne+"\r\n\r\n")); got != "" {
		t.Errorf("of a report: %q", got)
	}
}

// A mail client that marks letters \Seen has read them: their senders learn it. A
// client that marks many tidies up.
func TestWhatAMailClientMarksIsRead(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		by := w.reader(w.ruth)
		by.Via = "imap"
		mark := func(n int) {
			var uids []mailbox.UID
			for i := range n {
				w.submit(asking(anne, anne, "x"+strings.Repeat("y", i)), ruth)
				uids = append(uids, w.newest(by).UID)
			}
			w.Write(func(tx *store.Tx) error {
				_, _, err := mailbox.SetFlags(tx, w.ruth.Inbox, mailbox.SetOf(uids...), mailbox.Add, mailbox.FlagSeen, 0)
				return err
			})
			w.room.Opener(by).Marked(t.Context(), w.ruth.Inbox, uids)
		}
		mark(1)
		if got := w.Story(w.anne).Chapters[0].State.What; got != outcome.Read || len(w.Inbox(w.anne)) != 1 {
			t.Errorf("one: %s, %d receipts", got, len(w.Inbox(w.anne)))
		}
		mark(17)
		if got := w.Story(w.anne).Chapters[0].State.What; got != outcome.Delivered || len(w.Inbox(w.anne)) != 1 {
			t.Errorf("seventeen: %s, %d receipts", got, len(w.Inbox(w.anne)))
		}
	})
}

func FuzzDispatchID(f *testing.F) {
	f.Add("Received: from a.example ([192.0.2.1])\r\n by b.example with ESMTPS\r\n (TLS1.3 X)\r\n id 01abc\r\n for <a@b.example>;\r\n Mon, 2 Mar 2026 10:00:00 +0100\r\n")
	f.Add("Received: from id by id with id id id;")
	f.Add("Received: (((")
	f.Fuzz(func(t *testing.T, head string) {
		if id := reading.DispatchID([]byte(head)); strings.ContainsAny(id, " \t\r\n();") {
			t.Errorf("%q gives %q", head, id)
		}
	})
}
