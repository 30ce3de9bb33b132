package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/wiretest"
)

// TestNothingOfALetterIsInClear looks for a body, a subject, a sender's label, an
// attachment's name, the patient's INS and name, for what is in a document that was
// filed and in an invitation, in everything an operator keeps, plain, in base64 at its
// three alignments and in hexadecimal.
func TestNothingOfALetterIsInClear(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, args []string) {
		secrets := map[string]string{
			"body": "CorpsSecretHypertension", "subject": "SujetSecretCardiologie",
			"label": "LibelleSecretDuMedecin", "attachment": "PieceSecrete-CR.pdf",
			"big body": "GrandCorpsSecret0123456789",
		}
		w := start(t, append(args[:len(args):len(args)], "--people", secretPerson(t, secrets))...)
		hospital, patients := w.operator("hospital"), w.operator("patients")
		doctor, patient := hospital.Boxes[0], patients.Boxes[len(patients.Boxes)-1]
		c := w.submission(hospital, doctor)
		for i, body := range []string{secrets["body"], strings.Repeat(secrets["big body"]+"\r\n", 20_000)} {
			letter := strings.ReplaceAll("From: "+secrets["label"]+" <"+doctor.Address+">\nTo: <"+patient.Address+">\nSubject: "+
				secrets["subject"]+"\nMessage-ID: <secret-"+string(rune('a'+i))+"@e2e.example>\nMIME-Version: 1.0\n"+
				"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n", "\n", "\r\n") + body +
				strings.ReplaceAll("\n--b\nContent-Type: application/pdf; name=\""+secrets["attachment"]+"\"\nContent-Disposition: attachment; filename=\""+
					secrets["attachment"]+"\"\n\n"+secrets["body"]+"\n--b--\n", "\n", "\r\n")
			reply, err := c.Send(doctor.Address, []string{patient.Address, patients.Boxes[1].Address}, []byte(letter))
			if err != nil || reply.Code != 250 {
				t.Fatalf("submit: %v %s", err, reply)
			}
		}
		// One that is refused at the patients' MX comes back as a report with its header.
		reply, err := c.Send(doctor.Address, []string{"nobody@" + patients.Domains[0]}, mail(doctor.Address, "nobody@"+patients.Domains[0], secrets["subject"], secrets["body"]))
		if err != nil || reply.Code != 250 {
			t.Fatalf("submit: %v %s", err, reply)
		}
		b := w.inbox(patients, patient)
		eventually(t, 20*time.Second, "both letters arrive", func() bool { return len(subjects(t, b, secrets["subject"])) == 2 })
		if got, err := b.Fetch("*", ""); err != nil || !bytes.Contains(got, []byte(secrets["attachment"])) {
			t.Fatalf("the patient cannot read the letter: %v", err)
		}
		back := w.inbox(hospital, doctor)
		eventually(t, 20*time.Second, "the report comes back", func() bool {
			uids, err := func() ([]string, error) { _, _ = back.Do("NOOP"); return back.Search("ALL") }()
			return err == nil && len(uids) == 1
		})
		w.secretFilings(patient, secrets)
		w.grep(secrets)
		if w.stop(); len(args) > 0 {
			w.grepDump(args[1], secrets)
		}
		w.grep(secrets)
	})
}

