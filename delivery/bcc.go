package delivery

import (
	"bytes"
	"io"

	"github.com/vaguemestre/vaguemestre/letter"
)

// defaultHeader is the largest header block that is looked through for Bcc.
const defaultHeader = 256 << 10

// withoutBcc passes a letter on without its Bcc fields (RFC 5322 3.6.3): no
// recipient may learn of another one through a stored body. The header block is
// held in memory, at most limit octets: a longer one is refused by the walker later.
func withoutBcc(r io.Reader, limit int) io.Reader {
	if limit <= 0 {
		limit = defaultHeader
	}
	return &bccFilter{r: r, limit: limit}
}

type bccFilter struct {
	r      io.Reader
	limit  int
	header []byte
	passed bool // the header block was dealt with
	err    error
}

// Read implements io.Reader.
func (f *bccFilter) Read(p []byte) (int, error) {
	if !f.passed {
		f.gather()
	}
	if len(f.header) > 0 {
		n := copy(p, f.header)
		f.header = f.header[n:]
		return n, nil
	}
	if f.err != nil {
		return 0, f.err
	}
	return f.r.Read(p)
}

// gather reads to the end of the header block and drops the Bcc fields.
func (f *bccFilter) gather() {
	f.passed = true
	buf := make([]byte, 4096)
	end := -1
	for end < 0 && f.err == nil && len(f.header) <= f.limit {
		var n int
		n, f.err = f.r.Read(buf)
		from := max(0, len(f.header)-3)
		f.header = append(f.header, buf[:n]...)
		end = headerEnd(f.header, from)
	}
	if end < 0 {
		end = len(f.header)
	}
	f.header = append(dropBcc(f.header[:end]), f.header[end:]...)
}

// dropBcc removes the Bcc fields from a header block and changes nothing else.
func dropBcc(header []byte) []byte {
	kept := make([]byte, 0, len(header))
	seen := 0
	for field := range letter.FieldsOf(header) {
		seen += len(field.Raw)
		if !field.Is("Bcc") && !field.Is("Resent-Bcc") {
			kept = append(kept, field.Raw...)
		}
	}
	return append(kept, header[seen:]...)
}

// headerEnd returns where the empty line begins, -1 if it has not come yet.
func headerEnd(b []byte, from int) int {
	if bytes.HasPrefix(b, []byte("\r\n")) {
		return 0
	}
	if i := bytes.Index(b[from:], []byte("\r\n\r\n")); i >= 0 {
		return from + i + 2
	}
	return -1
}
