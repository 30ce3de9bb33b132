package filing_test

import (
	"mime"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

const (
	idOne = "1.2.250.1.999.1.1"
	idTwo = "1.2.250.1.999.1.2"
)

// asking asks for a receipt.
const asking = "Disposition-Notification-To: " + anne + "\r\n"

func TestAPackageIsFiledAndEverybodyIsTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		one, two := about(person(), idOne), about(person(), idTwo)
		two.Title = "Ordonnance"
		w.submit(write(anne, asking, zipped(pack(t, one, two)), pdfFile("copie.pdf", pdf("x"))), jeanne)
		w.work()
		if got := w.titles(w.jeanne); got != idOne+" approved 1, "+idTwo+" approved 1" {
			t.Errorf("vault: %s", got)
		}
		docs := w.vault(w.jeanne)
		if o := docs[0].Origins[0]; o.Kind != dmp.ByLetter || o.Letter != string(w.Inbox(w.jeanne)[0].ID) || o.From != anne {
			t.Errorf("origin %+v", struct{ dmp.OriginKind }{o.Kind})
		}
		if got := w.octets(w.jeanne, docs[0].ID); got != string(two.cda(t)) && got != string(one.cda(t)) {
			t.Errorf("other octets:\n%s", got)
		}
		r := w.record(w.jeanne)
		if got := told(r); got != "2 xdm filed 2, 3 pdf copy copy-of-a-document" {
			t.Errorf("record: %s", got)
		}
		if r.Attachments[0].Documents[0].Title != one.Title || r.Attachments[0].Documents[1].Title != two.Title {
			t.Errorf("record: %+v", r)
		}
		lines := w.history(w.jeanne)
		if len(lines) != 2 || lines[0].What != dmp.DocumentFiled || lines[0].Who == "" || lines[0].Title != one.Title || lines[0].Via != "letter" || lines[0].Why != dmp.Filing {
			t.Errorf("history of %d lines", len(lines))
		}
		if got := w.states(); got != "filed" {
			t.Errorf("outcome %s", got)
		}
		if got := w.leaves(); got != "document done, document done" {
			t.Errorf("audit: %s", got)
		}
		got := w.receipts()
		if len(got) != 1 {
			t.Fatalf("%d receipts", len(got))
		}
		contains(t, got[0], "Disposition: automatic-action/MDN-sent-automatically; processed\r\n", "To: <"+anne+">", "Final-Recipient: rfc822; "+jeanne)
		w.clean()
		w.quiet()
	})
}

// TestReasons sends what cannot be filed, and reads what each is told.
func TestReasons(t *testing.T) {
	t.Parallel()
	mine, other := about(person(), idOne), about(otherPerson(), idOne)
	nobody, partial := about(person(), idOne), about(person(), idOne)
	nobody.INS, partial.Birth = "", ""
	for _, c := range []struct {
		name   string
		parts  []attached
		record string
		state  string
		leaf   string
		code   string
	}{
		{"another patient", []attached{zipped(pack(t, other))}, "2 xdm refused identity-differs", "refused 904", "letter refused identity-differs", "904^INS discordante"},
		{"no INS", []attached{xmlFile(nobody.cda(t))}, "2 cda refused identity-ins-missing", "refused 903", "letter refused identity-ins-missing", "903^INS absente"},
		{"half an identity", []attached{xmlFile(partial.cda(t))}, "2 cda refused identity-incomplete", "refused 905", "letter refused identity-incomplete", "905^INS incomplete"},
		{"a broken package", []attached{zipped([]byte("PK\x03\x04"))}, "2 xdm refused zip-malformed", "refused 906", "letter refused zip-malformed", "906^Autre erreur"},
		{
			"one of two lots",
			[]attached{zipped(pack(t, mine)), xmlFile(about(otherPerson(), idTwo).cda(t))},
			"2 xdm filed 1, 3 cda refused identity-differs", "refused 904", "document done, letter refused identity-differs", "904^INS discordante",
		},
		{"one of a lot", []attached{zipped(pack(t, mine, about(otherPerson(), idTwo)))}, "2 xdm refused identity-differs", "refused 904", "letter refused identity-differs", "904^INS discordante"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, storetest.SQLite(t))
			w.submit(write(anne, asking, c.parts...), jeanne)
			w.work()
			if got := told(w.record(w.jeanne)); got != c.record {
				t.Errorf("record: %s", got)
			}
			if got := w.states(); got != c.state {
				t.Errorf("outcome %s", got)
			}
			if got := w.leaves(); got != c.leaf {
				t.Errorf("audit: %s", got)
			}
			filed := strings.Count(c.record, "filed")
			if got := w.vault(w.jeanne); len(got) != filed {
				t.Errorf("%d documents", len(got))
			}
			got := w.receipts()
			if len(got) != 1 {
				t.Fatalf("%d receipts", len(got))
			}
			contains(t, got[0], "processed/Error: "+c.code+"\r\n")
			m, err := mail.ReadMessage(strings.NewReader(got[0]))
			if err != nil {
				t.Fatal(err)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
			if want := "[KO Intégration système !][" + c.code[:3] + "] XDM/1.0/DDM+"; err != nil || !strings.HasPrefix(subject, want) {
				t.Errorf("subject %q, %v", subject, err)
			}
			w.clean()
			w.quiet()
		})
	}
}

func TestAnAmbiguousLetterFilesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	text := write(anne, asking, zipped(pack(t, about(person(), idOne))))
	w.submit(strings.Replace(text, "--limite--", "--", 1), jeanne)
	w.work()
	if got := told(w.record(w.jeanne)); got != "! letter-ambiguous, 2 other  letter-ambiguous" {
		t.Errorf("record: %s", got)
	}
	if got := w.states() + "; " + w.leaves(); got != "refused 906; letter refused letter-ambiguous" {
		t.Error(got)
	}
	if len(w.vault(w.jeanne)) > 0 || len(w.receipts()) != 1 {
		t.Error("filed, or not told")
	}
}

// TestThePDFOfALetterIsFiledForItsRecipient holds what is known of a PDF alone.
func TestThePDFOfALetterIsFiledForItsRecipient(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.receive(write("Cabinet de Bob <"+bob+">", "", pdfFile("Compte_rendu.pdf", pdf("x"))), jeanne)
		w.work()
		docs := w.vault(w.jeanne)
		if len(docs) != 1 {
			t.Fatalf("%d documents", len(docs))
		}
		d := docs[0]
		if d.Title != "Compte rendu" || d.Category != dmp.Other || d.Authors[0].Person != "Cabinet de Bob" || d.MIME != "application/pdf" ||
			len(d.Warnings) == 0 || d.Warnings[0] != "identity-not-in-document" || !strings.HasPrefix(d.UniqueID, "2.25.") {
			t.Errorf("%q %q %v", d.Title, d.Category, d.Warnings)
		}
		// No receipt was asked for, and bob's letter has no outcome here.
		if n := w.Count("queue_job"); n > 0 {
			t.Errorf("%d jobs", n)
		}
		// The same PDF in another letter is the same document.
		w.receive(write(bob, "", pdfFile("autre nom.pdf", pdf("x"))), jeanne)
		w.work()
		if docs := w.vault(w.jeanne); len(docs) != 1 || len(docs[0].Origins) != 2 {
			t.Errorf("%d documents", len(docs))
		}
		if got := told(w.record(w.jeanne)); got != "2 pdf known 1" {
			t.Errorf("record: %s", got)
		}
		w.clean()
	})
}

// TestTheSameLotTwiceIsOneDocument sends a lot by letter, by letter again, and to the
// depot; then other octets under its identifier.
func TestTheSameLotTwiceIsOneDocument(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		p := about(person(), idOne)
		content := pack(t, p)
		w.submit(write(anne, "", zipped(content)), jeanne)
		w.work()
		w.submit(write(anne, "", xmlFile(p.cda(t))), jeanne) // the same document, without a package
		w.work()
		if got := told(w.record(w.jeanne)); got != "2 cda known 1" {
			t.Errorf("record: %s", got)
		}
		if got := w.states(); got != "filed" {
			t.Errorf("outcome %s", got)
		}
		w.receive(write(bob, "", zipped(content)), depot)
		w.receive(write(bob, "", zipped(content)), depot)
		w.work()
		if got := w.titles(w.jeanne); got != idOne+" approved 3" { // two letters, one depositor
			t.Errorf("vault: %s", got)
		}
		p.Text = "Va mal."
		w.submit(write(anne, asking, zipped(pack(t, p, about(person(), idTwo)))), jeanne)
		w.work()
		if got := told(w.record(w.jeanne)); got != "2 xdm refused document-id-reused" {
			t.Errorf("record: %s", got)
		}
		if got := w.titles(w.jeanne); got != idOne+" approved 3" {
			t.Errorf("vault: %s", got)
		}
		if got := w.states(); got != "refused 906" {
			t.Errorf("outcome %s", got)
		}
		w.clean()
	})
}

