package delivery_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

const (
	jeanne = "251037505600133@" + deliverytest.Patients
	louis  = "148116912300254@" + deliverytest.Patients
	depot  = "depot@" + deliverytest.Patients
)

// withPart is a letter with one attached part.
func withPart(from, header, content string) string {
	text := deliverytest.Text(from, "Compte rendu")
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	return head + "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=p\r\n\r\n" +
		"--p\r\nContent-Type: text/plain\r\n\r\n" + body + "\r\n--p\r\n" + header + "\r\n\r\n" + content + "\r\n--p--\r\n"
}

// errands opens the filing jobs of an operator, in the order of their recipients.
func errands(t *testing.T, op *deliverytest.Operator) (all []*delivery.Errand) {
	t.Helper()
	var jobs []queue.Job
	op.Read(func(tx *store.Tx) error {
		jobs = nil
		rows, err := tx.Query(`SELECT id, payload FROM queue_job WHERE kind = $1 ORDER BY id`, delivery.FileKind)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var j queue.Job
			if err := rows.Scan(&j.ID, &j.Payload); err != nil {
				return err
			}
			jobs = append(jobs, j)
		}
		return rows.Err()
	})
	for _, j := range jobs {
		e, err := op.Office.OpenErrand(j)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func TestOnlyLettersToPatientsThatBringSomethingAskForFiling(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header string
		to     string
		want   int
	}{
		"a package":              {"Content-Type: application/zip; name=IHE_XDM.zip", jeanne, 1},
		"a document":             {"Content-Type: text/xml", jeanne, 1},
		"a report to read":       {"Content-Type: application/pdf", jeanne, 1},
		"an invitation":          {"Content-Type: text/calendar; method=REQUEST", jeanne, 1},
		"a package named so":     {"Content-Type: text/plain; name=\"ihe_xdm.ZIP\"", jeanne, 1},
		"octets":                 {"Content-Type: application/octet-stream", jeanne, 1},
		"a picture":              {"Content-Type: image/png; name=logo.png", jeanne, 0},
		"text":                   {"Content-Type: text/plain", jeanne, 0},
		"a letter in the letter": {"Content-Type: message/rfc822", jeanne, 0},
		"a signature":            {"Content-Type: application/pkcs7-signature", jeanne, 0},
		"to a professional":      {"Content-Type: application/zip", anne, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
			op.Open(mailbox.Patient, jeanne)
			op.Open(mailbox.PER, anne)
			if err := deliverytest.Send(op.Peer(deliverytest.City), bob, []string{c.to}, withPart(bob, c.header, "x")); err != nil {
				t.Fatal(err)
			}
			if got := errands(t, op); len(got) != c.want {
				t.Errorf("%d errands, want %d", len(got), c.want)
			}
		})
	}
}

func TestAnErrandOpensTheLetterForAWorkerAndKeepsItsBody(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		j, l := op.Open(mailbox.Patient, jeanne), op.Open(mailbox.Patient, louis)
		text := "Disposition-Notification-To: " + bob + "\r\n" + withPart(bob, "Content-Type: application/zip", "PK")
		if err := deliverytest.Send(op.Peer(deliverytest.City), bob, []string{jeanne, louis}, text); err != nil {
			t.Fatal(err)
		}
		all := errands(t, op)
		if len(all) != 2 {
			t.Fatalf("%d errands", len(all))
		}
		for i, h := range []deliverytest.Holder{j, l} {
			e := all[i]
			if e.Box != h.ID || e.Space != h.Space || e.Number != i || e.Submitted || e.Depot() || e.From != bob || e.Author != bob || e.ReceiptTo != bob {
				t.Errorf("errand %d: %+v", i, e)
			}
			if got := op.Inbox(h); len(got) != 1 || got[0].ID != e.Message {
				t.Errorf("the errand names another letter than the box holds")
			}
			structure, err := letter.Unmarshal(e.Structure)
			if err != nil || len(structure.Root.Children) != 2 {
				t.Errorf("structure: %v", err)
			}
		}
		var refs int
		op.Read(func(tx *store.Tx) error { return tx.QueryRow(`SELECT refs FROM body`).Scan(&refs) })
		if refs != 4 {
			t.Errorf("%d references to the body, want two letters and two jobs", refs)
		}
	})
}

