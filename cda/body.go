package cda

import (
	"encoding/xml"
	"strings"

	"github.com/vaguemestre/vaguemestre/markup"
)

// NonXML is a body that is one file.
type NonXML struct {
	// MediaType is what the document declares.
	MediaType string
	// Encoding is the declared representation: "B64" or "TXT".
	Encoding string
	// Start and End are where it lies in the document's octets.
	Start, End int64
}

// body reads ClinicalDocument/component.
func (p *parser) body() error {
	found := false
	return p.children(func(e xml.StartElement) error {
		if e.Name.Space != hl7 {
			return p.r.Skip()
		}
		switch e.Name.Local {
		case "structuredBody", "nonXMLBody":
			if found {
				return malformed("two bodies")
			}
			found = true
		default:
			return p.r.Skip()
		}
		if e.Name.Local == "nonXMLBody" {
			return p.children(p.file)
		}
		return p.children(p.component)
	})
}

// file reads nonXMLBody/text.
func (p *parser) file(e xml.StartElement) error {
	if e.Name.Space != hl7 || e.Name.Local != "text" {
		return p.r.Skip()
	}
	if p.doc.NonXML != nil {
		return malformed("two files in the body")
	}
	em, elsewhere, err := p.capture(e)
	if err != nil {
		return err
	}
	em.Body = true
	p.doc.NonXML = &NonXML{MediaType: em.Declared, Encoding: em.encoding, Start: em.start, End: em.end}
	if elsewhere {
		p.doc.warn("body-elsewhere")
		return nil
	}
	return p.embed(em)
}

// component reads a component of a structured body.
func (p *parser) component(e xml.StartElement) error {
	if e.Name.Space != hl7 || e.Name.Local != "component" {
		return p.r.Skip()
	}
	return p.children(func(e xml.StartElement) error {
		s, err := p.section(e)
		if s != nil {
			p.doc.Sections = append(p.doc.Sections, s)
		}
		return err
	})
}

// section reads a section; anything else is passed over.
func (p *parser) section(e xml.StartElement) (*Section, error) {
	if e.Name.Space != hl7 || e.Name.Local != "section" {
		return nil, p.r.Skip()
	}
	if err := p.room(0); err != nil {
		return nil, err
	}
	s := &Section{id: markup.Attr(e, "ID")}
	err := p.children(func(e xml.StartElement) error {
		if e.Name.Space != hl7 {
			return p.r.Skip()
		}
		switch e.Name.Local {
		case "code", "title", "text":
			n, err := p.tree(e)
			if err != nil {
				return err
			}
			p.part(s, n)
			return nil
		case "component":
			return p.children(func(e xml.StartElement) error {
				sub, err := p.section(e)
				if sub != nil {
					s.Sections = append(s.Sections, sub)
				}
				return err
			})
		case "entry":
			return p.entry(e)
		}
		return p.r.Skip()
	})
	return s, err
}

// part takes one part of a section.
func (p *parser) part(s *Section, n *node) {
	switch n.name {
	case "code":
		s.Code = code(n)
	case "title":
		s.Title = tidy(s.Title + " " + p.fact(n.content()))
	case "text":
		s.text = append(s.text, n)
		if !n.overrideFree() {
			p.doc.warn("bidi-override")
		}
	}
}

// overrideFree reports whether nothing in a narrative turns text round.
func (n *node) overrideFree() bool {
	free := true
	n.each(func(k *node) { free = free && !hasOverride(k.text) })
	return free
}

// reference returns the ID that a reference points to. Senders forget the #.
func reference(e xml.StartElement) string {
	return strings.TrimPrefix(markup.Attr(e, "value"), "#")
}