func TestReplacements(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	one, two := about(person(), idOne), about(person(), idTwo)
	two.Replaces, two.Set, two.Version = idOne, one.Set, "2"
	w.submit(write(anne, "", xmlFile(two.cda(t))), jeanne) // the new one first
	w.submit(write(anne, "", zipped(pack(t, one))), jeanne)
	w.work()
	if got := w.titles(w.jeanne); got != idOne+" deprecated 1, "+idTwo+" approved 1" {
		t.Errorf("vault: %s", got)
	}
	three := about(person(), "1.2.250.1.999.1.3")
	three.Replaces, three.Author = idTwo, "809999999999"
	w.submit(write(anne, asking, xmlFile(three.cda(t))), jeanne)
	w.work()
	if got := told(w.record(w.jeanne)); got != "2 cda refused replacement-of-another-author" {
		t.Errorf("record: %s", got)
	}
	if got := w.states(); got != "refused 901" {
		t.Errorf("outcome %s", got)
	}
	w.clean()
}

func TestTheDepot(t *testing.T) {
	t.Parallel()
	mine, stranger := about(person(), idOne), about(person(), idOne)
	stranger.INS = "151037505600133"
	twin := about(person(), idOne)
	twin.Birth = "19510313"
	for _, c := range []struct {
		name  string
		parts []attached
		want  string
		filed int
	}{
		{"a package", []attached{zipped(pack(t, mine))}, "; processed\r\n", 1},
		{"a bare document", []attached{xmlFile(mine.cda(t))}, "; processed\r\n", 1},
		{"an unknown patient", []attached{zipped(pack(t, stranger))}, "processed/Error: 902^Patient inconnu\r\n", 0},
		{"another person with the INS", []attached{zipped(pack(t, twin))}, "processed/Error: 904^INS discordante\r\n", 0},
		{"two patients", []attached{zipped(pack(t, mine)), xmlFile(about(otherPerson(), idTwo).cda(t))}, "processed/Error: 906^Autre erreur\r\n", 0},
		{"a PDF", []attached{pdfFile("a.pdf", pdf("x"))}, "processed/Error: 903^INS absente\r\n", 0},
		{"no document", []attached{{"text/plain", "", []byte("x")}}, "processed/Error: 906^Autre erreur\r\n", 0},
		{"an invitation", []attached{calendar("REQUEST", invitation("REQUEST", "u", anne, depot, 0))}, "processed/Error: 906^Autre erreur\r\n", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, storetest.SQLite(t))
			louisBox := w.OpenFor(mailbox.Patient, louis, otherPerson())
			w.submit(write(anne, "", c.parts...), depot)
			w.work()
			got := w.receipts()
			if len(got) != 1 {
				t.Fatalf("%d answers", len(got))
			}
			contains(t, got[0], c.want, "From: <"+depot+">", "Original-Recipient: rfc822; "+depot)
			docs := w.vault(w.jeanne)
			if len(docs) != c.filed || len(w.vault(louisBox)) > 0 {
				t.Errorf("%d documents", len(docs))
			}
			if c.filed > 0 && (docs[0].Origins[0].Kind != dmp.ByDepot || w.history(w.jeanne)[0].Via != "depot" || w.states() != "filed") {
				t.Errorf("origin %v, outcome %s", docs[0].Origins[0].Kind, w.states())
			}
			if w.events(w.jeanne) != "" {
				t.Error("an event")
			}
			w.clean()
			w.quiet()
		})
	}
}

func TestNobodyIsServedBehindAClosedBox(t *testing.T) {
	t.Parallel()
	for state, want := range map[mailbox.State]string{mailbox.Closed: "box-closed", mailbox.Opposed: "box-opposed"} {
		w := newWorld(t, storetest.SQLite(t))
		w.submit(write(anne, "", zipped(pack(t, about(person(), idOne))), calendar("REQUEST", invitation("REQUEST", "u", anne, jeanne, 0))), jeanne)
		w.submit(write(anne, "", zipped(pack(t, about(person(), idOne)))), depot)
		w.State(w.jeanne, state)
		w.work()
		if got := told(w.record(w.jeanne)); got != "2 xdm refused "+want+", 3 calendar refused "+want {
			t.Errorf("record: %s", got)
		}
		if n := len(w.vault(w.jeanne)); n > 0 || w.events(w.jeanne) != "" {
			t.Errorf("%d documents", n)
		}
		if got := w.receipts(); len(got) != 1 {
			t.Errorf("%d answers", len(got))
		}
	}
}

