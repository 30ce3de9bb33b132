package delivery_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/letter"
)

func TestBccGoesAndNothingElseChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"one field", "From: a\r\nBcc: b\r\nTo: c\r\n\r\nBcc: body\r\n", "From: a\r\nTo: c\r\n\r\nBcc: body\r\n"},
		{"folded", "Bcc: b,\r\n c,\r\n\td\r\nTo: e\r\n\r\n", "To: e\r\n\r\n"},
		{"any case, space before the colon", "bCC : b\r\nTo: e\r\n\r\n", "To: e\r\n\r\n"},
		{"twice, and resent", "Bcc: b\r\nTo: e\r\nResent-Bcc: c\r\nBCC: d\r\n\r\nx", "To: e\r\n\r\nx"},
		{"last of the header", "To: e\r\nBcc: b\r\n\r\nx", "To: e\r\n\r\nx"},
		{"alone", "Bcc: b\r\n\r\nx", "\r\nx"},
		{"empty", "", ""},
		{"no header", "\r\nBcc: b\r\n", "\r\nBcc: b\r\n"},
		{"no end of the header", "To: e\r\nBcc: b", "To: e\r\n"},
		{"similar names", "Bcc-Info: b\r\nX-Bcc: c\r\nBccc: d\r\n\r\n", "Bcc-Info: b\r\nX-Bcc: c\r\nBccc: d\r\n\r\n"},
		{"lines that end in LF", "To: e\nBcc: b\n\nBcc: body\n", "To: e\n\nBcc: body\n"},
	} {
		for name, cut := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "octet by octet": iotest.OneByteReader, "end with data": iotest.DataErrReader,
		} {
			got, err := io.ReadAll(delivery.WithoutBcc(cut(strings.NewReader(c.in)), 0))
			if err != nil || string(got) != c.want {
				t.Errorf("%s, read %s: got %q, %v; want %q", c.name, name, got, err, c.want)
			}
		}
	}
}

func TestABrokenLetterStaysBrokenWithoutItsBcc(t *testing.T) {
	t.Parallel()
	r := delivery.WithoutBcc(io.MultiReader(strings.NewReader("To: e\r\nBcc: b\r\n"), iotest.ErrReader(io.ErrUnexpectedEOF)), 0)
	if _, err := io.ReadAll(r); err != io.ErrUnexpectedEOF { //nolint:errorlint // the very error
		t.Errorf("got %v", err)
	}
}

func FuzzWithoutBcc(f *testing.F) {
	for _, seed := range []string{
		"From: a\r\nBcc: b,\r\n c\r\nTo: d\r\n\r\nbody\r\n", "Bcc: b", "\r\n\r\n", " folded first\r\nBcc: x\r\n\r\n",
		"bcc\t:\r\n \r\n x\r\n\r\n", "Bcc:\r\r\nX: y\n\nz",
	} {
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, size uint8) {
		chunks := &chunked{in, int(size) + 1}
		got, err := io.ReadAll(delivery.WithoutBcc(chunks, 0))
		if err != nil {
			t.Fatal(err)
		}
		want := reference(in)
		if !bytes.Equal(got, want) {
			t.Errorf("from %q: got %q, want %q", in, got, want)
		}
		for field := range letter.FieldsOf(got) {
			if field.Is("Bcc") || field.Is("Resent-Bcc") {
				t.Errorf("from %q: %q still has it", in, got)
			}
		}
	})
}

// reference takes the fields away one after the other, in memory.
func reference(in []byte) []byte {
	rest := in
	var out []byte
	for field := range letter.FieldsOf(in) {
		if name := strings.ToLower(field.Name); name != "bcc" && name != "resent-bcc" {
			out = append(out, field.Raw...)
		}
		rest = rest[len(field.Raw):]
	}
	return append(out, rest...)
}

// chunked reads at most size octets at a time.
type chunked struct {
	rest []byte
	size int
}

func (c *chunked) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.size)], c.rest)
	c.rest = c.rest[n:]
	return n, nil
}
