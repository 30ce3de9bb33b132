package mailbox_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
)

const head = "Return-Path: <dr@hospital.example>\r\nReceived: from a by b;\r\n\tWed, 4 Mar 2026 05:06:07 +0000\r\n"

const nested = "From: Dr <dr@hospital.example>\r\n" +
	"Content-Type: multipart/mixed; boundary=out\r\n" +
	"\r\n" +
	"preamble\r\n" +
	"--out\r\n" +
	"\r\n" +
	"first\r\n" +
	"--out\r\n" +
	"Content-Type: message/rfc822\r\n" +
	"\r\n" +
	"Subject: inner\r\n" +
	"Content-Type: multipart/alternative; boundary=in\r\n" +
	"\r\n" +
	"--in\r\n" +
	"Content-Type: text/plain\r\n" +
	"\r\n" +
	"plain\r\n" +
	"--in\r\n" +
	"Content-Type: text/html\r\n" +
	"\r\n" +
	"<p>html</p>\r\n" +
	"--in--\r\n" +
	"\r\n" +
	"--out--\r\n" +
	"epilogue\r\n"

const simple = "Subject: simple\r\n\r\nline one\r\nline two\r\n"

// walk makes the offset map of a letter.
func walk(t testing.TB, raw []byte) *letter.Structure {
	t.Helper()
	w := letter.NewWalker(letter.DefaultLimits())
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	s, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// open joins a head and a body.
func open(t testing.TB, head, body string) *mailbox.Letter {
	t.Helper()
	return mailbox.NewLetter(mailbox.Summary{Head: []byte(head), Structure: walk(t, []byte(body))}, strings.NewReader(body))
}

func TestSectionsAreTheOctetsOfTheLetter(t *testing.T) {
	t.Parallel()
	innerText := "--in\r\nContent-Type: text/plain\r\n\r\nplain\r\n--in\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n--in--\r\n"
	innerHeader := "Subject: inner\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n"
	_, outerText, _ := strings.Cut(nested, "\r\n\r\n")
	for _, c := range []struct {
		body string
		path []int
		want letter.Section
		text string // empty: there is no such section
	}{
		{nested, nil, letter.Whole, head + nested},
		{nested, nil, letter.Header, head + strings.TrimSuffix(nested, outerText)},
		{nested, nil, letter.Text, outerText},
		{nested, nil, letter.MIME, ""},
		{nested, []int{1}, letter.Whole, "first"},
		{nested, []int{1}, letter.MIME, "\r\n"},
		{nested, []int{1}, letter.Header, ""},
		{nested, []int{2}, letter.Whole, innerHeader + innerText},
		{nested, []int{2}, letter.MIME, "Content-Type: message/rfc822\r\n\r\n"},
		{nested, []int{2}, letter.Header, innerHeader},
		{nested, []int{2}, letter.Text, innerText},
		{nested, []int{2, 1}, letter.Whole, "plain"},
		{nested, []int{2, 2}, letter.Whole, "<p>html</p>"},
		{nested, []int{2, 2}, letter.MIME, "Content-Type: text/html\r\n\r\n"},
		{nested, []int{2, 3}, letter.Whole, ""},
		{nested, []int{3}, letter.Whole, ""},
		{nested, []int{0}, letter.Whole, ""},
		{simple, []int{1}, letter.Whole, "line one\r\nline two\r\n"},
		{simple, []int{1}, letter.MIME, head + "Subject: simple\r\n\r\n"},
		{simple, []int{1}, letter.Text, ""},
		{simple, []int{1, 1}, letter.Whole, ""},
		{"\r\nno header", nil, letter.Header, head + "\r\n"},
		{"\r\nno header", nil, letter.Text, "no header"},
	} {
		l := open(t, head, c.body)
		r, ok := l.Section(c.path, c.want)
		if !ok {
			if c.text != "" {
				t.Errorf("%v %d: no such section", c.path, c.want)
			}
			continue
		}
		got, err := io.ReadAll(l.Reader(r))
		if err != nil || string(got) != c.text {
			t.Errorf("%v %d: %q, %v; want %q", c.path, c.want, got, err, c.text)
		}
	}
}

func TestALetterIsARunOfOctets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ head, body string }{
		{head, nested}, {"", nested}, {head, simple}, {"X: y\r\n", "\r\n"}, {"", "\r\n"},
	} {
		l := open(t, c.head, c.body)
		if err := iotest.TestReader(l.Reader(letter.Range{Start: 0, End: l.Size()}), []byte(c.head+c.body)); err != nil {
			t.Error(err)
		}
	}
}

