package delivery_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestALetterReceivedIsDurableSealedAndReadByteForByte(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		platform := deliverytest.NewPlatform(t)
		for _, c := range []struct {
			name   string
			inline int
			files  int
		}{{"in its row", 0, 0}, {"in a blob", 64, 1}} {
			op := deliverytest.New(t, db, deliverytest.Options{Platform: platform, Delivery: delivery.Options{Inline: c.inline}})
			h := op.Open(mailbox.PER, strings.ReplaceAll(c.name, " ", "-")+"@"+deliverytest.Hospital)
			text := deliverytest.Text(bob, "MARQUE-SECRETE")
			if err := deliverytest.Send(op.Peer(deliverytest.City), bob, []string{h.Address.String()}, text); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			letters := op.Inbox(h)
			if len(letters) != 1 || letters[0].UID != 1 || letters[0].Body != text {
				t.Fatalf("%s: got %+v", c.name, letters)
			}
			contains(t, letters[0].Head, "Return-Path: <"+bob+">\r\nReceived: from mx."+deliverytest.City+" ([192.0.2.7])\r\n",
				"by mx."+deliverytest.Hospital+" with ESMTPS\r\n", "for <"+h.Address.String()+">;")
			if got := op.Files(); len(got) != c.files {
				t.Errorf("%s: %d files", c.name, len(got))
			}
			nothingInClear(t, op, "MARQUE-SECRETE")
			wholeLetter(t, op, h, letters[0])
		}
	})
}

// wholeLetter reads a letter as IMAP does: sections of head and body in one.
func wholeLetter(t *testing.T, op *deliverytest.Operator, h deliverytest.Holder, l deliverytest.Letter) {
	t.Helper()
	ring := op.Ring(h)
	defer ring.Zero()
	key, err := ring.Unwrap(l.Key, string(l.Message.Body))
	if err != nil {
		t.Fatal(err)
	}
	summary, err := mailbox.OpenSummary(key, l.ID, l.Record)
	if err != nil {
		t.Fatal(err)
	}
	r, err := op.Office.Original(t.Context(), l.Message.Body, key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	body, ok := r.(io.ReaderAt)
	if !ok {
		t.Fatal("the original has no random access")
	}
	whole := mailbox.NewLetter(summary, body)
	for _, section := range []letter.Section{letter.Whole, letter.Text} {
		at, ok := whole.Section(nil, section)
		if !ok {
			t.Fatalf("section %v is missing", section)
		}
		got, err := io.ReadAll(whole.Reader(at))
		if err != nil || !strings.HasSuffix(l.String(), string(got)) {
			t.Errorf("section %v: %v\n%s", section, err, got)
		}
	}
	if whole.Size() != l.Size {
		t.Errorf("%d octets, row says %d", whole.Size(), l.Size)
	}
}

// nothingInClear looks for a word of the letter where it must not be.
func nothingInClear(t *testing.T, op *deliverytest.Operator, word string) {
	t.Helper()
	found := func(where, what string) {
		if strings.Contains(what, word) {
			t.Errorf("%s holds %q", where, word)
		}
	}
	op.Read(func(tx *store.Tx) error {
		for _, query := range []string{`SELECT sealed FROM body`, `SELECT record FROM message`, `SELECT leaf FROM audit_pending`} {
			rows, err := tx.Query(query)
			if err != nil {
				return err
			}
			for rows.Next() {
				var b []byte
				if err := rows.Scan(&b); err != nil {
					return err
				}
				found(query, string(b))
			}
			if err := rows.Close(); err != nil {
				return err
			}
		}
		return nil
	})
	err := filepath.WalkDir(op.BlobDir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		found(name, string(b))
		return err
	})
	if err != nil {
		t.Error(err)
	}
	found("the log", op.Log.String())
}

