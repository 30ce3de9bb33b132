package delivery_test

import (
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestASubmittedLetterGoesToEachDomainOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		op.Trust(op.Sandbox.Space(t, deliverytest.Hospital, deliverytest.Patients, deliverytest.City, "labo.mss.example"))
		a, z := op.Open(mailbox.PER, anne), op.Open(mailbox.PER, zoe)
		text := deliverytest.Text(anne, "x")
		to := []string{bob, zoe, "chef@labo.mss.example", "eve@" + deliverytest.City}
		if err := deliverytest.Send(op.Submit(a), anne, to, text); err != nil {
			t.Fatal(err)
		}
		if got := op.Inbox(z); len(got) != 1 || got[0].Body != text {
			t.Errorf("our own recipient holds %d letters", len(got))
		}
		parcels, groups := jobs(t, op)
		if strings.Join(groups, " ") != "labo.mss.example "+deliverytest.City {
			t.Fatalf("jobs for %v", groups)
		}
		labo, city := parcels[0], parcels[1]
		if len(labo.To) != 1 || labo.To[0].Number != 2 || len(city.To) != 2 || city.To[0].Number != 0 || city.To[1].Number != 3 {
			t.Errorf("parcels for %+v and %+v", labo.To, city.To)
		}
		if city.From != anne || city.Plain != int64(len(text)) || strings.Contains(string(city.Head), bob) {
			t.Errorf("parcel from %s of %d octets, head %s", city.From, city.Plain, city.Head)
		}
		var refs int
		op.Read(func(tx *store.Tx) error { return tx.QueryRow(`SELECT refs FROM body`).Scan(&refs) })
		if refs != 3 {
			t.Errorf("%d references to the body, want one letter and two jobs", refs)
		}
		story := op.Story(a)
		for i, want := range []outcome.What{outcome.Accepted, outcome.Delivered, outcome.Accepted, outcome.Accepted} {
			if c := story.Chapters[i]; c.State.What != want || c.Address.String() != to[i] {
				t.Errorf("outcome of %s: %s for %s", to[i], c.State.What, c.Address)
			}
		}
		if n := len(op.Leaves("letter.submit")); n != 1 {
			t.Errorf("%d leaves", n)
		}
	})
}

func TestSubmissionTakesBccAwayAndTheMXDoesNot(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	a, z := op.Open(mailbox.PER, anne), op.Open(mailbox.PER, zoe)
	without := deliverytest.Text(anne, "x")
	if err := deliverytest.Send(op.Submit(a), anne, []string{zoe}, "Bcc: "+paul+",\r\n "+bob+"\r\n"+without); err != nil {
		t.Fatal(err)
	}
	with := "Bcc: " + zoe + "\r\n" + deliverytest.Text(bob, "x")
	if err := deliverytest.Send(op.Peer(deliverytest.City), bob, []string{zoe}, with); err != nil {
		t.Fatal(err)
	}
	got := op.Inbox(z)
	if got[0].Body != without {
		t.Errorf("submitted: %q", got[0].Body)
	}
	if got[1].Body != with {
		t.Errorf("received: %q", got[1].Body)
	}
}

func TestSubmissionAddsWhatTheClientLeftOut(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	a, z := op.Open(mailbox.PER, anne), op.Open(mailbox.PER, zoe)
	for _, c := range []struct {
		text string
		has  []string
		not  []string
	}{
		{"From: " + anne + "\r\n\r\nx\r\n", []string{"\r\nDate: ", "\r\nMessage-ID: <"}, nil},
		{"From: " + anne + "\r\nMESSAGE-ID: <1@a>\r\n\r\nx\r\n", []string{"\r\nDate: "}, []string{"Message-ID"}},
		{"From: " + anne + "\r\nDate: x\r\n\r\nx\r\n", []string{"\r\nMessage-ID: <"}, []string{"\r\nDate: "}},
	} {
		if err := deliverytest.Send(op.Submit(a), anne, []string{zoe, bob}, c.text); err != nil {
			t.Fatal(err)
		}
		letters := op.Inbox(z)
		l := letters[len(letters)-1]
		if l.Body != c.text {
			t.Errorf("the body changed: %q", l.Body)
		}
		parcels, _ := jobs(t, op)
		for _, head := range []string{l.Head, string(parcels[len(parcels)-1].Head)} {
			contains(t, head, c.has...)
			for _, not := range c.not {
				if strings.Contains(head, not) {
					t.Errorf("%s although the letter has its own:\n%s", not, head)
				}
			}
		}
		op.Write(func(tx *store.Tx) error { _, err := tx.Exec(`DELETE FROM queue_job`); return err })
	}
}

func TestNobodySubmitsInAnotherName(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{Delivery: delivery.Options{Inline: 64}})
	a := op.Open(mailbox.PER, anne)
	op.Open(mailbox.PER, zoe)
	send := func(from, text string) error {
		return deliverytest.Send(op.Submit(a), from, []string{zoe}, text)
	}
	wantReason(t, "another envelope sender", send(zoe, deliverytest.Text(anne, "x")), "sender-not-of-this-box")
	wantReason(t, "another author", send(anne, deliverytest.Text(zoe, "x")), "from-not-of-this-box")
	wantReason(t, "two authors", send(anne, deliverytest.Text(anne+", "+zoe, "x")), "from-several")
	wantReason(t, "no sender, no report", send("", deliverytest.Text(anne, "x")), "null-sender-not-a-report")
	nothingKept(t, op)
	receipt := "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n" + deliverytest.Text(anne, "lu")
	wantReason(t, "no sender, a report", send("", receipt), "")

	v, err := op.Office.People().Arrive(t.Context(), deliverytest.Caller("c", nil))
	if err != nil {
		t.Fatal(err)
	}
	wantReason(t, "before the login", deliverytest.Envelope(v, anne), "login-first")
	wantReason(t, "a wrong login", v.Login(t.Context(), delivery.Credentials{Mechanism: "PLAIN", Authcid: anne, Password: "x"}), "login-failed")
	v.Close()
	if leaves := op.Leaves("smtp.refused"); len(leaves) != 1 {
		t.Errorf("leaves: %s", leaves)
	}
}

