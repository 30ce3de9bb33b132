package cda

import (
	"encoding/xml"
	"errors"
	"io"

	"github.com/vaguemestre/vaguemestre/markup"
)

// parser reads one document.
type parser struct {
	r      *markup.Reader
	limits Limits
	doc    *Document
	// nodes and kept count what is held of header and narrative.
	nodes, kept int
	// met are the header elements that may stand only once and were seen.
	met map[string]bool
}

// Read reads a clinical document from the size octets of r, in one pass; then it looks
// at the first octets of each embedded file, to know what they are. It returns
// fault.Invalid with a reason of the package comment for what cannot be read or can be
// read in two ways, and errors of r as they are. Who the patient is, and whether the
// identity is good, is for the caller to judge.
func Read(r io.ReaderAt, size int64, l Limits) (*Document, error) {
	l = l.withDefaults()
	if size > l.Size {
		return nil, refuse(reasonLarge)
	}
	p := &parser{
		r:      markup.NewReader(io.NewSectionReader(r, 0, size), l.markup()),
		limits: l,
		doc:    &Document{flags: map[string][]interpretation{}},
		met:    map[string]bool{},
	}
	if err := p.root(); err != nil {
		return nil, err
	}
	if err := p.doc.settle(r); err != nil {
		return nil, err
	}
	return p.doc, nil
}

// The self-presentable form of the CI-SIS: a style sheet that carries the document.
const (
	xslt    = "http://www.w3.org/1999/XSL/Transform"
	carrier = "urn:asip-sante:ci-sis"
)

// root finds the document: the root element, or in a self-presentable document the
// child of the carrier element. The style sheet around it is passed over.
func (p *parser) root() error {
	e, err := p.start()
	if err != nil {
		return err
	}
	switch (xml.Name{Space: e.Name.Space, Local: e.Name.Local}) {
	case xml.Name{Space: hl7, Local: "ClinicalDocument"}:
		err = p.document()
	case xml.Name{Space: xslt, Local: "stylesheet"}:
		p.doc.warn("cda-self-presentable")
		err = p.carried()
	default:
		return refuse(reasonNotCDA)
	}
	if err != nil {
		return err
	}
	_, err = p.r.Token()
	if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// start returns the first start tag.
func (p *parser) start() (xml.StartElement, error) {
	for {
		tok, err := p.r.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		if e, ok := tok.(xml.StartElement); ok {
			return e, nil
		}
	}
}

// carried reads the one document inside a style sheet.
func (p *parser) carried() error {
	found := false
	err := p.children(func(e xml.StartElement) error {
		if e.Name.Space != carrier || e.Name.Local != "Contenu" {
			return p.r.Skip()
		}
		return p.children(func(e xml.StartElement) error {
			if e.Name.Space != hl7 || e.Name.Local != "ClinicalDocument" {
				return p.r.Skip()
			}
			if found {
				return malformed("two documents")
			}
			found = true
			return p.document()
		})
	})
	if err == nil && !found {
		return refuse(reasonNotCDA)
	}
	return err
}

// children calls f at each start tag inside the present element; f reads up to its
// end.
func (p *parser) children(f func(xml.StartElement) error) error {
	for {
		tok, err := p.r.Token()
		if err != nil {
			return p.failed(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if err := f(tok); err != nil {
				return p.failed(err)
			}
		case xml.EndElement:
			return nil
		}
	}
}

// failed keeps an end that comes too early from passing for a good one.
func (p *parser) failed(err error) error {
	if errors.Is(err, io.EOF) {
		return malformed("the document ends early")
	}
	return err
}

// document reads the children of ClinicalDocument.
func (p *parser) document() error {
	err := p.children(func(e xml.StartElement) error {
		switch {
		case e.Name.Space != hl7:
			return p.r.Skip() // an extension
		case e.Name.Local == "component":
			if err := p.once("component"); err != nil {
				return err
			}
			return p.body()
		case !headerElement(e.Name.Local):
			return p.r.Skip()
		}
		n, err := p.tree(e)
		if err != nil {
			return err
		}
		return p.header(n)
	})
	if err != nil {
		return err
	}
	return p.complete()
}

// once refuses the second of an element that may stand once: two readers could take
// different ones.
func (p *parser) once(name string) error {
	if p.met[name] {
		return malformed("an element given twice")
	}
	p.met[name] = true
	return nil
}
