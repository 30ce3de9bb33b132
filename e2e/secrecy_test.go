package e2e_test

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNothingOfALetterIsInClear looks for a body, a subject, a sender's label, an
// attachment's name and the patient's INS in everything an operator keeps, plain
// and in base64 at its three alignments.
func TestNothingOfALetterIsInClear(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, args []string) {
		w := start(t, args...)
		hospital, patients := w.operator("hospital"), w.operator("patients")
		doctor, patient := hospital.Boxes[0], patients.Boxes[0]
		secrets := map[string]string{
			"body": "CorpsSecretHypertension", "subject": "SujetSecretCardiologie",
			"label": "LibelleSecretDuMedecin", "attachment": "PieceSecrete-CR.pdf",
			"big body": "GrandCorpsSecret0123456789", "INS": patient.INS,
		}
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
		w.grep(secrets)
		if w.stop(); len(args) > 0 {
			w.grepDump(args[1], secrets)
		}
		w.grep(secrets)
	})
}

// forms returns the ways in which a secret may lie about.
func forms(secret string) [][]byte {
	all := [][]byte{[]byte(secret), []byte(strings.ToLower(secret))}
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
		// bytea is dumped in hexadecimal.
		hexed := make(map[string]string)
		for what, secret := range secrets {
			hexed[what] = hexOf(secret)
		}
		for what, secret := range hexed {
			if bytes.Contains(out, []byte(secret)) {
				w.t.Errorf("dump of %s: the %s lies there in hexadecimal", o.Name, what)
			}
		}
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
