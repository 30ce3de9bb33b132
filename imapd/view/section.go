package view

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
)

// Section names a part of a letter's octets (RFC 9051 6.4.5, BODY[...]<...>).
type Section struct {
	Path []int
	Want letter.Section
	// Fields limits a header to some fields, or to the others.
	Fields  []string
	Exclude bool
	// Partial cuts what was found; offset and count in octets.
	Partial       bool
	Offset, Count int64
}

// Same reports whether both name the same octets.
func (s Section) Same(t Section) bool {
	return s.Want == t.Want && s.Exclude == t.Exclude && s.Partial == t.Partial && s.Offset == t.Offset &&
		s.Count == t.Count && slices.Equal(s.Path, t.Path) && slices.Equal(s.Fields, t.Fields)
}

// Read returns the octets of a section and how many they are. A section that the
// letter does not have is empty. What is returned is the stored octets, whatever
// they are: nothing is parsed and written anew.
func (s Section) Read(l *mailbox.Letter) (io.Reader, int64, error) {
	r, found := l.Section(s.Path, s.Want)
	if !found {
		return bytes.NewReader(nil), 0, nil
	}
	if len(s.Fields) > 0 && s.Want == letter.Header {
		header, err := octets(l, r)
		if err != nil {
			return nil, 0, err
		}
		picked := pickFields(header, s.Fields, s.Exclude)
		cut := s.cut(letter.Range{Start: 0, End: int64(len(picked))})
		return bytes.NewReader(picked[cut.Start:cut.End]), cut.Size(), nil
	}
	r = s.cut(r)
	return l.Reader(r), r.Size(), nil
}

// cut applies the partial to a range.
func (s Section) cut(r letter.Range) letter.Range {
	if s.Partial {
		r.Start += min(s.Offset, r.Size())
		r.End = r.Start + min(s.Count, r.Size())
	}
	return r
}

// maxHeader bounds what is read of a header at once: the limit of package letter
// and as much again for a head. Both are bounded where letters enter.
const maxHeader = 512 << 10

// octets reads a small range of a letter.
func octets(l *mailbox.Letter, r letter.Range) ([]byte, error) {
	b := make([]byte, min(r.Size(), maxHeader))
	n, err := l.ReadAt(b, r.Start)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}

// ReadsBody reports whether a section has octets of a body: its reader is then
// traced. Headers are what lists show.
func (s Section) ReadsBody() bool { return s.Want == letter.Whole || s.Want == letter.Text }

// pickFields returns the fields of a header that are named, or all others, as they
// stand there, and the empty line (RFC 9051: it is always included).
func pickFields(header []byte, names []string, exclude bool) []byte {
	var out []byte
	for f := range letter.FieldsOf(header) {
		if slices.ContainsFunc(names, f.Is) != exclude {
			out = append(out, f.Raw...)
			if !bytes.HasSuffix(f.Raw, []byte("\n")) { // a header cut off in its last line
				out = append(out, "\r\n"...)
			}
		}
	}
	return append(out, "\r\n"...)
}
