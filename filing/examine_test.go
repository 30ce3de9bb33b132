package filing_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/filing"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/xdm"
)

func TestMain(m *testing.M) { deliverytest.Main(m) }

// verdicts are the findings in short: each lot with its kind, number of documents,
// and reason, then each invitation.
func verdicts(f *filing.Findings) string {
	var all []string
	for i := range f.Lots {
		l := &f.Lots[i]
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %d %s", l.Kind, len(l.Documents), l.Reason)))
	}
	for _, v := range f.Invitations {
		all = append(all, strings.TrimSpace("calendar "+v.Reason))
	}
	return strings.Join(all, ", ")
}

func TestWhatALetterHolds(t *testing.T) {
	t.Parallel()
	one, two := about(person(), "1.2.250.1.999.1.1"), about(person(), "1.2.250.1.999.1.2")
	lone := one.cda(t)
	for _, c := range []struct {
		name  string
		parts []attached
		want  string
	}{
		{"a package", []attached{zipped(pack(t, one, two))}, "xdm 2"},
		{"a package and its copy", []attached{zipped(pack(t, one)), pdfFile("copie.pdf", pdf("x"))}, "xdm 1"},
		{"a package without a name", []attached{{"application/octet-stream", "", pack(t, one)}}, "xdm 1"},
		{"a package with a strange type", []attached{{"application/x-zip-compressed", "envoi", pack(t, one)}}, "xdm 1"},
		{"no package in what is called one", []attached{{"text/plain", "ihe-xdm.ZIP", []byte("bonjour")}}, "xdm 0 zip-malformed"},
		{"an archive of something else", []attached{{"application/zip", "photos.zip", zipOf(t, "a.jpg", "x")}}, ""},
		{"that archive beside a PDF", []attached{{"application/zip", "photos.zip", zipOf(t, "a.jpg", "x")}, pdfFile("b.pdf", pdf("x"))}, "pdf 1"},
		{"an office file", []attached{{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "lettre.docx", zipOf(t, "word/document.xml", "<x/>")}}, ""},
		{"a broken package", []attached{zipped(pack(t, one)[:600])}, "xdm 0 zip-malformed"},
		{"a bare document", []attached{xmlFile(lone)}, "cda 1"},
		{"a document that nobody declares", []attached{{"application/octet-stream", "x.bin", lone}}, "cda 1"},
		{"two documents", []attached{xmlFile(lone), xmlFile(two.cda(t))}, "cda 1, cda 1"},
		{"a document and a package", []attached{xmlFile(lone), zipped(pack(t, two))}, "cda 1, xdm 1"},
		{"other XML", []attached{xmlFile([]byte("<facture xmlns='x'/>"))}, ""},
		{"a document without its namespace", []attached{xmlFile([]byte("<?xml version='1.0'?><!-- x --><ClinicalDocument><id root='1.2'/></ClinicalDocument>"))}, "cda 0 cda-not-cda"},
		{"a document cut short", []attached{xmlFile(lone[:len(lone)-40])}, "cda 0 xml-malformed"},
		{"a document with a DTD", []attached{xmlFile(append([]byte("<!DOCTYPE x>"), lone[38:]...))}, "cda 0 xml-dtd"},
		{"PDFs", []attached{pdfFile("a.pdf", pdf("a")), pdfFile("b.pdf", pdf("b"))}, "pdf 1, pdf 1"},
		{"a PDF in name only", []attached{pdfFile("a.pdf", []byte("MZ"))}, ""},
		{"a picture and a text", []attached{{"image/png", "logo.png", []byte("\x89PNG")}, {"text/plain", "", []byte("x")}}, ""},
		{"an invitation", []attached{calendar("REQUEST", invitation("REQUEST", "u1", bob, jeanne, 0))}, "calendar"},
		{"an invitation by another", []attached{calendar("REQUEST", invitation("REQUEST", "u1", anne, jeanne, 0))}, "calendar invite-sender-not-organizer"},
		{"an invitation of another", []attached{calendar("REQUEST", invitation("REQUEST", "u1", bob, louis, 0))}, "calendar invite-not-for-me"},
		{"no calendar", []attached{calendar("REQUEST", []byte("x"))}, "calendar calendar-malformed"},
		{"all at once", []attached{zipped(pack(t, one)), pdfFile("a.pdf", pdf("a")), calendar("REQUEST", invitation("REQUEST", "u1", bob, jeanne, 0))}, "xdm 1, calendar"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := examine(t, subject(t, write(bob, "", c.parts...)))
			f.Hold(filing.IdentityOf(person()))
			if got := verdicts(f); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestMetadata holds what the vault will know of a document, from the metadata and
// from the header, and what of it differs.
func TestMetadata(t *testing.T) {
	t.Parallel()
	p := about(person(), "1.2.250.1.999.1.1")
	bare := examine(t, subject(t, write(bob, "", xmlFile(p.cda(t))))).Lots[0].Documents[0].Document
	if bare.UniqueID != p.ID || bare.Title != p.Title || bare.Type.Code != "11490-0" || bare.MIME != "text/xml" || bare.SetID != p.Set ||
		bare.SourcePatient.Matricule != p.INS || bare.SourcePatient.BirthName != p.Family || len(bare.Authors) != 1 ||
		bare.Authors[0].PersonID != p.Author || bare.Format.Code != "urn:asip:ci-sis:ldl-ses:2017" || bare.Created.IsZero() {
		t.Errorf("bare: %+v", struct{ d *dmp.Document }{&bare})
	}
	e := p.entry()
	e.Title, e.Type.Code, e.Created.At = "Autre titre", "34112-3", e.Created.At.AddDate(0, 0, 1)
	e.Class = xdm.Code{Code: "52"}
	content := packOf(t, xdm.Patient{OID: p.OID, Matricule: p.INS}, xdm.Content{Entry: e, Body: bytes.NewReader(p.cda(t))})
	f := examine(t, subject(t, write(bob, "", zipped(content))))
	got := f.Lots[0].Documents[0].Document
	if got.Title != "Autre titre" || got.Type.Code != "34112-3" || got.SetID != p.Set || len(got.Authors) != 1 || f.Lots[0].Reason != "" {
		t.Errorf("package: %q %q %q, %s", got.Title, got.Type.Code, got.SetID, f.Lots[0].Reason)
	}
	for _, want := range []string{"title-differs", "type-differs", "created-differs", "class-differs"} {
		if !slices.Contains(got.Warnings, want) {
			t.Errorf("warnings %v lack %s", got.Warnings, want)
		}
	}
	p.Title, p.Type = "", ""
	poor := examine(t, subject(t, write(bob, "", xmlFile(p.cda(t))))).Lots[0].Documents[0].Document
	if !slices.Contains(poor.Warnings, "title-missing") || !slices.Contains(poor.Warnings, "type-missing") || poor.Title != "doc" {
		t.Errorf("poor: %q %v", poor.Title, poor.Warnings)
	}
}

// TestWhatKeepsADocumentOut holds that identifier and integrity decide.
func TestWhatKeepsADocumentOut(t *testing.T) {
	t.Parallel()
	p := about(person(), "1.2.250.1.999.1.1")
	who := xdm.Patient{OID: p.OID, Matricule: p.INS}
	other := p.entry()
	other.UniqueID = "1.2.250.1.999.1.9"
	image := p.entry()
	image.MIME = "image/png"
	program := p.entry()
	program.MIME = "application/x-msdownload"
	snapshot := p.entry()
	snapshot.MIME, snapshot.SourcePatient = "application/pdf", xdm.SourcePatient{Family: p.Family, Given: p.Given, BirthDate: "1951-03-12", Sex: "F"}
	nobody := snapshot
	nobody.SourcePatient = xdm.SourcePatient{}
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"another identifier in the metadata", packOf(t, who, xdm.Content{Entry: other, Body: bytes.NewReader(p.cda(t))}), "document-id-differs"},
		{"no XML in what is called so", packOf(t, who, xdm.Content{Entry: p.entry(), Body: strings.NewReader("MZ\x90")}), "xml-encoding"},
		{"no picture in what is called so", packOf(t, who, xdm.Content{Entry: image, Body: strings.NewReader("MZ\x90")}), "document-type-mismatch"},
		{"a program", packOf(t, who, xdm.Content{Entry: program, Body: strings.NewReader("MZ\x90")}), "document-type-unsupported"},
		{"a PDF with a snapshot", packOf(t, who, xdm.Content{Entry: snapshot, Body: bytes.NewReader(pdf("x"))}), ""},
		{"a PDF without", packOf(t, who, xdm.Content{Entry: nobody, Body: bytes.NewReader(pdf("x"))}), "identity-incomplete"},
		{"one of two", packOf(t, who, xdm.Content{Entry: p.entry(), Body: bytes.NewReader(p.cda(t))}, xdm.Content{Entry: other, Body: strings.NewReader("<x/>")}), "document-type-unsupported"},
	} {
		f := examine(t, subject(t, write(bob, "", zipped(c.content))))
		f.Hold(filing.IdentityOf(person()))
		if got := f.Lots[0].Reason; got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestAmbiguousLettersFileNothing puts each doubt around a sound package.
func TestAmbiguousLettersFileNothing(t *testing.T) {
	t.Parallel()
	sound := write(bob, "", zipped(pack(t, about(person(), "1.2.250.1.999.1.1"))))
	for _, c := range []struct{ name, old, new, verdict string }{
		{"two types", "boundary=limite\r\n", "boundary=limite\r\nContent-Type: text/plain\r\n", "mime-type-repeated"},
		{"a comment", "Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: base64 (7bit)", "mime-comment"},
		{"no end", "--limite--", "--", "mime-boundary-unclosed"},
		{"something after the end", "--limite--\r\n", "--limite--\r\nmot\r\n", "mime-epilogue"},
		{"an unknown encoding", "Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: base32", "mime-encoding-unknown"},
		{"a NUL", "Bonjour", "Bon\x00jour", "octet-nul"},
		{"a line that is no field", "MIME-Version", "rien\r\nMIME-Version", "header-line-malformed"},
		{"no MIME-Version", "MIME-Version: 1.0\r\n", "", ""},
		{"another name in the type", "Content-Type: application/zip", "Content-Type: application/zip; name=autre.zip", ""},
		{"a program beside it", "filename=\"IHE_XDM.zip\"", "filename=\"IHE_XDM.zip.exe\"", ""},
	} {
		text := strings.Replace(sound, c.old, c.new, 1)
		if text == sound {
			t.Fatalf("%s: nothing replaced", c.name)
		}
		f := examine(t, subject(t, text))
		if c.verdict == "" {
			if f.Reason != "" || len(f.Lots) != 1 || f.Lots[0].Reason != "" {
				t.Errorf("%s: %q %v, %s", c.name, f.Reason, f.Ambiguities, verdicts(f))
			}
			continue
		}
		if f.Reason != "letter-ambiguous" || len(f.Lots) > 0 || !slices.Contains(f.Ambiguities, c.verdict) {
			t.Errorf("%s: %q %v, %s", c.name, f.Reason, f.Ambiguities, verdicts(f))
		}
	}
	if f := examine(t, subject(t, deliverytest.Text(bob, "x")+"\x00")); f.Reason != "" {
		t.Errorf("a letter without attachments: %s", f.Reason)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	p := about(person(), "1.2.250.1.999.1.1")
	s := subject(t, write(bob, "", zipped(pack(t, p)), xmlFile(p.cda(t))))
	s.Limits.One = 1000
	if got := verdicts(examine(t, s)); got != "xdm 0 attachment-too-large, cda 0 attachment-too-large" {
		t.Error(got)
	}
	s.Limits = filing.Limits{Total: int64(len(pack(t, p))+len(p.cda(t))) + 10}
	if got := verdicts(examine(t, s)); got != "xdm 1, cda 0 attachment-too-large" {
		t.Error(got)
	}
	s.Limits = filing.Limits{Attachments: 1}
	if f := examine(t, s); f.Reason != "attachment-limit" || verdicts(f) != "xdm 1 attachment-limit" || f.Attachments[1].Reason != "attachment-limit" {
		t.Errorf("%s %s", f.Reason, verdicts(f))
	}
	two := subject(t, write(bob, "", zipped(pack(t, p)), zipped(pack(t, about(person(), "1.2.3")))))
	two.Limits.Packages = 1
	if got := verdicts(examine(t, two)); got != "xdm 1, xdm 0 attachment-limit" {
		t.Error(got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := filing.Examine(ctx, s); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	broken := errors.New("broken")
	s.Octets = readerAt{broken}
	if _, err := filing.Examine(t.Context(), s); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type readerAt struct{ err error }

func (r readerAt) ReadAt([]byte, int64) (int, error) { return 0, r.err }

// TestLoneFiles examines what an integrator has on disk.
func TestLoneFiles(t *testing.T) {
	t.Parallel()
	p := about(person(), "1.2.250.1.999.1.1")
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"IHE_XDM.ZIP", pack(t, p), "xdm 1"},
		{"cda.xml", p.cda(t), "cda 1"},
		{"lettre.pdf", pdf("x"), "pdf 1"},
		{"rdv.ics", invitation("REQUEST", "u", anne, louis, 0), "calendar"},
		{"sans-nom", invitation("REQUEST", "u", anne, louis, 0), "calendar"},
		{"x.txt", []byte("x"), ""},
		{"empty", nil, ""},
	} {
		f := examine(t, filing.Subject{Octets: bytes.NewReader(c.content), Size: int64(len(c.content)), Name: c.name})
		if got := verdicts(f); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if len(f.Lots) == 1 && f.Lots[0].Kind != filing.PDF {
			if diff := cmp.Diff(filing.IdentityOf(person()), f.Lots[0].Identity); diff != "" {
				t.Errorf("%s names (-want +got):\n%s", c.name, diff)
			}
		}
	}
}

// TestNothingIsLeftInClear examines a package and looks into the folder of its spools.
func TestNothingIsLeftInClear(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := subject(t, write(bob, "", zipped(pack(t, about(person(), "1.2.250.1.999.1.1")))))
	s.Dir = dir
	f := examine(t, s)
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("%d files, %v", len(files), err)
	}
	d, err := f.Lots[0].Documents[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(d); err != nil || !bytes.Contains(b, []byte("ClinicalDocument")) {
		t.Errorf("%q, %v", b, err)
	}
	if err := errors.Join(d.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	if _, err := f.Lots[0].Documents[0].Open(); err == nil {
		d, _ := f.Lots[0].Documents[0].Open()
		if _, err := io.ReadAll(d); err == nil {
			t.Error("a document is readable after Close")
		}
	}
}

// TestMemory examines a letter with a document of 16 MiB and counts what is held.
func TestMemory(t *testing.T) {
	p := about(person(), "1.2.250.1.999.1.1")
	head, tail, _ := bytes.Cut(p.cda(t), []byte("<structuredBody>"))
	_, tail, _ = bytes.Cut(tail, []byte("</structuredBody>"))
	big := slices.Concat(head, []byte(`<nonXMLBody><text mediaType="application/pdf" representation="B64">`),
		bytes.Repeat([]byte("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9w\n"), 16<<20/57), []byte("</text></nonXMLBody>"), tail)
	s := subject(t, write(bob, "", xmlFile(big)))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f := examine(t, s)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got := verdicts(f); got != "cda 1" {
		t.Fatal(got)
	}
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 4<<20 {
		t.Errorf("%d octets held", held)
	}
	t.Logf("%d octets allocated for %d", after.TotalAlloc-before.TotalAlloc, len(big))
}

// FuzzExamine gives any octets to the examiner, as any kind of file and of part.
func FuzzExamine(f *testing.F) {
	p := about(person(), "1.2.250.1.999.1.1")
	f.Add(pack(f, p), "IHE_XDM.zip", "application/zip")
	f.Add(p.cda(f), "a.xml", "text/xml")
	f.Add(pdf("x"), "a.pdf", "application/pdf")
	f.Add(invitation("REQUEST", "u", bob, jeanne, 0), "a.ics", "text/calendar; method=REQUEST")
	f.Add([]byte("PK\x05\x06"), "x", "application/octet-stream")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte, name, kind string) {
		if len(content) > 64<<10 || strings.ContainsAny(name+kind, "\r\n\x00\"") {
			return
		}
		lone := examine(t, filing.Subject{Octets: bytes.NewReader(content), Size: int64(len(content)), Name: name, Dir: dir})
		lone.Hold(filing.IdentityOf(person()))
		check(t, lone)
		text := write(bob, "", attached{kind, name, content})
		w := letter.NewWalker(letter.Limits{})
		if _, err := io.Copy(w, iotest.OneByteReader(strings.NewReader(text))); err != nil {
			t.Fatal(err)
		}
		st, err := w.Close()
		if err != nil {
			return
		}
		mailed := examine(t, filing.Subject{Octets: strings.NewReader(text), Size: int64(len(text)), Structure: st, Dir: dir})
		mailed.Hold(filing.IdentityOf(person()))
		check(t, mailed)
	})
}

// check holds what is true of all findings.
func check(t *testing.T, f *filing.Findings) {
	t.Helper()
	for i := range f.Lots {
		l := &f.Lots[i]
		if f.Attachments[l.Attachment].Lot != i {
			t.Errorf("lot %d is not that of its attachment", i)
		}
		if (l.Reason == "") != (l.Code() == 0) || l.Reason == "" && len(l.Documents) == 0 {
			t.Errorf("%s %d: %q, code %d", l.Kind, len(l.Documents), l.Reason, l.Code())
		}
		for _, d := range l.Documents {
			if l.Reason == "" && l.Kind != filing.PDF && d.SourcePatient.Matricule != l.Identity.Matricule {
				t.Errorf("a document of somebody else would be filed")
			}
		}
	}
}
