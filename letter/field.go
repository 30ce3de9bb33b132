package letter

import (
	"bytes"
	"io"
	"iter"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Field is one header field as it was received.
type Field struct {
	// Name is as written, without white space before the colon. It is empty when
	// the line is no field: no colon, a control character or white space in the
	// name, or a continuation line without a field before it.
	Name string
	// Raw holds every octet of the field, folding and line ends included.
	Raw []byte

	value int // where the value begins in Raw
}

// Is reports whether f has that name (RFC 5322 1.2.2: case does not count).
func (f Field) Is(name string) bool { return name != "" && strings.EqualFold(f.Name, name) }

// Value returns the value unfolded (RFC 5322 2.2.3) and trimmed. It holds no CR,
// LF or NUL: stray ones become spaces. A line that is no field is all value.
func (f Field) Value() string { return unfold(f.Raw[f.value:]) }

// Text returns the value for people: encoded words are decoded.
func (f Field) Text() string { return DecodeWords(f.Value()) }

// FieldsOf iterates over the fields of a header block; it stops at the empty line.
// Every octet before that line is in exactly one field's Raw.
func FieldsOf(header []byte) iter.Seq[Field] {
	return func(yield func(Field) bool) {
		for len(header) > 0 && !blank(header) {
			f := cutField(header)
			header = header[len(f.raw):]
			if !yield(Field{Name: string(f.name), Raw: f.raw, value: f.value}) {
				return
			}
		}
	}
}

// Fields iterates over the fields of the header at the start of r, which may go
// on with a body, of which some octets may be read too. A header larger than limit
// octets ends with fault.Invalid "letter-header-too-large" after the fields
// that fit; an error of r ends it as it is.
func Fields(r io.Reader, limit int) iter.Seq2[Field, error] {
	return func(yield func(Field, error) bool) {
		header, err := readHeader(r, limit)
		for f := range FieldsOf(header) {
			if !yield(f, nil) {
				return
			}
		}
		if err != nil {
			yield(Field{}, err)
		}
	}
}

// readHeader reads up to the empty line, the end, or limit octets.
func readHeader(r io.Reader, limit int) ([]byte, error) {
	buf := make([]byte, 0, min(limit, 4<<10)+1)
	seen := 0
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if end := headerEnd(buf, seen); end >= 0 {
			return buf[:end], nil
		}
		seen = max(0, len(buf)-2)
		switch {
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, err
		case len(buf) > limit:
			return buf[:limit], fault.New(fault.Invalid, reasonHeader)
		case len(buf) == cap(buf):
			buf = append(make([]byte, 0, min(2*cap(buf), limit+1)), buf...)
		}
	}
}

// headerEnd returns the length of the header block through its empty line, -1 if
// that line is not there. Octets before from were looked at before.
func headerEnd(b []byte, from int) int {
	if from == 0 && blank(b) {
		return bytes.IndexByte(b, '\n') + 1
	}
	for {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			return -1
		}
		from += i + 1
		if blank(b[from:]) {
			return from + bytes.IndexByte(b[from:], '\n') + 1
		}
	}
}

// blank reports whether b begins with an empty line.
func blank(b []byte) bool {
	return len(b) > 0 && b[0] == '\n' || len(b) > 1 && b[0] == '\r' && b[1] == '\n'
}

// rawField is a field found in a header block, without allocation.
type rawField struct {
	name, raw []byte
	value     int
	// spaced says that white space stood before the colon (RFC 5322 4.5: obsolete).
	spaced bool
}

// cutField returns the first field of b, which is not empty.
func cutField(b []byte) rawField {
	end := 0
	for {
		i := bytes.IndexByte(b[end:], '\n')
		if i < 0 {
			end = len(b)
			break
		}
		end += i + 1
		if end == len(b) || b[end] != ' ' && b[end] != '\t' {
			break
		}
	}
	f := rawField{raw: b[:end]}
	line := f.raw
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return f
	}
	name := bytes.TrimRight(line[:colon], " \t")
	if !fieldName(name) {
		return f
	}
	f.name, f.value, f.spaced = name, colon+1, len(name) < colon
	return f
}

// fieldName reports whether b is a field name (RFC 5322 2.2: printable US-ASCII).
func fieldName(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return len(b) > 0
}

// unfold returns a field value in one line: line ends go, the white space after
// them stays, and what no line may hold becomes a space.
func unfold(b []byte) string {
	b = bytes.Trim(b, " \t\r\n")
	if bytes.IndexByte(b, '\n') < 0 && bytes.IndexByte(b, '\r') < 0 && bytes.IndexByte(b, 0) < 0 {
		return string(b)
	}
	out := make([]byte, 0, len(b))
	for i, c := range b {
		switch {
		case c == '\n', c == '\r' && i+1 < len(b) && b[i+1] == '\n':
		case c == '\r', c == 0:
			out = append(out, ' ')
		default:
			out = append(out, c)
		}
	}
	return strings.Trim(string(out), " \t")
}
