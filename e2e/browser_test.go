package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/letter"
)

// visitors is what a script of e2e/browser is told, in the file that CAST names.
type visitors struct {
	Base string `json:"base"`
	// Patients are who signs in, by what they do in the script.
	Patients map[string]demo.Person `json:"patients"`
	// French has the sentences of the catalogues that are other in English.
	French []string `json:"french"`
}

// TestAPatientsSpaceInABrowser goes through a patient's space in Chromium, on a phone
// and at a desk, with and without JavaScript, and holds every page against axe-core. It
// is not parallel: it measures how soon a page tells of a new letter.
func TestAPatientsSpaceInABrowser(t *testing.T) {
	w := start(t, "--boxes", "1")
	patients := w.operator("patients")
	v := visitors{Base: "https://" + patients.HTTPS, French: frenchOnly(t), Patients: map[string]demo.Person{"empty": patients.Boxes[5]}}
	journeys := []string{"phone-js", "phone-plain", "desktop-js", "desktop-plain"}
	for i, name := range append(journeys, "pages") {
		v.Patients[name] = patients.Boxes[i]
		w.browserLetters(patients.Boxes[i])
	}
	eventually(t, 30*time.Second, "the documents are filed", func() bool { return w.jobs("patients", "") == 0 })
	var running sync.WaitGroup
	running.Go(func() { w.script("pages.mjs", v, nil) })
	w.script("journey.mjs", v, func(name string) {
		w.bring("hospital", w.operator("hospital").Boxes[1], v.Patients[name], "Nouvelle du jour", "Bonjour.")
	})
	running.Wait()
	for _, name := range journeys {
		w.answered(v.Patients[name])
	}
	w.quiet()
}

// TestTheSamplesInABrowser shows a patient the documents of the corpus.
func TestTheSamplesInABrowser(t *testing.T) {
	t.Parallel()
	short(t)
	who, samples := gallery(t)
	who.Kind, who.Name, who.Address = "PATIENT", who.Given+" "+who.Family, who.INS+"@patient.mes.example"
	data, err := json.Marshal([]demo.Person{who})
	if err != nil {
		t.Fatal(err)
	}
	people := filepath.Join(t.TempDir(), "people.json")
	if err := os.WriteFile(people, data, 0o600); err != nil {
		t.Fatal(err)
	}
	w := start(t, "--people", people)
	patients := w.operator("patients")
	p := patients.Boxes[len(patients.Boxes)-1]
	for _, octets := range samples {
		w.bring("hospital", w.operator("hospital").Boxes[0], p, "Document", "Bonjour.", bare(octets))
	}
	home := w.space(p)
	eventually(t, 30*time.Second, "the samples are filed", func() bool { return len(home.documents()) == len(samples) })
	w.script("samples.mjs", visitors{Base: "https://" + patients.HTTPS, Patients: map[string]demo.Person{"pages": p}}, nil)
}

// script runs a script of e2e/browser; each line "broken …" that it prints is an error,
// each line "please NAME" is for please.
func (w *world) script(name string, v visitors, please func(name string)) {
	w.t.Helper()
	if err := browserTools(); err != nil {
		w.t.Error(err)
		return
	}
	cast := filepath.Join(w.t.TempDir(), name+".json")
	data, err := json.Marshal(v)
	if err == nil {
		err = os.WriteFile(cast, data, 0o600)
	}
	if err != nil {
		w.t.Error(err)
		return
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", name)
	cmd.Dir = "browser"
	cmd.Env = append(os.Environ(), "CAST="+cast)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		w.t.Error(err)
		return
	}
	broken := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		if what, asked := strings.CutPrefix(line, "please "); asked {
			please(what)
			continue
		}
		if what, bad := strings.CutPrefix(line, "broken "); bad {
			broken = true
			w.t.Error(what)
			continue
		}
		w.t.Log(line)
	}
	if err := cmd.Wait(); err != nil && !broken {
		w.t.Errorf("%s: %v\n%s", name, err, &trouble)
	}
}