func TestReportsAndForeignReceiptsAskForNothing(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	op.Open(mailbox.Patient, jeanne)
	text := "Disposition-Notification-To: eve@" + deliverytest.City + "\r\n" + withPart(bob, "Content-Type: application/zip", "PK")
	if err := deliverytest.Send(op.Peer(deliverytest.City), bob, []string{jeanne}, text); err != nil {
		t.Fatal(err)
	}
	if all := errands(t, op); len(all) != 1 || all[0].ReceiptTo != "" {
		t.Errorf("a receipt to somebody else: %+v", all)
	}
}

func TestTheDepotTakesLettersWithoutABox(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{Delivery: delivery.Options{Depot: true}})
		a := op.Open(mailbox.PER, anne)
		if err := deliverytest.Send(op.Peer(deliverytest.City), bob, []string{depot}, deliverytest.Text(bob, "x")); err != nil {
			t.Fatal(err)
		}
		if err := deliverytest.Send(op.Submit(a), anne, []string{"Depot@" + deliverytest.Patients}, deliverytest.Text(anne, "x")); err != nil {
			t.Fatal(err)
		}
		all := errands(t, op)
		if len(all) != 2 || !all[0].Depot() || all[0].Submitted || !all[1].Submitted {
			t.Fatalf("errands %+v", all)
		}
		if c := op.Story(a).Chapters[0]; c.State.What != outcome.Delivered {
			t.Errorf("outcome at the depot: %s", c.State.What)
		}
		p := op.Open(mailbox.Patient, jeanne)
		err := deliverytest.Send(op.Submit(p), jeanne, []string{depot}, deliverytest.Text(jeanne, "x"))
		if fault.Reason(err) != "patient-to-patient" {
			t.Errorf("a patient at the depot: %v", err)
		}
	})
}

func TestWithoutADepotItsAddressIsUnknown(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	err := deliverytest.Send(op.Peer(deliverytest.City), bob, []string{depot}, deliverytest.Text(bob, "x"))
	if fault.Reason(err) != "box-unknown" {
		t.Errorf("%v", err)
	}
}

// sendingFrom is a letter written on a page by the holder of a box.
func sendingFrom(t *testing.T, op *deliverytest.Operator, h deliverytest.Holder, to, text string) delivery.Sending {
	t.Helper()
	ring := op.Ring(h)
	t.Cleanup(ring.Zero)
	return delivery.Sending{
		By: identity.Principal{Role: "patient"}, Box: h.Box, Keys: ring,
		To: []identity.Address{deliverytest.Address(t, to)}, Letter: strings.NewReader(text), Conn: "web-1",
	}
}

func TestALetterSentOnAPageLeavesACopyAndItsOutcome(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		p, a := op.Open(mailbox.Patient, jeanne), op.Open(mailbox.PER, anne)
		if err := deliverytest.Send(op.Submit(a), anne, []string{jeanne}, deliverytest.Text(anne, "x")); err != nil {
			t.Fatal(err)
		}
		text := deliverytest.Text(jeanne, "Re: x")
		s := sendingFrom(t, op, p, anne, text)
		told := ""
		s.Also = func(_ *store.Tx, letter string) error { told = letter; return nil }
		id, err := op.Office.Send(t.Context(), s)
		if err != nil || id == "" || told != id {
			t.Fatalf("sent as %q, told %q: %v", id, told, err)
		}
		var sent mailbox.Folder
		op.Read(func(tx *store.Tx) (err error) {
			sent, err = mailbox.FolderByRole(tx, p.ID, mailbox.Sent)
			return err
		})
		if got := op.Folder(p, sent.ID); len(got) != 1 || got[0].String() != text || got[0].Flags != mailbox.FlagSeen {
			t.Errorf("the copy: %+v", got)
		}
		if got := op.Inbox(a); len(got) != 1 || got[0].Body != text {
			t.Errorf("the recipient holds %d letters", len(got))
		}
		if story := op.Story(p); string(story.ID) != id || story.Chapters[0].State.What != outcome.Delivered {
			t.Errorf("outcome %s: %s", story.ID, story.Chapters[0].State.What)
		}
	})
}

