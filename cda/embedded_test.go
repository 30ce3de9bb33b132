package cda_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/fault"
)

func reader(doc []byte) *bytes.Reader { return bytes.NewReader(doc) }

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// nonXML returns a level 1 document.
func nonXML(t testing.TB, attrs, inside string) []byte {
	t.Helper()
	return body(t, "<nonXMLBody><text "+attrs+">"+inside+"</text></nonXMLBody>")
}

func TestFilesAreWhatTheirOctetsSay(t *testing.T) {
	t.Parallel()
	const pdf = "%PDF-1.4\n%\xE2\xE3\n1 0 obj"
	for _, row := range []struct{ attrs, inside, kind, want, warning string }{
		{`mediaType="application/pdf" representation="B64"`, b64(pdf), "application/pdf", pdf, ""},
		{`mediaType="text/html" representation="B64"`, b64(pdf), "application/pdf", pdf, ""},
		{`mediaType="application/pdf" representation="B64"`, "\n  " + b64(pdf)[:8] + "&#13;\n\t" + b64(pdf)[8:] + " ", "application/pdf", pdf, ""},
		{`mediaType="application/pdf" representation="B64"`, "<!-- x -->" + b64(pdf)[:8] + "<!-- y --><![CDATA[" + b64(pdf)[8:] + "]]>", "application/pdf", pdf, ""},
		{`mediaType="application/pdf" representation="B64"`, "<thumbnail>QUJD</thumbnail>" + b64(pdf), "application/pdf", pdf, ""},
		{`mediaType="application/pdf" representation="B64"`, strings.TrimRight(b64(pdf+"x"), "="), "application/pdf", pdf + "x", ""},
		{`mediaType="application/pdf"`, b64(pdf), "application/pdf", pdf, ""}, // representation forgotten
		{`mediaType="image/jpeg" representation="B64"`, b64("\xFF\xD8\xFF\xE0xx"), "image/jpeg", "\xFF\xD8\xFF\xE0xx", ""},
		{`mediaType="image/png" representation="B64"`, b64("\x89PNG\r\n\x1A\nxx"), "image/png", "\x89PNG\r\n\x1A\nxx", ""},
		{`mediaType="text/plain" representation="B64"`, b64("été\n"), "text/plain", "été\n", ""},
		{`mediaType="text/plain"`, "a &lt; b", "text/plain", "a < b", ""},
		{`mediaType="text/plain" representation="B64"`, b64("MZ\x00\x01"), cda.Unknown, "MZ\x00\x01", "body-unknown"},
		{`mediaType="text/html" representation="B64"`, b64("<script>"), cda.Unknown, "<script>", "body-unknown"},
		{`mediaType="application/pdf" representation="B64"`, b64(" " + pdf), cda.Unknown, " " + pdf, "body-unknown"},
		{`mediaType="application/pdf" representation="B64"`, "", cda.Unknown, "", "body-unknown"},
	} {
		doc := nonXML(t, row.attrs, row.inside)
		d := mustRead(t, doc)
		files := d.Embedded(reader(doc))
		if len(files) != 1 || d.Level() != cda.N1 || !files[0].Body {
			t.Fatalf("%s: %d files, level %s", row.attrs, len(files), d.Level())
		}
		f, err := files[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(f)
		if err != nil || string(got) != row.want || files[0].MediaType != row.kind || int64(len(got)) > files[0].Size+2 {
			t.Errorf("%s %s: %q of type %s, size %d, %v; want %q of type %s", row.attrs, row.inside, got, files[0].MediaType, files[0].Size, err, row.want, row.kind)
		}
		if warned := strings.Join(d.Warnings, " "); warned != row.warning {
			t.Errorf("%s %s: warnings %q, want %q", row.attrs, row.inside, warned, row.warning)
		}
	}
}

func TestFilesThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ attrs, inside, opens, reads, warning string }{
		{`representation="B64"`, "@@@@", "", "cda-body-malformed", "body-unknown"},
		{`representation="B64"`, "QUJDR", "", "cda-body-malformed", "body-unknown"},
		{`representation="B64"`, "QQ==QUJD", "", "cda-body-malformed", "body-unknown"},
		{`representation="B64" compression="DF"`, "eJw=", "cda-body-compressed", "", "body-compressed"},
	} {
		doc := nonXML(t, row.attrs, row.inside)
		d := mustRead(t, doc)
		if warned := strings.Join(d.Warnings, " "); warned != row.warning {
			t.Errorf("%s: warnings %q, want %q", row.inside, warned, row.warning)
		}
		f, err := d.Embedded(reader(doc))[0].Open()
		if row.opens != "" {
			if fault.Reason(err) != row.opens {
				t.Errorf("%s: %v, want %s", row.inside, err, row.opens)
			}
			continue
		}
		if _, err = io.ReadAll(f); fault.Reason(err) != row.reads || !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want %s", row.inside, err, row.reads)
		}
	}
}

