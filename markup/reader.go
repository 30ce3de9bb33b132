package markup

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
)

// Long stands for a run of text that is longer than Limits.Text: the octets from
// Start to End of the original, to be read with [NewText].
type Long struct{ Start, End int64 }

// Reader reads the tokens of one document.
type Reader struct {
	guard  *guard
	dec    *xml.Decoder
	limits Limits
	scope  scope
	// open are the names, as written, of the elements that are open.
	open     []xml.Name
	elements int
	rooted   bool
	// start and end are where the last token lies in the original.
	start, end int64
	err        error
}

// NewReader returns a reader of the document in r.
func NewReader(r io.Reader, l Limits) *Reader {
	l = l.withDefaults()
	g := &guard{source: newSource(r), limits: l}
	return &Reader{guard: g, dec: xml.NewDecoder(g), limits: l, scope: newScope(l)}
}

// Token returns the next xml.StartElement, xml.EndElement, xml.CharData or [Long].
// Names carry their namespace; namespace declarations are not among the attributes.
// A text outside the root element, which can only be white space, is not returned.
// The octets of a CharData are good until the next call.
//
// It returns io.EOF after the whole root element and only blanks, comments and
// instructions behind it; fault.Invalid with a reason of the package comment for what
// is refused; and errors of the source as they are. Every error stays.
func (r *Reader) Token() (xml.Token, error) {
	for r.err == nil {
		tok, err := r.next()
		if err != nil {
			r.err = err
			break
		}
		if tok != nil {
			return tok, nil
		}
	}
	return nil, r.err
}

// Span returns where the last token lies in the original octets. The empty element
// tag <a/> has the whole tag as the span of its start and nothing as that of its end.
func (r *Reader) Span() (start, end int64) { return r.start, r.end }

// Offset returns the offset in the original octets after the last token.
func (r *Reader) Offset() int64 { return r.end }

// Skip reads up to the end of the element whose start was the last token.
func (r *Reader) Skip() error {
	for depth := len(r.open); len(r.open) >= depth && depth > 0; {
		if _, err := r.Token(); err != nil {
			return err
		}
	}
	return nil
}

// next reads one token of the decoder; nil stands for one that is not shown.
func (r *Reader) next() (xml.Token, error) {
	raw, err := r.dec.RawToken()
	r.start, r.end = r.end, r.guard.original(r.dec.InputOffset())
	if err != nil {
		return nil, r.failed(err)
	}
	switch tok := raw.(type) {
	case xml.StartElement:
		return r.begin(tok)
	case xml.EndElement:
		return r.finish(tok)
	case xml.CharData:
		return r.text(tok)
	case xml.Comment:
		r.end = r.start // its octets go to the next token
		return nil, nil
	default:
		return nil, malformed("an unexpected construct")
	}
}

// failed decides what an error of the decoder means.
func (r *Reader) failed(err error) error {
	if cause := r.guard.failure(); cause != nil {
		return cause
	}
	if errors.Is(err, io.EOF) {
		if len(r.open) == 0 && r.rooted {
			return io.EOF
		}
		return malformed("the document ends early")
	}
	return malformed("no well-formed XML") // encoding/xml's text may quote the document
}

// begin opens an element.
func (r *Reader) begin(e xml.StartElement) (xml.Token, error) {
	if len(r.open) == 0 {
		if r.rooted {
			return nil, malformed("a second root")
		}
		r.rooted = true
	}
	if len(r.open) >= r.limits.Depth {
		return nil, refuse(reasonDeep)
	}
	if r.elements++; r.elements > r.limits.Elements {
		return nil, refuse(reasonLarge)
	}
	written := e.Name
	if err := r.scope.enter(&e); err != nil {
		return nil, err
	}
	r.open = append(r.open, written)
	return e, nil
}

// finish closes the element that was opened last.
func (r *Reader) finish(e xml.EndElement) (xml.Token, error) {
	last := len(r.open) - 1
	if last < 0 || r.open[last] != e.Name {
		return nil, malformed("an end tag of no element")
	}
	r.open = r.open[:last]
	var err error
	if e.Name, err = r.scope.leave(e.Name); err != nil {
		return nil, err
	}
	return e, nil
}

// text shows a run of text, or where it is.
func (r *Reader) text(b xml.CharData) (xml.Token, error) {
	cut := r.guard.cut
	r.guard.cut = false
	if len(r.open) == 0 {
		if cut || !blank(b) {
			return nil, malformed("a text outside the root")
		}
		r.end = r.start
		return nil, nil
	}
	if cut {
		return Long{Start: r.start, End: r.end}, nil
	}
	return b, nil
}

// Attr returns the value of an element's attribute that has no namespace, "" if it is
// not there.
func Attr(e xml.StartElement, name string) string {
	i := slices.IndexFunc(e.Attr, func(a xml.Attr) bool { return a.Name.Space == "" && a.Name.Local == name })
	if i < 0 {
		return ""
	}
	return e.Attr[i].Value
}
