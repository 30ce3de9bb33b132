package filing_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/filing"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// corpus lists the files of a folder of the sample corpora, those in folders of it
// included. Without them the test is skipped, unless CORPUS=required.
func corpus(t *testing.T, folder, extension string) (files []string) {
	t.Helper()
	root := os.Getenv("CORPUS_DIR")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "data")
	}
	err := filepath.WalkDir(filepath.Join(root, filepath.FromSlash(folder)), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.EqualFold(filepath.Ext(path), extension) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		if os.Getenv("CORPUS") == "required" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if len(files) == 0 {
		t.Fatalf("%s holds nothing", folder)
	}
	return files
}

func load(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lone examines a file as it lies on a disk.
func lone(t *testing.T, name string, content []byte) *filing.Findings {
	t.Helper()
	return examine(t, filing.Subject{Octets: bytes.NewReader(content), Size: int64(len(content)), Name: filepath.Base(name)})
}

// TestCorpusDocuments examines every sample for the patient it names: filed, or a
// reason; and shows which.
func TestCorpusDocuments(t *testing.T) {
	t.Parallel()
	for folder, c := range map[string]struct {
		extension string
		filed     int // at least
	}{
		"cda-fr": {".xml", 50}, "cda-fr-versions": {".xml", 4}, "xdm": {".zip", 0},
	} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			filed := 0
			files := corpus(t, folder, c.extension)
			for _, path := range files {
				f := lone(t, path, load(t, path))
				if len(f.Lots) != 1 {
					t.Errorf("%s: %d lots (%+v)", filepath.Base(path), len(f.Lots), f.Attachments)
					continue
				}
				f.Hold(f.Lots[0].Identity)
				check(t, f)
				l := &f.Lots[0]
				if l.Reason == "" {
					filed++
				} else {
					t.Logf("%s: %s (%d)", filepath.Base(path), l.Reason, l.Code())
				}
				for _, d := range l.Documents {
					if l.Reason == "" && (d.UniqueID == "" || d.Title == "" || d.Created.IsZero() || len(d.Authors) == 0) {
						t.Errorf("%s: %q %q, %d authors", filepath.Base(path), d.UniqueID, d.Title, len(d.Authors))
					}
				}
			}
			t.Logf("%d of %d filed", filed, len(files))
			if filed < c.filed {
				t.Errorf("%d filed, want %d at least", filed, c.filed)
			}
		})
	}
}

// TestCorpusThroughTheOffice sends every French sample to the patient whom it names,
// through the real delivery and the real worker. Samples that name people of different
// traits under one INS go to operators of their own.
func TestCorpusThroughTheOffice(t *testing.T) {
	t.Parallel()
	byPatient := map[filing.Identity][][]byte{}
	for _, path := range slices.Concat(corpus(t, "cda-fr", ".xml"), corpus(t, "cda-fr-versions", ".xml")) {
		content := load(t, path)
		if f := lone(t, path, content); len(f.Lots) == 1 {
			who := f.Lots[0].Identity
			byPatient[who] = append(byPatient[who], content)
		}
	}
	letters, documents, refused := 0, 0, 0
	for who, all := range byPatient {
		w := newWorld(t, storetest.SQLite(t))
		h := w.OpenFor(mailbox.Patient, louis, account.Person{
			Family: who.BirthName, Given: who.Given, BirthDate: who.BirthDate, Sex: who.Sex, INS: who.Matricule, INSOID: who.OID,
		})
		for _, content := range all {
			w.submit(write(anne, "", xmlFile(content)), louis)
		}
		w.work()
		letters += len(w.Inbox(h))
		documents += len(w.vault(h))
		for _, l := range w.Leaves("document.file") {
			if strings.Contains(l, `"refused"`) {
				refused++
				t.Log(l)
			}
		}
		w.clean()
	}
	t.Logf("%d letters to %d patients: %d documents, %d refused", letters, len(byPatient), documents, refused)
	if documents < 50 || documents+refused > letters {
		t.Errorf("%d documents of %d letters", documents, letters)
	}
}

// TestHostile examines the vectors for the patient of their controls: what must not be
// filed is not, the controls are.
func TestHostile(t *testing.T) {
	t.Parallel()
	for folder, extension := range map[string]string{"hostile/zip": ".zip", "hostile/xml": ".xml"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			files := corpus(t, folder, extension)
			var owner filing.Identity
			for _, path := range files {
				if strings.Contains(filepath.Base(path), "control") {
					owner = lone(t, path, load(t, path)).Lots[0].Identity
				}
			}
			if owner.Matricule == "" {
				t.Fatal("the control names nobody")
			}
			for _, path := range files {
				name := filepath.Base(path)
				content := load(t, path)
				kind := attached{"application/zip", "IHE_XDM.zip", content}
				if extension == ".xml" {
					kind = attached{"application/xml", "document.xml", content}
				}
				f := examine(t, subject(t, write(bob, "", kind)))
				f.Hold(owner)
				got := verdicts(f)
				switch {
				case strings.Contains(name, "control"):
					if len(f.Lots) != 1 || f.Lots[0].Reason != "" {
						t.Errorf("%s: %s", name, got)
					}
				case name == "uniqueid-reuse.zip": // the vault alone can tell
				case extension == ".zip", strings.HasPrefix(name, "sem-"), strings.HasPrefix(name, "dtd-"), strings.HasPrefix(name, "billion"):
					for i := range f.Lots {
						if f.Lots[i].Reason == "" {
							t.Errorf("%s would be filed", name)
						}
					}
				}
				t.Logf("%s: %s", name, got)
			}
		})
	}
}