func TestALetterSentOnAPageObeysTheRulesOfSubmission(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	p := op.Open(mailbox.Patient, jeanne)
	op.Open(mailbox.PER, anne)
	op.Open(mailbox.Patient, louis)
	for want, c := range map[string]struct{ to, text string }{
		"correspondent-unknown":         {anne, deliverytest.Text(jeanne, "x")},
		"patient-to-patient":            {louis, deliverytest.Text(jeanne, "x")},
		"recipient-outside-trust-space": {"x@outside.example", deliverytest.Text(jeanne, "x")},
	} {
		if _, err := op.Office.Send(t.Context(), sendingFrom(t, op, p, c.to, c.text)); fault.Reason(err) != want {
			t.Errorf("to %s: %v, want %s", c.to, err, want)
		}
	}
	if n := op.Count("message") + op.Count("body"); n != 0 {
		t.Errorf("%d rows of letters that were refused", n)
	}
}

func TestALetterWhoseCopyFindsNoRoomIsNotSent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		p, a := op.Open(mailbox.Patient, jeanne), op.Open(mailbox.PER, anne)
		if err := deliverytest.Send(op.Submit(a), anne, []string{jeanne}, deliverytest.Text(anne, "x")); err != nil {
			t.Fatal(err)
		}
		op.Quota(p, 10)
		_, err := op.Office.Send(t.Context(), sendingFrom(t, op, p, anne, deliverytest.Text(jeanne, "Re: x")))
		if fault.Reason(err) != "box-full" || len(op.Inbox(a)) != 0 {
			t.Errorf("%v; the recipient holds %d letters", err, len(op.Inbox(a)))
		}
		op.Quota(p, 1<<20)
		s := sendingFrom(t, op, p, anne, deliverytest.Text(jeanne, "Re: x"))
		failing := errors.New("no")
		s.Also = func(*store.Tx, string) error { return failing }
		if _, err := op.Office.Send(t.Context(), s); !errors.Is(err, failing) || len(op.Inbox(a)) != 0 {
			t.Errorf("what is written with it failed: %v; the recipient holds %d letters", err, len(op.Inbox(a)))
		}
	})
}

func TestAReceiptReachesWhoAsked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		a := op.Open(mailbox.PER, anne)
		m := letter.MDN{
			From: deliverytest.Address(t, jeanne), To: deliverytest.Address(t, anne), Final: deliverytest.Address(t, jeanne),
			OriginalID: "<1@x.example>", Handling: letter.Processed, Code: letter.IntegrationINSDiffers,
		}
		prepared, err := op.Office.PrepareMDN(context.Background(), m)
		if err != nil {
			t.Fatal(err)
		}
		op.Write(prepared.Place)
		got := op.Inbox(a)
		if len(got) != 1 || !strings.Contains(got[0].Body, "disposition-notification") || !strings.Contains(got[0].Body, "904") {
			t.Errorf("%d letters", len(got))
		}
		m.To = deliverytest.Address(t, "gone@"+deliverytest.Hospital)
		if prepared, err = op.Office.PrepareMDN(context.Background(), m); prepared != nil || err != nil {
			t.Errorf("to nobody: %v, %v", prepared, err)
		}
	})
}