// TestAGuardianIsNotTheOwner opens a child's box that its parent owns too.
func TestAGuardianIsNotTheOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	louisBox := w.OpenFor(mailbox.Patient, louis, otherPerson())
	w.Write(func(tx *store.Tx) error {
		_, p, err := account.FindByINS(tx, w.Works, person().INSOID, person().INS)
		if err != nil {
			return err
		}
		return account.Grant(tx, account.Holding{Box: account.BoxID(louisBox.ID), Person: p.ID, Rights: account.Everything})
	})
	w.submit(write(anne, "", xmlFile(about(otherPerson(), idOne).cda(t)), xmlFile(about(person(), idTwo).cda(t))), louis)
	w.work()
	if got := told(w.record(louisBox)); got != "2 cda filed 1, 3 cda refused identity-differs" {
		t.Errorf("record: %s", got)
	}
}

func TestInvitations(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		send := func(method string, sequence int) string {
			w.submit(write(anne, "", calendar(method, invitation(method, "rdv-1", anne, jeanne, sequence))), jeanne)
			w.work()
			return told(w.record(w.jeanne))
		}
		if got := send("REQUEST", 1); got != "2 calendar added" {
			t.Errorf("record: %s", got)
		}
		if got := w.events(w.jeanne); got != "rdv-1 Consultation needs-action" {
			t.Errorf("agenda: %s", got)
		}
		if got := send("REQUEST", 2); got != "2 calendar updated" {
			t.Errorf("record: %s", got)
		}
		if got := send("REQUEST", 1); got != "2 calendar stale" {
			t.Errorf("record: %s", got)
		}
		if got := send("CANCEL", 3); got != "2 calendar cancelled" {
			t.Errorf("record: %s", got)
		}
		if got := w.events(w.jeanne); got != "rdv-1 Consultation cancelled" {
			t.Errorf("agenda: %s", got)
		}
		if got := send("PUBLISH", 4); got != "2 calendar refused invite-method-unsupported" {
			t.Errorf("record: %s", got)
		}
		// Another organizer under the same UID.
		w.receive(write(bob, "", calendar("REQUEST", invitation("REQUEST", "rdv-1", bob, jeanne, 9))), jeanne)
		w.work()
		if got := told(w.record(w.jeanne)); got != "2 calendar refused invite-other-organizer" && got != "2 calendar added" {
			t.Errorf("record: %s", got)
		}
		lines := w.history(w.jeanne)
		if len(lines) < 3 || lines[0].What != dmp.InvitationReceived {
			t.Errorf("%d lines", len(lines))
		}
		if got := w.states(); got != "delivered" { // an invitation is no document
			t.Errorf("outcome %s", got)
		}
		contains(t, w.leaves(), "letter done invitation-added", "letter done invitation-stale", "letter refused invite-method-unsupported")
		w.clean()
		w.quiet()
	})
}

func TestPlainAttachmentsAreNobodysBusiness(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	w.submit(write(anne, asking, attached{"application/msword", "lettre.doc", []byte("\xd0\xcf\x11\xe0")}), jeanne)
	w.work()
	if got := told(w.record(w.jeanne)); got != "2 other" {
		t.Errorf("record: %s", got)
	}
	if got := w.receipts(); len(got) > 0 || w.leaves() != "" || w.states() != "delivered" {
		t.Errorf("%d receipts, %s, %s", len(got), w.leaves(), w.states())
	}
}

// TestAJobThatNeverSucceedsIsTold lets a job fail until it expires.
func TestAJobThatNeverSucceedsIsTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.submit(write(anne, asking, zipped(pack(t, about(person(), idOne)))), jeanne)
		w.blobs = &faulty{Store: w.Blobs, fail: func(string) bool { return true }}
		w.workUntil(func() bool {
			var reason string
			w.Read(func(tx *store.Tx) error { return tx.QueryRow(`SELECT reason FROM queue_job`).Scan(&reason) })
			return reason == "blob-unavailable"
		})
		w.clock.Advance(49 * time.Hour)
		w.work()
		if got := told(w.record(w.jeanne)); got != "! filing-failed" {
			t.Errorf("record: %s", got)
		}
		if got := w.states() + "; " + w.leaves(); got != "refused 906; letter failed filing-failed" {
			t.Error(got)
		}
		got := w.receipts()
		if len(got) != 1 {
			t.Fatalf("%d receipts", len(got))
		}
		contains(t, got[0], "processed/Error: 906^Autre erreur\r\n", "Error: filing-failed\r\n")
		w.clean()
	})
}
