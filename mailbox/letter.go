package mailbox

import (
	"errors"
	"io"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
)

// Letter is an opened letter: head and body as one run of octets, as IMAP, POP
// and a download show it.
//
//	|-- head --|---------------- body ----------------|
//	           | header | empty line | text, parts … |
//	|------- Header ------------------|---- Text -----|
//
// It is not safe for concurrent use when the body's reader is not.
type Letter struct {
	head      []byte
	body      io.ReaderAt
	structure *letter.Structure
}

// NewLetter joins an opened summary with a reader of the body's octets. Its
// structure says how many those are.
func NewLetter(s Summary, body io.ReaderAt) *Letter {
	return &Letter{head: s.Head, body: body, structure: s.Structure}
}

// Size is the number of octets of the whole letter (RFC822.SIZE).
func (l *Letter) Size() int64 { return int64(len(l.head)) + l.structure.Size }

// ReadAt reads octets of the whole letter, as io.ReaderAt tells. A body that ends
// before its structure says is fault.Internal "body-short".
func (l *Letter) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fault.New(fault.Invalid, "offset-negative")
	}
	if off >= l.Size() {
		return 0, io.EOF
	}
	short := int64(len(p)) > l.Size()-off
	if short {
		p = p[:l.Size()-off]
	}
	n := 0
	if head := int64(len(l.head)); off < head {
		n = copy(p, l.head[off:])
	}
	if n < len(p) {
		m, err := l.body.ReadAt(p[n:], off+int64(n)-int64(len(l.head)))
		n += m
		if n < len(p) {
			if err == nil || errors.Is(err, io.EOF) {
				err = fault.New(fault.Internal, "body-short")
			}
			return n, err
		}
	}
	if short {
		return n, io.EOF
	}
	return n, nil
}

// Section returns where a section lies in the whole letter (FETCH BODY[…], RFC
// 3501 6.4.5); false if there is no such section. The top header and the whole
// letter begin with the head; so does part 1's MIME header when the letter is no
// multipart, because it is the letter's own.
func (l *Letter) Section(path []int, want letter.Section) (letter.Range, bool) {
	r, ok := l.structure.Section(path, want)
	if !ok {
		return letter.Range{}, false
	}
	head := int64(len(l.head))
	top := letter.Range{Start: 0, End: head + l.structure.HeaderSize}
	switch {
	case len(path) == 0 && want == letter.Whole:
		return letter.Range{Start: 0, End: l.Size()}, true
	case len(path) == 0 && want == letter.Header:
		return top, true
	case len(path) == 1 && want == letter.MIME && !l.structure.Root.Multipart():
		return top, true
	}
	return letter.Range{Start: head + r.Start, End: head + r.End}, true
}

// Header returns where the header lies, through its empty line.
func (l *Letter) Header() letter.Range {
	return letter.Range{Start: 0, End: int64(len(l.head)) + l.structure.HeaderSize}
}

// Part returns where a part's body lies; offsets of the structure itself count
// from the body.
func (l *Letter) Part(p *letter.Part) letter.Range {
	head := int64(len(l.head))
	return letter.Range{Start: head + p.Body.Start, End: head + p.Body.End}
}

// Structure returns the offset map of the body; offsets count from its first octet.
func (l *Letter) Structure() *letter.Structure { return l.structure }

// Reader reads a range of the letter once, from its start.
func (l *Letter) Reader(r letter.Range) *io.SectionReader {
	return io.NewSectionReader(l, r.Start, r.Size())
}
