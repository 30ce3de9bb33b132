package markup

import (
	"errors"
	"io"
	"unicode/utf8"
)

// NewText reads the characters of octets between two tags of a document that a
// [Reader] has accepted, such as those of a [Long]: references are replaced, line
// ends become LF, the inside of CDATA sections counts, comments and instructions do
// not. A tag is fault.Invalid "xml-malformed". Memory is bounded.
func NewText(r io.Reader) io.Reader { return &text{source: newSource(r)} }

type text struct {
	*source
	out []byte
	buf []byte
	// cdata says that the next octets are inside a CDATA section.
	cdata bool
	// cr says that the last octet was a CR, already returned as LF.
	cr  bool
	err error
}

// Read returns characters in UTF-8.
func (t *text) Read(p []byte) (int, error) {
	for len(t.out) == 0 && t.err == nil && len(p) > 0 {
		t.buf = t.buf[:0]
		t.err = t.piece()
		t.out = t.buf
	}
	n := copy(p, t.out)
	t.out = t.out[n:]
	if n == 0 && len(p) > 0 {
		return 0, t.err
	}
	return n, nil
}

// piece takes one stretch, reference, comment or instruction.
func (t *text) piece() error {
	b, err := t.window(longestOpening)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case len(b) == 0 && t.cdata:
		return cutShort(err)
	case len(b) == 0:
		return err
	}
	switch {
	case t.cdata && t.has("]]>"):
		t.cdata, t.cr = false, false
		t.skip(len("]]>"))
		return nil
	case t.cdata:
		return t.stretch("]", true)
	case b[0] == '&':
		raw, char, err := t.reference()
		if err != nil {
			return err
		}
		t.cr = false
		t.buf = utf8.AppendRune(t.buf, char)
		t.skip(len(raw))
		return nil
	case b[0] != '<':
		return t.stretch("<&", false)
	case t.has("<![CDATA["):
		t.cdata, t.cr = true, false
		t.skip(len("<![CDATA["))
		return nil
	case t.has("<!--"):
		return t.comment()
	case t.has("<?"):
		return t.instruction()
	default:
		return malformed("a tag in a text")
	}
}

// stretch takes octets up to a stop; with over it takes the stop if it is first.
func (t *text) stretch(stops string, over bool) error {
	b, err := t.run(stops)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if len(b) == 0 && over {
		b, err = t.br.Peek(1)
		if err != nil {
			return cutShort(err)
		}
	}
	for _, c := range b {
		switch {
		case c == '\r':
			t.buf = append(t.buf, '\n')
		case c == '\n' && t.cr:
		default:
			t.buf = append(t.buf, c)
		}
		t.cr = c == '\r'
	}
	t.skip(len(b))
	return nil
}