func TestAnyReadIsTheOctetsThere(t *testing.T) {
	t.Parallel()
	whole := head + nested
	rapid.Check(t, func(r *rapid.T) {
		l := open(t, head, nested)
		off := rapid.Int64Range(0, int64(len(whole))+3).Draw(r, "offset")
		p := make([]byte, rapid.IntRange(0, len(whole)+3).Draw(r, "length"))
		n, err := l.ReadAt(p, off)
		from := min(off, int64(len(whole)))
		want := whole[from:min(from+int64(len(p)), int64(len(whole)))]
		if string(p[:n]) != want {
			r.Fatalf("read %q, want %q", p[:n], want)
		}
		if ended := n < len(p) || off >= int64(len(whole)); ended != errors.Is(err, io.EOF) {
			r.Fatalf("read %d of %d at %d: %v", n, len(p), off, err)
		}
	})
}

func TestABodyThatIsShortIsAnError(t *testing.T) {
	t.Parallel()
	l := mailbox.NewLetter(mailbox.Summary{Head: []byte(head), Structure: walk(t, []byte(simple))}, strings.NewReader(simple[:20]))
	_, err := io.ReadAll(l.Reader(letter.Range{Start: 0, End: l.Size()}))
	if !fault.Is(err, fault.Internal) || fault.Reason(err) != "body-short" {
		t.Errorf("got %v", err)
	}
	if _, err := l.ReadAt(nil, -1); !fault.Is(err, fault.Invalid) {
		t.Errorf("negative offset: %v", err)
	}
}

// Every section of head and body is the same octets as when the whole is read as
// one letter: the head moves everything and changes nothing.
func sameSections(t *testing.T, raw []byte) {
	t.Helper()
	whole := append([]byte(head), raw...)
	want := walk(t, whole)
	l := mailbox.NewLetter(mailbox.Summary{Head: []byte(head), Structure: walk(t, raw)}, bytes.NewReader(raw))
	var descend func(path []int, p *letter.Part)
	descend = func(path []int, p *letter.Part) {
		for _, s := range []letter.Section{letter.Whole, letter.Header, letter.Text, letter.MIME} {
			a, okA := want.Section(path, s)
			b, okB := l.Section(path, s)
			if okA != okB || okA && a != b {
				t.Errorf("section %v %d: %v %v, want %v %v", path, s, b, okB, a, okA)
			}
		}
		if inner := p.Message(); inner != nil {
			p = inner
		}
		for i := range max(len(p.Children), 1) + 1 {
			next := append(slices.Clone(path), i+1)
			if child, ok := want.Find(next); ok && len(path) < 30 && child != p {
				descend(next, child)
			}
		}
	}
	descend(nil, &want.Root)
}

func TestTheHeadMovesEverySection(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{nested, simple, "\r\nno header", "no empty line\r\n", ""} {
		sameSections(t, []byte(raw))
	}
}

func TestTheHeadMovesEverySectionOfTheCorpus(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("CORPUS_DIR")
	if dir == "" {
		dir = "../../shared/data"
	}
	var files []string
	for _, pattern := range []string{"eml/*.eml", "eml-direct/*.eml"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		if os.Getenv("CORPUS") == "required" {
			t.Fatalf("no letters in %s", dir)
		}
		t.Skipf("no letters in %s", dir)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		w := letter.NewWalker(letter.DefaultLimits())
		_, _ = w.Write(append([]byte(head), raw...))
		if _, err := w.Close(); err != nil {
			continue // refused with the head: it is a test of package letter what is
		}
		t.Run(filepath.Base(name), func(t *testing.T) { sameSections(t, raw) })
	}
}
