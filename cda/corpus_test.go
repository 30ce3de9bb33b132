package cda_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/fault"
)

// corpus returns a folder of the sample corpora. Without them the test is skipped,
// unless CORPUS=required.
func corpus(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("CORPUS_DIR")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "data")
	}
	dir := filepath.Join(root, filepath.FromSlash(name))
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CORPUS") == "required" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return dir
}

// eachSample calls f for each file of a corpus folder.
func eachSample(t *testing.T, folder string, f func(t *testing.T, name string, data []byte)) {
	t.Helper()
	dir := corpus(t, folder)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		t.Fatal(err, len(entries))
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		f(t, e.Name(), data)
	}
}

// read reads a document in memory.
func read(data []byte) (*cda.Document, error) {
	return cda.Read(bytes.NewReader(data), int64(len(data)), cda.Limits{})
}

// rendered returns the narrative as HTML.
func rendered(t *testing.T, d *cda.Document, o cda.Render) string {
	t.Helper()
	var b strings.Builder
	if err := d.Render(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestEveryFrenchSampleIsReadAndShown reads all official samples: identity, no
// blank page, no word of the narrative lost, and only what the package promises in the
// HTML.
func TestEveryFrenchSampleIsReadAndShown(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"cda-fr", "cda-fr-versions"} {
		eachSample(t, folder, func(t *testing.T, name string, data []byte) {
			d, err := read(data)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			checkFacts(t, name, d)
			html := rendered(t, d, cda.Render{Level: 3, Media: func(id string) string { return "/media/" + id }})
			checkHTML(t, name, html)
			checkWords(t, name, data, html)
			checkNotBlank(t, name, d, data, html)
		})
	}
}

// checkFacts holds what every official sample has.
func checkFacts(t *testing.T, name string, d *cda.Document) {
	t.Helper()
	oid, matricule, ok := d.Patient.INS()
	if !ok || oid == "" || len(matricule) != 15 {
		t.Errorf("%s: INS %q %q %v", name, oid, matricule, ok)
	}
	p := d.Patient
	if p.BirthName == "" || p.BirthGiven == "" || len(p.BirthDate) != 10 || p.Sex != "M" && p.Sex != "F" {
		t.Errorf("%s: traits %+v", name, p)
	}
	if strings.Contains(p.BirthGiven, " ") {
		t.Errorf("%s: first given name %q", name, p.BirthGiven)
	}
	if d.UniqueID() == "" || d.Type.IsZero() || d.Title == "" || d.Effective.Time.IsZero() || d.Language == "" {
		t.Errorf("%s: %q %v %q %v %q", name, d.UniqueID(), d.Type, d.Title, d.Effective, d.Language)
	}
	if d.Version == "" || d.Custodian.Name == "" || len(d.Templates) == 0 || d.LegalAuthenticator == nil {
		t.Errorf("%s: version %q, custodian %v, templates %v", name, d.Version, d.Custodian, d.Templates)
	}
	for _, a := range d.Authors {
		if a.Person == "" && a.Institution.Name == "" {
			t.Errorf("%s: a nameless author %+v", name, a)
		}
	}
}

// checkNotBlank refuses a document of which nothing would be seen.
func checkNotBlank(t *testing.T, name string, d *cda.Document, data []byte, html string) {
	t.Helper()
	seen := len(words(text(t, html)))
	files := 0
	for _, em := range d.Embedded(bytes.NewReader(data)) {
		f, err := em.Open()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		n, err := io.Copy(io.Discard, f)
		if err != nil || n == 0 || n > em.Size {
			t.Errorf("%s: embedded %s: %d octets of %d, %v", name, em.MediaType, n, em.Size, err)
		}
		if em.MediaType == cda.Unknown {
			t.Errorf("%s: embedded %s is unknown", name, em.Declared)
			continue
		}
		files++
	}
	t.Logf("%-60s %s %4d words, %d files, %s %v", name, d.Level(), seen, files, d.Format(), d.Warnings)
	if d.Level() == cda.N1 && files != 1 || d.Level() == cda.N3 && seen < 5 {
		t.Errorf("%s: blank: %s, %d words, %d files", name, d.Level(), seen, files)
	}
}

// TestForeignDocumentsAreReadOrRefused reads the documents of another realm.
func TestForeignDocumentsAreReadOrRefused(t *testing.T) {
	t.Parallel()
	good := 0
	eachSample(t, "cda-foreign-fragments", func(t *testing.T, name string, data []byte) {
		d, err := read(data)
		t.Logf("%s: %v", name, err)
		if err != nil {
			if r := fault.Reason(err); r != "cda-not-cda" && r != "xml-malformed" || !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
			return
		}
		good++
		html := rendered(t, d, cda.Render{})
		checkHTML(t, name, html)
		checkWords(t, name, data, html)
		t.Logf("  %+v %v %d words", d.Patient, d.Warnings, len(words(text(t, html))))
	})
	if good != 8 {
		t.Errorf("%d documents read, want 8", good)
	}
}
