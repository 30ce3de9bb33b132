package relay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/custody"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestALetterIsCarriedAndItsKeyIsGone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := new(hop)
		w := newWorld(t, db, serve(t, cityCert(t), h))
		text := deliverytest.Text(anne, "x") + ".\r\n..\r\n. .\r\nfin sans rien"
		text += "\r\n"
		w.submit(text, bob, eve)
		w.Platform.Opened()
		w.work(w.idle)
		got := h.taken()
		if len(got) != 1 {
			t.Fatalf("%d letters arrived", len(got))
		}
		l := got[0]
		if l.from != anne || strings.Join(l.to, " ") != bob+" "+eve || !strings.HasSuffix(l.text, text) {
			t.Errorf("from %s to %v:\n%s", l.from, l.to, l.text)
		}
		head := strings.TrimSuffix(l.text, text)
		contains(t, head, "Received: from poste-de-travail ([192.0.2.7])\r\n by mx."+deliverytest.Hospital+" with ESMTPSA\r\n")
		if strings.Contains(head, "for <") || strings.Contains(head, "Return-Path") {
			t.Errorf("the head tells what the next hop must not know:\n%s", head)
		}
		if l.dn != deliverytest.Host(deliverytest.Hospital) || l.mail.Size != int64(len(l.text)) {
			t.Errorf("as %s, SIZE=%d of %d", l.dn, l.mail.Size, len(l.text))
		}
		if states := w.states(); states != "relayed, relayed" {
			t.Errorf("outcome %s", states)
		}
		facts := w.Story(w.anne).Chapters[0].Facts
		if e := facts[len(facts)-1].Evidence; e.Peer != deliverytest.Host(deliverytest.City) || !strings.Contains(e.Text, "kept") {
			t.Errorf("evidence %+v", e)
		}
		if n := w.Count("body"); n != 0 || w.Count("blob_garbage") != 1 {
			t.Errorf("%d bodies are still referred to; %d blobs are garbage", n, w.Count("blob_garbage"))
		}
		if leaves := w.Leaves("letter.relay"); len(leaves) != 1 || !strings.Contains(leaves[0], `"result":"done"`) {
			t.Errorf("leaves: %s", leaves)
		}
		// DESIGN section 4, second row of the table: the transit key and no other.
		if diff := cmp.Diff([]string{"transit/" + custody.Day(w.clock.Now())}, w.Platform.Opened()); diff != "" {
			t.Errorf("opened (-want +got)\n%s", diff)
		}
	})
}

func TestDSNParametersArePassedOn(t *testing.T) {
	t.Parallel()
	h := new(hop)
	w := newWorld(t, storetest.SQLite(t), serve(t, cityCert(t), h))
	v := w.Submit(w.anne)
	if err := v.Mail(t.Context(), w.anne.Address, delivery.MailOptions{Ret: "HDRS", EnvelopeID: "enveloppe 7+1", UTF8: true}); err != nil {
		t.Fatal(err)
	}
	for to, o := range map[string]delivery.RcptOptions{
		bob: {Notify: []string{"SUCCESS", "DELAY"}, OriginalType: "rfc822", Original: "ancien=" + bob},
		eve: {Notify: []string{"NEVER"}, OriginalType: "x400", Original: "/c=fr/"}, // no type that SMTP servers know
	} {
		if err := v.Rcpt(t.Context(), deliverytest.Address(t, to), o); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Data(t.Context(), strings.NewReader(deliverytest.Text(anne, "x"))); err != nil {
		t.Fatal(err)
	}
	w.work(w.idle)
	l := h.taken()[0]
	if l.mail.Ret != "HDRS" || l.mail.EnvelopeID != "enveloppe 7+1" || !l.mail.UTF8 || !l.mail.EightBit {
		t.Errorf("MAIL %+v", l.mail)
	}
	want := map[string]delivery.RcptOptions{
		bob: {Notify: []string{"SUCCESS", "DELAY"}, OriginalType: "RFC822", Original: "ancien=" + bob}, eve: {Notify: []string{"NEVER"}},
	}
	for i, to := range l.to {
		got := l.rcpt[i]
		got.OriginalType = strings.ToUpper(got.OriginalType)
		if diff := cmp.Diff(want[to], got); diff != "" {
			t.Errorf("RCPT %s (-want +got)\n%s", to, diff)
		}
	}
}

func TestARefusedRecipientIsReportedAndTheOtherIsServed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := &hop{answers: map[string][]error{bob: {fault.New(fault.NotFound, "box-unknown")}}}
		w := newWorld(t, db, serve(t, cityCert(t), h))
		text := deliverytest.Text(anne, "x")
		w.submit(text, bob, eve)
		w.work(w.idle)
		if got := h.taken(); len(got) != 1 || strings.Join(got[0].to, " ") != eve {
			t.Errorf("taken: %+v", got)
		}
		if states := w.states(); states != "refused 5.1.1, relayed" {
			t.Errorf("outcome %s", states)
		}
		report := w.report()
		contains(t, report, "Return-Path: <>", "Final-Recipient: rfc822; "+bob, "Action: failed", "Status: 5.1.1",
			"Remote-MTA: dns; mx."+deliverytest.City, "Diagnostic-Code: smtp; 550 ", "Subject: x", "Received: from poste-de-travail",
			"In-Reply-To: <")
		if strings.Contains(report, "Final-Recipient: rfc822; "+eve) {
			t.Error("the report is about somebody who has the letter")
		}
		if leaves := w.Leaves("letter.relay"); len(leaves) != 2 {
			t.Errorf("leaves: %s", leaves)
		}
		if w.Count("body") != 1 {
			t.Errorf("%d bodies, want the report's", w.Count("body"))
		}
	})
}

func TestADeferredRecipientIsTriedAgainAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		busy := fault.New(fault.Transient, "box-announced")
		h := &hop{answers: map[string][]error{eve: {busy, busy}}}
		w := newWorld(t, db, serve(t, cityCert(t), h))
		w.submit(deliverytest.Text(anne, "x"), bob, eve)
		w.work(w.idle)
		got := h.taken()
		if len(got) != 2 || strings.Join(got[0].to, " ") != bob || strings.Join(got[1].to, " ") != eve || got[0].text != got[1].text {
			t.Errorf("taken: %+v", got)
		}
		if diff := cmp.Diff([]string{bob + " " + eve, eve, eve}, h.asked()); diff != "" {
			t.Errorf("asked for (-want +got)\n%s", diff)
		}
		if states := w.states(); states != "relayed, relayed" || len(w.Inbox(w.anne)) != 0 {
			t.Errorf("outcome %s, %d reports", states, len(w.Inbox(w.anne)))
		}
	})
}

func TestALetterRefusedAfterItsContentIsReported(t *testing.T) {
	t.Parallel()
	h := &hop{data: []error{fault.New(fault.Transient, "blob-unavailable"), fault.New(fault.Invalid, "letter-too-large")}}
	w := newWorld(t, storetest.SQLite(t), serve(t, cityCert(t), h))
	w.submit(deliverytest.Text(anne, "x"), bob, eve)
	w.work(w.idle)
	if states := w.states(); states != "refused 5.3.4, refused 5.3.4" {
		t.Errorf("outcome %s", states)
	}
	contains(t, w.report(), "Final-Recipient: rfc822; "+bob, "Final-Recipient: rfc822; "+eve, "Status: 5.3.4")
}

func TestNoReportIsMadeToAReport(t *testing.T) {
	t.Parallel()
	h := &hop{answers: map[string][]error{bob: {fault.New(fault.NotFound, "box-unknown")}}}
	w := newWorld(t, storetest.SQLite(t), serve(t, cityCert(t), h))
	receipt := "Content-Type: multipart/report; boundary=b\r\n" + deliverytest.Text(anne, "lu")
	if err := deliverytest.Send(w.Submit(w.anne), "", []string{bob}, receipt); err != nil {
		t.Fatal(err)
	}
	w.work(w.idle)
	if len(h.asked()) != 1 || len(w.Inbox(w.anne)) != 0 || w.Count("body") != 0 {
		t.Errorf("asked %v, %d reports, %d bodies", h.asked(), len(w.Inbox(w.anne)), w.Count("body"))
	}
	if states := w.states(); states != "refused 5.1.1" {
		t.Errorf("outcome %s", states)
	}
}

func TestAReportForAnotherOperatorIsCarriedWithTheNullSender(t *testing.T) {
	t.Parallel()
	h := new(hop)
	w := newWorld(t, storetest.SQLite(t), serve(t, cityCert(t), h))
	closed := w.Open("PER", "paul@"+deliverytest.Hospital)
	v := w.Peer(deliverytest.City)
	if err := deliverytest.Envelope(v, bob, anne, closed.Address.String()); err != nil {
		t.Fatal(err)
	}
	w.State(closed, "closed")
	if err := v.Data(t.Context(), strings.NewReader(deliverytest.Text(bob, "x"))); err != nil {
		t.Fatal(err)
	}
	w.work(w.idle)
	got := h.taken()
	if len(got) != 1 || got[0].from != "" || strings.Join(got[0].to, " ") != bob {
		t.Fatalf("taken: %+v", got)
	}
	contains(t, got[0].text, "report-type=delivery-status", "From: \"Mail Delivery System\" <postmaster@"+deliverytest.Hospital+">")
}

func TestALetterThatNobodyTookExpires(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "127.0.0.1:1") // nobody listens there
		w.submit(deliverytest.Text(anne, "x"), bob)
		w.work(w.waits("hop-unreachable"))
		w.clock.Advance(49 * time.Hour)
		w.work(w.idle)
		if s := w.Story(w.anne).Chapters[0].State; s.What != outcome.Expired {
			t.Errorf("outcome %+v", s)
		}
		contains(t, w.report(), "Status: 4.4.7", "letter-expired", "hop-unreachable", "Final-Recipient: rfc822; "+bob)
	})
}

func TestTheReportOfAnExpiredLetterNeedsNoLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t), "127.0.0.1:1")
	w.submit(deliverytest.Text(anne, "x"), bob)
	w.Write(func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM operator_key WHERE name LIKE 'transit/%'`)
		return err
	})
	w.work(w.waits("transit-key"))
	w.clock.Advance(49 * time.Hour)
	w.work(w.idle)
	contains(t, w.report(), "Status: 4.4.7", "transit-key")
}

func TestAParcelThatCannotBeOpenedIsSetAsideForAnOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t), "127.0.0.1:1")
	w.submit(deliverytest.Text(anne, "x"), bob)
	w.Write(func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE queue_job SET payload = $1`, []byte("x"))
		return err
	})
	w.work(w.waits("parcel-broken"))
	w.clock.Advance(49 * time.Hour)
	w.work(func() (held bool) {
		w.Read(func(tx *store.Tx) error { return tx.QueryRow(`SELECT held = 1 FROM queue_job`).Scan(&held) })
		return held
	})
}