// browserTools finds node and Chromium, and brings the packages that package.json
// names, each at the version it names.
var browserTools = sync.OnceValue(func() error {
	for _, program := range []string{"node", "npm", "chromium"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is missing: install the Debian packages chromium, nodejs and npm (make peers)", program)
		}
	}
	for _, name := range []string{"playwright-core", "axe-core"} {
		_, err := os.Stat(filepath.Join("browser", "node_modules", name, "package.json"))
		if errors.Is(err, fs.ErrNotExist) {
			cmd := exec.Command("npm", "install", "--no-audit", "--no-fund", "--no-package-lock")
			cmd.Dir = "browser"
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("npm install in e2e/browser: %w\n%s", err, out)
			}
			return nil
		}
	}
	return nil
})

// frenchOnly returns the sentences that the catalogues have in French and that are
// other in English, whole ones: no place to fill in.
func frenchOnly(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../web/*/words/fr.toml")
	if err != nil {
		t.Fatal(err)
	}
	both := make(map[string]string) // French to English
	said := make(map[string]bool)   // in English
	for _, file := range append(files, "../web/words/fr.toml") {
		french, english := words(t, file), words(t, strings.Replace(file, "fr.toml", "en.toml", 1))
		for key, sentence := range french {
			both[sentence] = english[key]
			said[english[key]] = true
		}
	}
	for _, c := range dmp.Categories() {
		both[c.Label.In("fr")] = c.Label.In("en")
	}
	var only []string
	for sentence, english := range both {
		if sentence != english && !said[sentence] && !strings.Contains(sentence, "{{") && !strings.Contains(sentence, "<") {
			only = append(only, sentence)
		}
	}
	if len(only) < 200 {
		t.Errorf("%d French sentences only: where are the catalogues?", len(only))
	}
	return only
}

// words reads a catalogue flat: "a.b.c" and its sentence.
func words(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	flat := make(map[string]string)
	var walk func(at string, tree map[string]any)
	walk = func(at string, tree map[string]any) {
		for key, v := range maps.All(tree) {
			switch v := v.(type) {
			case string:
				flat[at+key] = v
			case map[string]any:
				walk(at+key+".", v)
			}
		}
	}
	walk("", tree)
	return flat
}

// answered holds that the organizer has one answer of a patient, and that it is a yes.
func (w *world) answered(p demo.Person) {
	w.t.Helper()
	hospital := w.operator("hospital")
	b := w.inbox(hospital, hospital.Boxes[0])
	var found []agenda.Event
	eventually(w.t, 20*time.Second, "the answer to the invitation arrives", func() bool {
		uids, err := b.Search(fmt.Sprintf("FROM %q", p.Address))
		if err != nil {
			w.t.Fatal(err)
		}
		found = nil
		for _, uid := range uids {
			octets, err := b.Fetch(uid, "")
			if err != nil {
				w.t.Fatal(err)
			}
			found = append(found, replies(w.t, octets)...)
		}
		_, err = b.Do("NOOP")
		return err == nil && len(found) > 0
	})
	if len(found) != 1 || len(found[0].Attendees) != 1 || !strings.EqualFold(string(found[0].Attendees[0].PartStat), "accepted") ||
		found[0].UID != "suivi."+p.INS+"@e2e.example" || !strings.EqualFold(found[0].Attendees[0].Raw, p.Address) {
		w.t.Errorf("the organizer was answered %+v, want one yes", found)
	}
}

// replies are the events of a letter's calendars with METHOD:REPLY.
func replies(t *testing.T, octets []byte) (all []agenda.Event) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(octets))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return nil
	}
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type")); err != nil || kind != "text/calendar" {
			continue
		}
		c, err := agenda.Read(letter.Decode(part, part.Header.Get("Content-Transfer-Encoding")), agenda.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if c.Method == agenda.Answers {
			all = append(all, c.Events...)
		}
	}
}