func TestNobodyWritesOutsideTheTrustSpace(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{Delivery: delivery.Options{Inline: 64}})
	a := op.Open(mailbox.PER, anne)
	for _, to := range []string{"x@gmail.com", "x@sub." + deliverytest.City, "x@mss.example"} {
		wantReason(t, to, deliverytest.Envelope(op.Submit(a), anne, to), "recipient-outside-trust-space")
	}
	wantReason(t, "unknown box of ours", deliverytest.Envelope(op.Submit(a), anne, zoe), "box-unknown")
	v := op.Submit(a)
	if err := deliverytest.Envelope(v, anne, bob); err != nil {
		t.Fatal(err)
	}
	// The list changes while the client types.
	op.Trust(op.Sandbox.Space(t, deliverytest.Hospital))
	wantReason(t, "no longer listed", v.Data(t.Context(), strings.NewReader(deliverytest.Text(anne, "x"))), "recipient-outside-trust-space")
	op.Trust(nil)
	wantReason(t, "no list", deliverytest.Envelope(op.Submit(a), anne, bob), "whitelist-unavailable")
	nothingKept(t, op)
}

func TestPatientsWriteOnlyToWhoWroteToThem(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{Delivery: delivery.Options{Inline: 64}})
		m, _, a := op.Open(mailbox.Patient, marie), op.Open(mailbox.Patient, jean), op.Open(mailbox.PER, anne)
		try := func(to string) error { return deliverytest.Envelope(op.Submit(m), marie, to) }
		wantReason(t, "nobody wrote", try(anne), "correspondent-unknown")
		wantReason(t, "patient to patient", try(jean), "patient-to-patient")

		received := func(from, text string) {
			t.Helper()
			if err := deliverytest.Send(op.Peer(deliverytest.City), from, []string{marie}, text); err != nil {
				t.Fatal(err)
			}
		}
		if err := deliverytest.Send(op.Submit(a), anne, []string{marie}, deliverytest.Text("Dr Anne <"+anne+">", "x")); err != nil {
			t.Fatal(err)
		}
		// The author is who can be answered, whatever address takes the bounces.
		received("retours@"+deliverytest.City, deliverytest.Text(bob, "x"))
		// Spec mssante 7.5: the Reply-To box enters the list, and the sending box does not.
		received("app@"+deliverytest.City, "Reply-To: Secrétariat <secretariat@"+deliverytest.City+">\r\n"+deliverytest.Text("app@"+deliverytest.City, "x"))
		// Spec mssante 7.6: both ways to end it.
		received("fin1@"+deliverytest.City, "X-MSS-MES: FIN\r\n"+deliverytest.Text("fin1@"+deliverytest.City, "x"))
		received("fin2@"+deliverytest.City, deliverytest.Text("fin2@"+deliverytest.City, "[FIN]"))
		received("fin3@"+deliverytest.City, deliverytest.Text("fin3@"+deliverytest.City, "[fin]"))
		for to, want := range map[string]string{
			anne: "", bob: "", "secretariat@" + deliverytest.City: "", "fin3@" + deliverytest.City: "",
			"retours@" + deliverytest.City: "correspondent-unknown", "app@" + deliverytest.City: "correspondent-unknown",
			"fin1@" + deliverytest.City: "correspondent-closed", "fin2@" + deliverytest.City: "correspondent-closed",
		} {
			wantReason(t, to, try(to), want)
		}
		names := map[string]string{}
		op.Read(func(tx *store.Tx) error {
			all, err := mailbox.Correspondents(tx, op.Works, m.ID)
			for _, c := range all {
				names[c.Address.String()] = c.Name
			}
			return err
		})
		if names[anne] != "Dr Anne" || names["secretariat@"+deliverytest.City] != "Secrétariat" || names[bob] != "" {
			t.Errorf("names: %q", names)
		}

		// The right is read again when the letter comes.
		v := op.Submit(m)
		if err := deliverytest.Envelope(v, marie, bob); err != nil {
			t.Fatal(err)
		}
		received(bob, "X-MSS-MES: FIN\r\n"+deliverytest.Text(bob, "x"))
		before := op.Count("body")
		wantReason(t, "closed meanwhile", v.Data(t.Context(), strings.NewReader(deliverytest.Text(marie, "x"))), "correspondent-closed")
		if op.Count("body") != before || op.Count("queue_job") != 0 {
			t.Error("something was kept")
		}
	})
}

func TestAReportMakesNobodyACorrespondent(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	m := op.Open(mailbox.Patient, marie)
	report := "Content-Type: multipart/report; boundary=b\r\n" + deliverytest.Text(bob, "x")
	if err := deliverytest.Send(op.Peer(deliverytest.City), "", []string{marie}, report); err != nil {
		t.Fatal(err)
	}
	wantReason(t, "to the author of a report", deliverytest.Envelope(op.Submit(m), marie, bob), "correspondent-unknown")
}
