package xdm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// lot is a package of two documents: a report and the PDF that replaces another.
func lot() xdm.Lot {
	at := xdm.Time{Raw: "20261102090000", At: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	author := xdm.Author{
		Person:       xdm.Person{ID: "801234567890", System: "1.2.250.1.71.4.2.1", Family: "MARTIN", Given: "Anne"},
		Institutions: []xdm.Institution{{Name: "CHU de l’Été", ID: "1750100125", System: "1.2.250.1.71.4.2.2"}},
		Roles:        []xdm.Code{{Display: "médecin d'astreinte"}},
		Specialties:  []xdm.Code{{Code: "G15_10/SM54", Display: "Médecine générale", System: "1.2.250.1.213.1.1.4.5"}},
	}
	return xdm.Lot{
		Patient:  xdm.Patient{OID: "1.2.250.1.213.1.4.10", Matricule: "279035121518989"},
		SourceID: "1.2.250.1.999.2", UniqueID: "1.2.250.1.999.2.5", Submitted: at.At,
		Title: "Sortie <du> séjour & suites", ContentType: xdm.Code{Code: "04", System: "1.2.250.1.213.2.2", Display: "Hospitalisation"},
		Authors: []xdm.Author{author}, Recipients: []string{"|a@b.example"},
		Software: "Vaguemestre", Contact: "secrétariat, 01 23 45 67 89 ☎",
		Documents: []xdm.Content{
			{Body: strings.NewReader(text), Entry: xdm.Entry{
				EntryUUID: "urn:uuid:5d5a1fe6-8c0c-4a2b-9d6e-1d1f6f3ad001", UniqueID: "1.2.250.1.999.3^1", MIME: "text/xml",
				Title: "Compte rendu d'hospitalisation", Comments: "\"à relire\"", Language: "fr-FR",
				Class: xdm.Code{Code: "10", System: "1.2.250.1.213.1.1.4.1", Display: "Compte rendu"}, Type: xdm.Code{Code: "34112-3", System: "2.16.840.1.113883.6.1"},
				Format: xdm.Code{Code: "urn:ihe:iti:xds-sd:pdf:2008"}, Facility: xdm.Code{Code: "SA01"}, Practice: xdm.Code{Code: "ETABLISSEMENT"},
				Confidentiality: []xdm.Code{{Code: "N"}, {Code: "MASQUE_PS"}}, Events: []xdm.Code{{Code: "ABC001"}},
				Authors: []xdm.Author{author}, LegalAuthenticator: author.Person, Created: at, Start: at, Stop: at,
				Version: "3", ReferenceIDs: []string{"A1^^^&1.9&ISO"}, RepositoryID: "1.2.8", LogicalID: "urn:uuid:7", Status: "urn:x:Approved",
				SourcePatientID: "77^^^&1.2.3&ISO",
				SourcePatient:   xdm.SourcePatient{Family: "DUPONT", Given: "JEANNE", BirthDate: "1979-03-15", Sex: "F"},
			}},
			{Body: strings.NewReader("%PDF-1.7 a copy"), Entry: xdm.Entry{
				UniqueID: "1.2.250.1.999.3^2", MIME: "application/pdf", Type: xdm.Code{Code: "34112-3"}, Created: at,
				Replaces: []string{"urn:uuid:5d5a1fe6-8c0c-4a2b-9d6e-1d1f6f3ad000"},
			}},
		},
	}
}

func written(t testing.TB, l xdm.Lot) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := xdm.Write(&b, l); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestWrittenPackageIsRead writes a package and reads it back.
func TestWrittenPackageIsRead(t *testing.T) {
	t.Parallel()
	l := lot()
	raw := written(t, l)
	p, err := open(t, raw)
	if err != nil {
		t.Fatal(err)
	}
	if p.Patient() != l.Patient || len(p.Warnings) != 0 || len(p.Sets) != 1 || len(p.Documents()) != 2 {
		t.Fatalf("read back: %d sets, warnings %v", len(p.Sets), p.Warnings)
	}
	set := p.Sets[0]
	if set.Folder != "IHE_XDM/SUBSET01" || set.UniqueID != l.UniqueID || set.SourceID != l.SourceID || set.Title != l.Title ||
		!set.Submitted.At.Equal(l.Submitted) || set.ContentType != l.ContentType || !cmp.Equal(set.Recipients, l.Recipients) {
		t.Errorf("the set came back as %+v", set)
	}
	for i, name := range []string{"DOC0001.XML", "DOC0002.PDF"} {
		got, want := *set.Documents[i], l.Documents[i].Entry
		if got.Name != "IHE_XDM/SUBSET01/"+name || got.URI != name || got.Size != got.Octets || len(got.Hash) != 40 || got.Patient != l.Patient {
			t.Errorf("%s: %+v", name, got)
		}
		if i == 1 {
			if !strings.HasPrefix(got.EntryUUID, "urn:uuid:") || len(got.EntryUUID) != len("urn:uuid:")+36 {
				t.Errorf("made id %q", got.EntryUUID)
			}
			want.EntryUUID = got.EntryUUID
		}
		ignore := cmp.Options{
			cmpopts.IgnoreUnexported(xdm.Entry{}),
			cmpopts.IgnoreFields(xdm.Entry{}, "URI", "Name", "Octets", "Hash", "Size", "PatientID", "Patient", "SourcePatientID", "Warnings"),
			cmpopts.IgnoreFields(xdm.SourcePatient{}, "Raw"), cmpopts.IgnoreFields(xdm.Person{}, "Raw"), cmpopts.IgnoreFields(xdm.Institution{}, "Raw"),
		}
		if diff := cmp.Diff(want, got, ignore); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	content, err := read(p, set.Documents[1])
	if err != nil || string(content) != "%PDF-1.7 a copy" {
		t.Errorf("%q, %v", content, err)
	}
	// What was read can be written again: the raw forms are kept as they are.
	again := l
	again.Documents = nil
	for i, e := range p.Documents() {
		r, err := p.Document(e)
		if err != nil {
			t.Fatal(err)
		}
		again.Documents = append(again.Documents, xdm.Content{Entry: *e, Body: r})
		again.Authors = p.Sets[0].Authors
		_ = i
	}
	p2, err := open(t, written(t, again))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.Sets, p2.Sets, cmpopts.IgnoreUnexported(xdm.Set{}, xdm.Entry{})); diff != "" {
		t.Errorf("written again: %s", diff)
	}
}

// TestWrittenPackageIsStrict looks at the archive with other programs: names, text
// files, well-formed XML (spec dmp 4.2).
func TestWrittenPackageIsStrict(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "IHE_XDM.ZIP")
	if err := os.WriteFile(file, written(t, lot()), 0o600); err != nil {
		t.Fatal(err)
	}
	out := run(t, "python3", "-c", `
import hashlib, json, sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
print(json.dumps([[i.filename, hashlib.sha1(z.read(i)).hexdigest()] for i in z.infolist()]))
z.extractall(sys.argv[2])`, file, dir)
	var names [][2]string
	if err := json.Unmarshal(out, &names); err != nil {
		t.Fatal(err)
	}
	strict := regexp.MustCompile(`^([A-Z0-9_]{1,8}/)*[A-Z0-9_]{1,8}\.[A-Z]{3}$`)
	got := map[string]string{}
	for _, n := range names {
		if !strict.MatchString(n[0]) {
			t.Errorf("%q is no ISO 9660 level 1 name", n[0])
		}
		got[n[0]] = n[1]
	}
	metadata, err := os.ReadFile(filepath.Join(dir, "IHE_XDM/SUBSET01/METADATA.XML"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"DOC0001.XML", "DOC0002.PDF"} {
		if sum := got["IHE_XDM/SUBSET01/"+name]; sum == "" || !bytes.Contains(metadata, []byte(sum)) {
			t.Errorf("%s: SHA-1 %q is not in the metadata", name, sum)
		}
	}
	run(t, "xmllint", "--noout", "--nonet", filepath.Join(dir, "INDEX.HTM"), filepath.Join(dir, "IHE_XDM/SUBSET01/METADATA.XML"))
	for path, want := range map[string]string{
		"count(//*[local-name()='ExtrinsicObject'])":                                               "2",
		"count(//*[local-name()='Association'])":                                                   "3",
		"count(//*[@id])=count(//@id[not(.=preceding::*/@id)])":                                    "true",
		"string(//*[local-name()='RegistryPackage']/*[local-name()='Name']/*/@value)":              "Sortie <du> séjour & suites",
		"count(//*[local-name()='Classification'][@nodeRepresentation=''])":                        "2",
		"count(//*[local-name()='Classification' or local-name()='ExternalIdentifier'][not(@id)])": "0",
	} {
		out := run(t, "xmllint", "--nonet", "--xpath", path, filepath.Join(dir, "IHE_XDM/SUBSET01/METADATA.XML"))
		if got := strings.TrimSpace(string(out)); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.TXT"))
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.IndexFunc(readme, func(r rune) bool { return r >= 0x7f || r < ' ' && r != '\r' && r != '\n' }); i >= 0 {
		t.Errorf("README.TXT is not ASCII at octet %d", i)
	}
	if bytes.Count(readme, []byte("\n")) != bytes.Count(readme, []byte("\r\n")) || !bytes.Contains(readme, []byte("secretariat, 01 23 45 67 89 ?")) {
		t.Errorf("README.TXT is\n%q", readme)
	}
}

// run runs a program that has to be there and to succeed; make quick does without.
func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	if testing.Short() {
		t.Skipf("needs %s: not for make quick", name)
	}
	if _, err := exec.LookPath(name); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v\n%s", name, err, stderr.Bytes())
	}
	return out
}

