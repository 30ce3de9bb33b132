package cda

import (
	"encoding/xml"
	"io"
	"strings"

	"github.com/vaguemestre/vaguemestre/markup"
)

// Embedded is a file inside a document. Its octets stay there.
type Embedded struct {
	// ID is that of the observationMedia, by which the narrative points to it; "" if
	// it has none.
	ID string
	// Body says that the file is the whole body of the document.
	Body bool
	// MediaType is what its first octets say: application/pdf, image/jpeg, image/png,
	// text/plain, or [Unknown], which must not be shown.
	MediaType string
	// Declared is the type that the document declares, in lower case.
	Declared string
	// Size is at most how many octets it has; white space makes it smaller.
	Size int64

	source     io.ReaderAt
	start, end int64
	// encoding is "B64" or "TXT"; compressed that it declares a compression.
	encoding   string
	compressed bool
}

// Unknown is the type of an embedded file that is none of those that are shown.
const Unknown = "unknown"

// Embedded returns the embedded files in the order of the document, to be read from r,
// which has the octets that were given to [Read].
func (d *Document) Embedded(r io.ReaderAt) []Embedded {
	out := make([]Embedded, len(d.embedded))
	for i, em := range d.embedded {
		em.source = r
		out[i] = em
	}
	return out
}

// Open returns the file's octets, decoded while they are read: memory does not grow
// with it. A read returns fault.Invalid "cda-body-malformed" where the encoding is
// broken. Open itself refuses with "cda-body-compressed" a file that declares a
// compression: what it would grow to, nobody has bounded.
func (em Embedded) Open() (io.ReadCloser, error) {
	if em.compressed {
		return nil, refuse(reasonCompressed)
	}
	text := markup.NewText(io.NewSectionReader(em.source, em.start, em.end-em.start))
	if em.encoding != "B64" {
		return io.NopCloser(text), nil
	}
	return io.NopCloser(newBase64(text)), nil
}

// capture notes where the content of the present element lies. With elsewhere it
// has none, only the address of one: nothing is ever fetched.
func (p *parser) capture(e xml.StartElement) (em Embedded, elsewhere bool, err error) {
	em = Embedded{
		Declared:   strings.ToLower(tidy(markup.Attr(e, "mediaType"))),
		encoding:   markup.Attr(e, "representation"),
		compressed: markup.Attr(e, "compression") != "",
	}
	if em.encoding != "B64" {
		em.encoding = "TXT" // the default (data types of CDA R2, ED)
	}
	_, start := p.r.Span()
	// Content may be cut by a reference or a thumbnail: the longest piece is it.
	piece := func(end int64) {
		if end-start > em.end-em.start {
			em.start, em.end = start, end
		}
	}
	text := false
	for {
		tok, err := p.r.Token()
		if err != nil {
			return em, false, p.failed(err)
		}
		at, _ := p.r.Span()
		switch tok := tok.(type) {
		case xml.CharData:
			text = text || len(strings.TrimSpace(string(tok))) > 0
		case markup.Long:
			text = true
		case xml.StartElement:
			piece(at)
			elsewhere = elsewhere || tok.Name.Local == "reference"
			if err := p.r.Skip(); err != nil {
				return em, false, p.failed(err)
			}
			_, start = p.r.Span()
		case xml.EndElement:
			piece(at)
			em.Size = em.end - em.start
			if em.encoding == "B64" {
				em.Size = em.Size / 4 * 3
			}
			return em, elsewhere && !text, nil
		}
	}
}

// embed keeps an embedded file.
func (p *parser) embed(em Embedded) error {
	if len(p.doc.embedded) >= p.limits.Embedded {
		return refuse(reasonLarge)
	}
	p.doc.embedded = append(p.doc.embedded, em)
	return p.room(len(em.ID) + len(em.Declared))
}
