package bench_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/bench"
)

func TestLetterHasItsSizeAndShortLines(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1 << 10, 2 << 10, 2<<10 + 1, 8 << 10, 50 << 10, 1 << 20} {
		text, id, wire := bench.NewLetter("mesure@chu.example", "b@ville.example", size, 42)
		if len(text) != size {
			t.Errorf("size: got %d, want %d", len(text), size)
		}
		if !bytes.Equal(wire, append(bytes.Clone(text), ".\r\n"...)) {
			t.Errorf("%d octets: what goes on the wire is not the letter and a dot", size)
		}
		if !strings.HasPrefix(id, "000000000042.") || !bytes.Contains(text, []byte("Message-ID: <"+id+"@chu.example>\r\n")) {
			t.Errorf("%d octets: the letter has not the number of %q", size, id)
		}
		for line := range bytes.SplitSeq(bytes.TrimSuffix(text, []byte("\r\n")), []byte("\r\n")) {
			// RFC 5321 4.5.2: a dot at the start would need another; RFC 5322 2.1.1: 998.
			if bytes.HasPrefix(line, []byte(".")) || len(line) > 998 || bytes.ContainsAny(line, "\r\n") {
				t.Errorf("%d octets: a line of %d octets: %.40q", size, len(line), line)
			}
		}
	}
}

func TestLargerLetterCarriesADocument(t *testing.T) {
	t.Parallel()
	text, _, _ := bench.NewLetter("mesure@chu.example", "b@ville.example", 50<<10, 1)
	m, err := mail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	if _, err := parts.NextPart(); err != nil {
		t.Fatal(err)
	}
	document, err := parts.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, document))
	if err != nil {
		t.Fatal(err)
	}
	if got := document.FileName(); got != "cr.pdf" || len(content) < 30<<10 {
		t.Errorf("got %q with %d octets, want cr.pdf with most of the letter", got, len(content))
	}
	if _, err := parts.NextPart(); err != io.EOF {
		t.Errorf("after the document: got %v, want the end", err)
	}
}