func TestUIDsFollowTheOrderOfCommitsAndNobodyMeetsInTheWrongOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		boxes := []deliverytest.Holder{op.Open(mailbox.PER, anne), op.Open(mailbox.PER, paul), op.Open(mailbox.Patient, marie)}
		orders := [][]string{{anne, paul, marie}, {marie, paul, anne}, {paul, marie}, {anne, marie}}
		retries := db.Stats().Retries
		var wg sync.WaitGroup
		for _, to := range orders {
			v := op.Peer(deliverytest.City)
			wg.Go(func() {
				for range 4 {
					if err := deliverytest.Send(v, bob, to, deliverytest.Text(bob, "x")); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for i, want := range []int{12, 12, 16} {
			letters := op.Inbox(boxes[i])
			if len(letters) != want {
				t.Errorf("box %d has %d letters, want %d", i, len(letters), want)
			}
			for n, l := range letters {
				if l.UID != mailbox.UID(n+1) {
					t.Errorf("box %d: letter %d has UID %d", i, n, l.UID)
				}
			}
		}
		if n := db.Stats().Retries - retries; n != 0 {
			t.Errorf("%d transactions met in the wrong order", n)
		}
	})
}

func TestALetterForSeveralBoxesHasOneBodyAndAHeadForEach(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{Delivery: delivery.Options{Inline: 64}})
	a, p := op.Open(mailbox.PER, anne), op.Open(mailbox.ORG, paul)
	v := op.Peer(deliverytest.City)
	if err := deliverytest.Send(v, bob, []string{anne, paul, strings.ToUpper(anne[:4]) + anne[4:]}, deliverytest.Text(bob, "x")); err != nil {
		t.Fatal(err)
	}
	if op.Count("body") != 1 || op.Count("message") != 2 || len(op.Files()) != 1 {
		t.Errorf("%d bodies, %d letters, %d files", op.Count("body"), op.Count("message"), len(op.Files()))
	}
	one, other := op.Inbox(a)[0], op.Inbox(p)[0]
	if one.Body != other.Body {
		t.Error("the bodies differ")
	}
	if strings.Contains(one.Head, paul) || strings.Contains(other.Head, anne) {
		t.Errorf("a head names another recipient:\n%s%s", one.Head, other.Head)
	}
}

// broken is a peer that goes away in the middle of its letter.
type broken struct {
	text string
	err  error
}

func (b *broken) Read(p []byte) (int, error) {
	if b.text == "" {
		return 0, b.err
	}
	n := copy(p, b.text)
	b.text = b.text[n:]
	return n, nil
}

func TestALetterThatBreaksOffLeavesNothing(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{Delivery: delivery.Options{Inline: 64}})
	op.Open(mailbox.PER, anne)
	v := op.Peer(deliverytest.City)
	gone := fault.New(fault.Transient, "peer-gone")
	err := deliverytest.SendReader(v, bob, []string{anne}, &broken{deliverytest.Text(bob, strings.Repeat("x", 400_000)), gone})
	if !errors.Is(err, gone) {
		t.Errorf("got %v, want the reader's own error", err)
	}
	v.Close()
	nothingKept(t, op)
	if leaves := op.Leaves("smtp.refused"); len(leaves) != 0 {
		t.Errorf("the office calls it a refusal of its own: %s", leaves)
	}
}

func TestALetterIsRefusedForWhatItIs(t *testing.T) {
	t.Parallel()
	const max = 100_000
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{Delivery: delivery.Options{Inline: 64, MaxSize: max}})
	op.Open(mailbox.PER, anne)
	plain := deliverytest.Text(bob, "x")
	fill := func(size int) string {
		return plain + strings.Repeat("0123456789\r\n", size)[:size-len(plain)-2] + "\r\n"
	}
	for _, c := range []struct{ name, from, text, want string }{
		{"one octet too large", bob, fill(max + 1), "letter-too-large"},
		{"of the largest size", bob, fill(max), ""},
		{"gone round 60 times", bob, strings.Repeat("Received: from a by b\r\n", 60) + plain, "too-many-hops"},
		{"gone round 59 times", bob, strings.Repeat("Received: from a by b\r\n", 59) + plain, ""},
		{"without an author", bob, "Subject: x\r\n\r\nx\r\n", "from-missing"},
		{"with two authors", bob, "From: " + bob + "\r\n" + plain, "from-twice"},
		{"of another operator's author", bob, deliverytest.Text(anne, "x"), "from-not-of-this-operator"},
		{"of an author outside", bob, deliverytest.Text("x@gmail.com", "x"), "from-outside-trust-space"},
		{"of nobody, and no report", "", plain, "null-sender-not-a-report"},
		{"of nobody, and a report", "", "Content-Type: multipart/report; boundary=b\r\n" + plain, ""},
		{"of 1001 fields", bob, strings.Repeat("X: y\r\n", 1001) + plain, "letter-too-many-fields"},
	} {
		v := op.Peer(deliverytest.City)
		before := op.Count("message")
		err := deliverytest.Send(v, c.from, []string{anne}, c.text)
		wantReason(t, "a letter "+c.name, err, c.want)
		if kept := op.Count("message") - before; (kept == 1) != (c.want == "") {
			t.Errorf("a letter %s: %d kept", c.name, kept)
		}
		v.Close()
	}
	if files, rows := len(op.Files()), op.Count("body"); files != rows {
		t.Errorf("%d files for %d bodies", files, rows)
	}
	wantReason(t, "SIZE announced", op.Peer(deliverytest.City).Mail(context.Background(),
		deliverytest.Address(t, bob), delivery.MailOptions{Size: max + 1}), "letter-too-large")
}

func TestOneLeafTellsWhatAVisitWasRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		op.Open(mailbox.PER, anne)
		v := op.Peer(deliverytest.City)
		for range 3 {
			wantReason(t, "unknown box", deliverytest.Envelope(v, bob, zoe), "box-unknown")
		}
		wantReason(t, "a sender of ours", deliverytest.Envelope(v, anne), "sender-not-of-this-operator")
		v.Refused("command-unknown")
		if err := deliverytest.Send(v, bob, []string{anne}, deliverytest.Text(bob, "x")); err != nil {
			t.Error(err)
		}
		v.Close()
		leaves := op.Leaves("smtp.refused")
		if len(leaves) != 1 {
			t.Fatalf("%d leaves: %s", len(leaves), leaves)
		}
		contains(t, leaves[0], `"reason":"box-unknown"`, `"role":"peer"`, `"peer":"192.0.2.0/24"`, `"object":"conn:mx-1"`)
		contains(t, op.Log.String(), `"reasons":["box-unknown","command-unknown","sender-not-of-this-operator"]`)
		if n := len(op.Leaves("letter.receive")); n != 1 {
			t.Errorf("%d leaves for the letter", n)
		}
		quiet := op.Peer(deliverytest.City)
		quiet.Close()
		if n := len(op.Leaves("smtp.refused")); n != 1 {
			t.Error("a visit without a refusal left a leaf")
		}
	})
}

func TestAPeerIsKnownByItsCertificate(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	_, err := op.Office.Operators().Arrive(t.Context(), deliverytest.Caller("c", nil))
	wantReason(t, "no certificate", err, "certificate-missing")
	_, err = op.Office.Operators().Arrive(t.Context(), deliverytest.Caller("c", op.Sandbox.Server(t, "mx.absent.example", nil).Leaf))
	wantReason(t, "not in the list", err, "peer-not-listed")
	v := op.Peer(deliverytest.City)
	wantReason(t, "a login", v.Login(t.Context(), delivery.Credentials{}), "login-not-here")
	op.Office.AuditRefusals(deliverytest.Caller("c", nil), map[string]int{"certificate-missing": 1})
	if leaves := op.Leaves("smtp.refused"); len(leaves) != 1 || !strings.Contains(leaves[0], "certificate-missing") {
		t.Errorf("leaves: %s", leaves)
	}
}

func TestRecipientsAreRefusedAtRcpt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		open := op.Open(mailbox.PER, anne)
		got := map[string]string{}
		want := map[string]string{anne: "", zoe: "box-unknown", bob: "relay-denied", "x@gmail.com": "relay-denied"}
		for state, reason := range map[mailbox.State]string{
			mailbox.Closed: "box-closed", mailbox.Suspended: "box-suspended", mailbox.Opposed: "box-opposed",
			mailbox.Announced: "box-announced", mailbox.Warned: "", mailbox.Automatic: "",
		} {
			h := op.Open(mailbox.Patient, string(state)+"@"+deliverytest.Patients)
			op.State(h, state)
			want[h.Address.String()] = reason
		}
		full := op.Open(mailbox.PER, "full@"+deliverytest.Hospital)
		op.Quota(full, 999)
		want[full.Address.String()] = "box-full"
		v := op.Peer(deliverytest.City)
		if err := v.Mail(t.Context(), deliverytest.Address(t, bob), delivery.MailOptions{Size: 1000}); err != nil {
			t.Fatal(err)
		}
		for address := range want {
			got[address] = reason(v.Rcpt(t.Context(), deliverytest.Address(t, address), delivery.RcptOptions{}))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("reasons (-want +got)\n%s", diff)
		}
		v.Reset()
		wantReason(t, "after RSET", v.Rcpt(t.Context(), open.Address, delivery.RcptOptions{}), "sender-missing")
		wantReason(t, "after RSET", v.Data(t.Context(), strings.NewReader("")), "recipient-missing")
	})
}

func TestAHundredRecipientsAreTakenAndNoMore(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	sender := op.Open(mailbox.PER, anne)
	v := op.Submit(sender)
	if err := deliverytest.Envelope(v, anne); err != nil {
		t.Fatal(err)
	}
	rcpt := func(i int) error {
		a := deliverytest.Address(t, "box"+strings.Repeat("x", i%60)+string(rune('a'+i/60))+"@"+deliverytest.City)
		return v.Rcpt(t.Context(), a, delivery.RcptOptions{})
	}
	for i := range delivery.MaxRecipients {
		if err := rcpt(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := rcpt(0); err != nil {
		t.Errorf("one that was named before: %v", err)
	}
	err := rcpt(delivery.MaxRecipients)
	if !fault.Is(err, fault.OverQuota) || reason(err) != "too-many-recipients" {
		t.Errorf("one more: %v", err)
	}
	if err := v.Data(t.Context(), strings.NewReader(deliverytest.Text(anne, "x"))); err != nil {
		t.Fatal(err)
	}
	if jobs := op.Count("queue_job"); jobs != 1 {
		t.Errorf("%d jobs for one domain", jobs)
	}
}
