package markup

import (
	"bytes"
	"errors"
	"io"
)

// guard stands between the original octets and encoding/xml, which asks it for one
// octet at a time. It works piece by piece (a tag, a comment, a stretch of text) and
// takes the next one only when the one before was handed over: so it always knows
// where in the original the decoder is.
type guard struct {
	*source
	limits Limits
	// out is what is left to hand over of the piece.
	out []byte
	buf []byte
	// seen counts the octets handed over; pieceSeen and pieceOff are its value and
	// the original offset where the piece began.
	seen, pieceSeen, pieceOff int64
	started                   bool
	instructions              int
	// run is the octets of the present run of text; closing is the "]" at its end.
	run     int
	closing int
	// cut says that the present run went over Limits.Text and its rest was kept back.
	cut bool
	// cdata says that the piece is inside a CDATA section.
	cdata bool
	// err is the first failure; it stays.
	err error
}

// ReadByte hands one octet to the decoder.
func (g *guard) ReadByte() (byte, error) {
	for len(g.out) == 0 {
		if g.err != nil {
			return 0, g.err
		}
		g.pieceSeen, g.pieceOff = g.seen, g.off
		if g.err = g.next(); g.err != nil {
			return 0, g.err
		}
	}
	b := g.out[0]
	g.out = g.out[1:]
	g.seen++
	return b, nil
}

// Read is here because xml.NewDecoder wants a reader; it reads by octets.
func (g *guard) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := g.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

// original returns where an offset of the decoder is in the original. The decoder is
// at most one octet behind: it gives back the < after a text.
func (g *guard) original(seen int64) int64 {
	switch {
	case seen <= g.pieceSeen:
		return g.pieceOff - (g.pieceSeen - seen)
	case seen >= g.seen && len(g.out) == 0:
		return g.off
	default:
		return g.pieceOff + seen - g.pieceSeen
	}
}

// next takes one piece into out.
func (g *guard) next() error {
	g.buf = g.buf[:0]
	defer func() { g.out = g.buf }()
	if !g.started {
		g.started = true
		return g.prolog()
	}
	if g.cdata {
		return g.section()
	}
	b, err := g.window(1)
	switch {
	case err != nil:
		return err
	case b[0] == '&':
		return g.entity()
	case b[0] != '<':
		return g.text()
	}
	g.run, g.closing = 0, 0
	if _, err := g.window(longestOpening); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case g.has("<!--"):
		g.emit([]byte("<!---->"))
		return g.comment()
	case g.has("<![CDATA["):
		g.cdata = true
		g.take(len("<![CDATA["))
		return nil
	case g.has("<!"):
		return refuse(reasonDTD)
	case g.has("<?"):
		if g.instructions++; g.instructions > g.limits.Instructions {
			return refuse(reasonLarge)
		}
		g.emit([]byte("<!---->"))
		return g.instruction()
	}
	return g.tag()
}

// emit adds octets to what is handed over.
func (g *guard) emit(b []byte) { g.buf = append(g.buf, b...) }

// take hands over the next n octets as they are.
func (g *guard) take(n int) {
	b, _ := g.br.Peek(n)
	g.emit(b)
	g.skip(n)
}

// pass hands over n octets of a text that can be cut before them, unless its run is
// too long: then one blank, so that the decoder sees a text at all.
func (g *guard) pass(n int) {
	if g.run += n; g.run <= g.limits.Text {
		g.take(n)
		return
	}
	if !g.cut {
		g.cut = true
		g.emit([]byte(" "))
	}
	g.skip(n)
}

// text passes a stretch of character data.
func (g *guard) text() error {
	b, err := g.source.run("<&")
	if err != nil {
		return err
	}
	// XML 1.0, 2.4: "]]>" does not stand in a text. encoding/xml does not see what
	// is kept back, so it is looked for here.
	for _, c := range b {
		switch {
		case c == ']':
			g.closing++
		case c == '>' && g.closing >= 2:
			return malformed("]]> in a text")
		default:
			g.closing = 0
		}
	}
	g.pass(len(b))
	return nil
}

// entity passes a reference.
func (g *guard) entity() error {
	raw, _, err := g.reference()
	if err != nil {
		return err
	}
	g.closing = 0
	g.pass(len(raw))
	return nil
}

// section passes a stretch of a CDATA section, or its end.
func (g *guard) section() error {
	if g.has("]]>") {
		g.cdata, g.run = false, 0
		g.take(len("]]>"))
		return nil
	}
	b, err := g.source.run("]")
	if err != nil {
		return cutShort(err)
	}
	g.pass(max(len(b), 1)) // a "]" that ends nothing
	return nil
}

// tag takes a whole tag, from < to its >.
func (g *guard) tag() error {
	var quote, last byte
	word, attributes := 0, 0
	for {
		c, err := g.octet()
		if err != nil {
			return err
		}
		g.buf = append(g.buf, c)
		if len(g.buf) > g.limits.Tag {
			return refuse(reasonTag)
		}
		switch {
		case c == '<' && len(g.buf) > 1:
			return malformed("< in a tag")
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '>':
			return g.check(g.buf)
		case c == '"', c == '\'':
			if attributes++; attributes > g.limits.Attributes {
				return refuse(reasonAttributes)
			}
			quote, word = c, 0
		case nameByte(c):
			if last == '"' || last == '\'' {
				return malformed("attributes without a space between")
			}
			if word++; word > g.limits.Name {
				return refuse(reasonName)
			}
		default:
			word = 0
		}
		last = c
		if quote != 0 {
			last = 0 // only a closing quote counts
		}
	}
}

// failure returns what stopped the guard, nil at the end of the input.
func (g *guard) failure() error {
	if errors.Is(g.err, io.EOF) {
		return nil
	}
	return g.err
}

// blank reports whether a text is white space only.
func blank(b []byte) bool { return len(bytes.Trim(b, " \t\r\n")) == 0 }