// TestLotsThatAreNotWritten gives what Write refuses.
func TestLotsThatAreNotWritten(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		spoil func(*xdm.Lot)
		want  string
	}{
		"no patient":     {func(l *xdm.Lot) { l.Patient = xdm.Patient{} }, "xdm-lot-incomplete"},
		"no source":      {func(l *xdm.Lot) { l.SourceID = "" }, "xdm-lot-incomplete"},
		"no time":        {func(l *xdm.Lot) { l.Submitted = time.Time{} }, "xdm-lot-incomplete"},
		"no document":    {func(l *xdm.Lot) { l.Documents = nil }, "xdm-lot-incomplete"},
		"no unique id":   {func(l *xdm.Lot) { l.Documents[1].Entry.UniqueID = "" }, "xdm-lot-incomplete"},
		"no type":        {func(l *xdm.Lot) { l.Documents[1].Entry.Type = xdm.Code{} }, "xdm-lot-incomplete"},
		"no MIME type":   {func(l *xdm.Lot) { l.Documents[1].Entry.MIME = "" }, "xdm-lot-incomplete"},
		"no creation":    {func(l *xdm.Lot) { l.Documents[1].Entry.Created = xdm.Time{} }, "xdm-lot-incomplete"},
		"no body":        {func(l *xdm.Lot) { l.Documents[1].Body = nil }, "xdm-lot-incomplete"},
		"many documents": {func(l *xdm.Lot) { l.Documents = make([]xdm.Content, 191) }, "zip-too-many-entries"},
		"large document": {func(l *xdm.Lot) { l.Documents[1].Body = io.LimitReader(zeros{}, 50<<20+1) }, "zip-too-large"},
		"a bomb":         {func(l *xdm.Lot) { l.Documents[0].Body = io.LimitReader(zeros{}, 1<<20) }, "zip-ratio"},
		"large documents": {func(l *xdm.Lot) {
			three := l.Documents[1]
			three.Body = io.LimitReader(zeros{}, 40<<20)
			for range 3 {
				d := three
				d.Body = io.LimitReader(zeros{}, 40<<20)
				l.Documents = append(l.Documents, d)
			}
		}, "zip-too-large"},
	} {
		l := lot()
		row.spoil(&l)
		if err := xdm.Write(io.Discard, l); fault.Reason(err) != row.want || !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
	}
	l := lot()
	l.Documents[0].Body = failingReader{}
	if err := xdm.Write(io.Discard, l); !errors.Is(err, errSource) {
		t.Errorf("a body that fails: %v", err)
	}
	for after := range 12 {
		if err := xdm.Write(&full{room: after * 300}, lot()); !errors.Is(err, errSource) {
			t.Errorf("full after %d octets: %v", after*300, err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// full is a destination that runs out of room.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errSource
	}
	return len(p), nil
}