func TestABodyElsewhereIsNotFetched(t *testing.T) {
	t.Parallel()
	doc := nonXML(t, `mediaType="application/pdf"`, `<reference value="http://canary.invalid/a.pdf"/>`)
	d := mustRead(t, doc)
	if got := d.Warnings; len(got) != 1 || got[0] != "body-elsewhere" || len(d.Embedded(reader(doc))) != 0 {
		t.Errorf("warnings %v, %d files", got, len(d.Embedded(reader(doc))))
	}
}

func TestPlainTextBodyIsRendered(t *testing.T) {
	t.Parallel()
	for _, octets := range []string{"Bonjour <b>,\r\nà demain.\r\n\r\nFin", "Bonjour <b>,\n\xE0 demain.\n\n\nFin"} {
		d := mustRead(t, nonXML(t, `mediaType="text/plain" representation="B64"`, b64(octets)))
		want := `<p class="cda-plain">Bonjour &lt;b&gt;,<br>à demain.</p><p class="cda-plain">Fin</p>`
		if got := rendered(t, d, cda.Render{}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// large is a document with 30 MB of base64 that is made while it is read.
type large struct {
	head, tail string
	size       int64
}

func (l large) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		switch at := off + int64(i); {
		case at < int64(len(l.head)):
			p[i] = l.head[at]
		case at < int64(len(l.head))+l.size:
			p[i] = "QUJDREVG"[(at-int64(len(l.head)))%8]
		case at < l.length():
			p[i] = l.tail[at-int64(len(l.head))-l.size]
		default:
			return i, io.EOF
		}
	}
	return len(p), nil
}

func (l large) length() int64 { return int64(len(l.head)) + l.size + int64(len(l.tail)) }

// TestLargeFilesAreNotHeld is not parallel: it counts what is allocated.
func TestLargeFilesAreNotHeld(t *testing.T) {
	head, tail, _ := strings.Cut(string(nonXML(t, `mediaType="application/pdf" representation="B64"`, "HERE")), "HERE")
	doc := large{head: head + b64("%PDF-1.4 ") /* a multiple of four */, tail: tail, size: 30 << 20}
	before := allocated()
	d, err := cda.Read(doc, doc.length(), cda.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Embedded(doc)[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, f)
	if want := int64(9 + 30<<20/4*3); err != nil || n != want {
		t.Errorf("%d octets, want %d; %v", n, want, err)
	}
	if grew := allocated() - before; grew > 4<<20 {
		t.Errorf("%d KiB allocated for a document of %d MiB", grew>>10, doc.size>>20)
	}
	if _, err := cda.Read(doc, doc.length(), cda.Limits{Size: 1 << 20}); fault.Reason(err) != "cda-too-large" {
		t.Errorf("over the size: %v", err)
	}
}

// failing fails to read behind an offset.
type failing struct {
	io.ReaderAt
	from int64
	err  error
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		return 0, f.err
	}
	return f.ReaderAt.ReadAt(p, off)
}

func TestErrorsOfTheSourceAreNotTheDocuments(t *testing.T) {
	t.Parallel()
	away := fault.New(fault.Transient, "blob-away")
	doc := nonXML(t, `mediaType="application/pdf" representation="B64"`, b64("%PDF-1.4"+strings.Repeat("x", 100_000)))
	d := mustRead(t, doc)
	for _, from := range []int64{0, 20_000, 100_000} {
		source := failing{reader(doc), from, away}
		if _, err := cda.Read(source, int64(len(doc)), cda.Limits{}); !errors.Is(err, away) {
			t.Errorf("from %d: %v", from, err)
		}
		f, err := d.Embedded(source)[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(f); !errors.Is(err, away) {
			t.Errorf("opened, from %d: %v", from, err)
		}
	}
}

func TestTooManyFiles(t *testing.T) {
	t.Parallel()
	media := func(n int) []byte {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `<entry><observationMedia ID="m%d"><value representation="B64" mediaType="image/png">QUJD</value></observationMedia></entry>`, i)
		}
		return fixture(t, "<text>ok</text>", "<text>ok</text>"+b.String())
	}
	doc := media(100)
	if files := mustRead(t, doc).Embedded(reader(doc)); len(files) != 100 || files[99].ID != "m99" {
		t.Errorf("%d files", len(files))
	}
	if _, err := read(media(101)); fault.Reason(err) != "cda-too-large" {
		t.Errorf("101 files: %v", err)
	}
}
