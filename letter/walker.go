package letter

import (
	"bytes"
	"encoding/binary"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// Walker reads a letter that is pushed through it and makes its Structure. It
// only looks: it keeps the top header, one part header, one unfinished line and
// the structure, never the body. It is not safe for concurrent use.
type Walker struct {
	limits Limits
	doubts doubts
	// broken is the reason id of the first broken limit, empty if none was. After
	// that only octets are counted.
	broken string

	size     int64 // octets seen
	eightBit bool  // an octet over 127 was seen

	current cursor
	stack   []frame
	// bounded counts the frames of the stack that have a boundary.
	bounded int
	parts   int
	kept    int // octets of text in the structure

	block   block
	top     []byte // the top header block, once it is complete
	content content
	sample  sample

	structure Structure
}

// cursor is where the walker is: at the start of a line that may have come in part.
type cursor struct {
	at    int64 // where the line begins
	feeds int64 // line feeds before it
	eol   int64 // size of the line end before it: 2, 1, or 0 at the start

	pending []byte // what came of the line, while it is no longer than maxLine
	// long is the number of octets that came of a longer line, 0 if it is none: they
	// were passed on.
	long int64
	cr   bool // the last of them is a CR
}

// NewWalker returns a walker at the start of a letter. Zero limits mean the defaults.
func NewWalker(l Limits) *Walker {
	w := &Walker{limits: l.withDefaults(), stack: make([]frame, 0, 4)}
	w.open(0, true)
	return w
}

// Write takes the next octets. It always takes all of them and returns no error:
// a broken limit is remembered for Close.
func (w *Walker) Write(p []byte) (int, error) {
	n := len(p)
	w.size += int64(n)
	w.look(p)
	for len(p) > 0 && w.broken == "" {
		i := bytes.IndexByte(p, '\n') + 1
		if i == 0 {
			w.partial(p)
			break
		}
		w.complete(p[:i])
		p = p[i:]
	}
	return n, nil
}

// look notes octets that matter wherever they stand.
func (w *Walker) look(p []byte) {
	if bytes.IndexByte(p, 0) >= 0 {
		w.doubts.add(doubtNUL)
	}
	w.eightBit = w.eightBit || hasEightBit(p)
}

// hasEightBit reports whether an octet of p is over 127.
func hasEightBit(p []byte) bool {
	for len(p) >= 8 {
		if binary.LittleEndian.Uint64(p)&0x8080808080808080 != 0 {
			return true
		}
		p = p[8:]
	}
	for _, c := range p {
		if c >= 0x80 {
			return true
		}
	}
	return false
}

// Close ends the letter and returns its structure.
//
// If a limit was broken it fails with fault.Invalid and the limit's reason id; the
// structure that comes with that error shows the letter as one opaque part, for a
// caller that must keep the octets all the same.
func (w *Walker) Close() (*Structure, error) {
	if w.broken == "" {
		w.lastLine()
	}
	if w.broken == "" {
		w.unwind(0)
	}
	s := &w.structure
	if w.broken == "" {
		s.Root = w.pop()
	}
	s.Size, s.EightBit = w.size, w.eightBit
	s.Ambiguities = w.doubts.reasons()
	var err error
	if w.broken != "" {
		s.Root = opaque(s.HeaderSize, w.size)
		err = fault.New(fault.Invalid, w.broken)
	}
	s.HeaderSize = s.Root.Body.Start
	return s, err
}

// opaque returns a letter whose inside is not known. A header whose end was not
// seen is all there is.
func opaque(header, size int64) Part {
	if header == 0 {
		header = size
	}
	return Part{
		Header: Range{0, header}, Body: Range{header, size},
		Type: "text", Subtype: "plain", Encoding: "7bit", Envelope: &Envelope{},
	}
}

// Header returns the top header block as far as it was seen, its empty line
// included. It must not be changed.
func (w *Walker) Header() []byte {
	if w.top == nil {
		return w.block.text
	}
	return w.top
}

// Author returns the one address of the one From field; see [Author].
func (w *Walker) Author() (identity.Address, error) { return Author(w.Header()) }

// Preview returns the beginning of the first text part, for a list of letters: at
// most 200 characters in one line. It is health data. Call it after Close.
func (w *Walker) Preview() string { return w.sample.preview() }

// fail remembers the first broken limit.
func (w *Walker) fail(reason string) {
	if w.broken == "" {
		w.broken = reason
	}
}

// keep counts text that the structure holds.
func (w *Walker) keep(n int) {
	if w.kept += n; w.kept > w.limits.Kept {
		w.fail(reasonKept)
	}
}