// secretPerson writes the file of a patient whose name and INS are secrets.
func secretPerson(t *testing.T, secrets map[string]string) string {
	t.Helper()
	p := demo.Person{
		Kind: "PATIENT", Name: "PrenomSecret NOMSECRETDURIEU", Family: "NOMSECRETDURIEU", Given: "PrenomSecret",
		INS: "251037505699978", INSOID: "1.2.250.1.213.1.4.10", BirthDate: "1951-03-14", Sex: "F",
	}
	p.Address = p.INS + "@patient.mes.example"
	secrets["family name"], secrets["given name"], secrets["INS"] = p.Family, p.Given, p.INS
	data, err := json.Marshal([]demo.Person{p})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "people.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// secretFilings files a document, keeps one out, deposits one, invites and has the
// patient look at all of it and answer; what these say is added to the secrets.
func (w *world) secretFilings(p demo.Person, secrets map[string]string) {
	w.t.Helper()
	hospital, patients := w.operator("hospital"), w.operator("patients")
	doctor := hospital.Boxes[0]
	document := report{
		Title: "TitreSecretDeLettre", Text: "RecitSecretDuSejour", Author: "AUTEURSECRET", ID: "2.25.314159265358979323846",
	}
	for what, secret := range map[string]string{
		"document's title": document.Title, "narrative": document.Text, "document's author": document.Author, "uniqueId": document.ID,
		"package's name": "PaquetSecret.zip", "kept file's name": "GardeSecrete.xml", "event's summary": "ResumeSecretDuRendezVous",
		"event's uid": "rdv-secret-2718281828", "filing subject": "SujetSecretDuClassement",
	} {
		secrets[what] = secret
	}
	filed := reportAbout(p, document.ID)
	filed.Title, filed.Text, filed.Author = document.Title, document.Text, document.Author
	kept := filed
	kept.ID, kept.Birth = "2.25.2718", "19000101"
	deposited := filed
	deposited.ID = document.ID + "1"
	files := []wiretest.Attachment{packed(w.t, filed), bare(kept.cda(w.t)), packed(w.t, deposited)}
	files[0].Name, files[1].Name, files[2].Name = secrets["package's name"], secrets["kept file's name"], secrets["package's name"]
	var sent []parcel
	submit := w.submission(hospital, doctor)
	for i, f := range files {
		to := p.Address
		if i == 2 {
			to = "depot@" + patients.Domains[0]
		}
		l := w.letterWith(secrets["filing subject"]+" "+strconv.Itoa(i), to, f)
		if reply, err := submit.Send(doctor.Address, []string{to}, l.text); err != nil || reply.Code != 250 {
			w.t.Fatalf("submit: %v %s", err, reply)
		}
		sent = append(sent, l)
	}
	w.notices(hospital, doctor).await(30*time.Second, ids(sent)...)
	i := invite{
		method: "REQUEST", uid: secrets["event's uid"], organizer: doctor.Address, summary: secrets["event's summary"],
		stamp: time.Now(), start: time.Now().AddDate(0, 1, 0), attendees: []string{p.Address},
	}
	if reply, err := submit.Send(doctor.Address, []string{p.Address}, i.letter("rendez-vous", doctor.Address, p.Address)); err != nil || reply.Code != 250 {
		w.t.Fatalf("submit: %v %s", err, reply)
	}
	home := w.space(p)
	home.invited("rendez-vous")
	documents, events := home.documents(), home.events()
	if len(documents) != 2 || len(events) != 1 || events[0].Summary != i.summary {
		w.t.Fatalf("%d documents and %d events, want 2 and 1", len(documents), len(events))
	}
	for _, d := range documents {
		page := home.get("/documents/" + d.ID)
		if d.Title != document.Title || !bytes.Contains(page.Body, []byte(document.Text)) {
			w.t.Errorf("the patient cannot read the document %s", d.ID)
		}
		home.get("/documents/" + d.ID + "/original")
	}
	for _, id := range home.letters() {
		home.get("/messages/" + id)
	}
	if code := home.answer(events[0], "accept"); code != http.StatusSeeOther {
		w.t.Errorf("accept: %d", code)
	}
	if page := home.get("/history"); !bytes.Contains(page.Body, []byte(document.Title)) {
		w.t.Error("the history does not name the document")
	}
	back := w.inbox(hospital, doctor)
	eventually(w.t, 20*time.Second, "the answer comes back", func() bool {
		if _, err := back.Do("NOOP"); err != nil {
			w.t.Fatal(err)
		}
		uids, err := back.Search(`SUBJECT "rendez-vous"`)
		return err == nil && len(uids) == 1
	})
}

// forms returns the ways in which a secret may lie about.
func forms(secret string) [][]byte {
	all := [][]byte{[]byte(secret), []byte(strings.ToLower(secret)), []byte(hexOf(secret)), []byte(strings.ToUpper(hexOf(secret)))}
	for shift := range 3 {
		coded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), secret...))
		// The ends depend on the neighbours: leave them out.
		all = append(all, []byte(coded[(shift*8+5)/6:len(coded)-4]))
	}
	return all
}

// grep looks through every file below the operators' folders.
func (w *world) grep(secrets map[string]string) {
	w.t.Helper()
	files := 0
	err := filepath.WalkDir(filepath.Join(w.dir, "operators"), func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil // a temporary file that is gone
		}
		files++
		w.search(file+" "+filepath.Base(file), append(data, filepath.Base(file)...), secrets)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if files < 10 {
		w.t.Errorf("only %d files below operators/: is this the right folder?", files)
	}
}

func (w *world) search(where string, data []byte, secrets map[string]string) {
	for what, secret := range secrets {
		for i, form := range forms(secret) {
			if bytes.Contains(data, form) {
				w.t.Errorf("%s: the %s lies there in clear (form %d)", where, what, i)
			}
		}
	}
}

// grepDump looks through dumps of the operators' databases.
func (w *world) grepDump(dsn string, secrets map[string]string) {
	w.t.Helper()
	for _, o := range w.ready.Operators {
		name := strings.Replace(dsn, "/postgres?", "/vaguemestre_"+o.Name+"?", 1)
		out, err := exec.Command("pg_dump", "--inserts", name).Output()
		if err != nil || !bytes.Contains(out, []byte("CREATE TABLE")) {
			w.t.Fatalf("pg_dump of %s: %v", o.Name, err)
		}
		w.search("dump of "+o.Name, out, secrets)
	}
}

// TestSecretsAreFoundInEveryForm holds the search itself: a secret is found in the
// middle of other text, plain, in base64 at any alignment and as bytea is dumped.
func TestSecretsAreFoundInEveryForm(t *testing.T) {
	t.Parallel()
	const secret = "SujetSecretCardiologie"
	found := func(data string) bool {
		return slices.ContainsFunc(forms(secret), func(form []byte) bool { return strings.Contains(data, string(form)) })
	}
	for shift := range 4 {
		text := strings.Repeat("x", shift) + secret + "y"
		for _, data := range []string{text, base64.StdEncoding.EncodeToString([]byte(text)), hexOf(text), strings.ToUpper(hexOf(text))} {
			if !found(data) {
				t.Errorf("not found in %q", data)
			}
		}
	}
	if found("SujetSecret Cardiologie") {
		t.Error("found where it is not")
	}
}

func hexOf(s string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(digits[s[i]>>4])
		b.WriteByte(digits[s[i]&15])
	}
	return b.String()
}
