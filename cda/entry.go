package cda

import (
	"encoding/xml"

	"github.com/vaguemestre/vaguemestre/markup"
)

// interpretation is a code of HL7's ObservationInterpretation that says "not normal".
type interpretation string

// abnormal returns the code if it says so.
func abnormal(code string) (interpretation, bool) {
	switch code {
	case "A", "AA", "H", "HH", "HU", "HX", ">", "L", "LL", "LU", "LX", "<":
		return interpretation(code), true
	}
	return "", false
}

// observation collects what one says of the narrative it belongs to.
type observation struct {
	codes []interpretation
	// refs are the narrative IDs it points to.
	refs []string
}

// open is an element of an entry that is being read.
type open struct {
	name string
	// media is the ID of the observationMedia, when it is one.
	media string
	obs   *observation
}

// entry reads a coded entry for two things only: embedded files, and observations that
// are not normal, to say so in words beside their narrative.
func (p *parser) entry(e xml.StartElement) error {
	stack := []open{{name: e.Name.Local}}
	for len(stack) > 0 {
		tok, err := p.r.Token()
		if err != nil {
			return p.failed(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if tok.Name.Space == hl7 && markup.Attr(tok, "representation") == "B64" {
				if err := p.medium(tok, stack); err != nil {
					return err
				}
				continue
			}
			stack = p.enter(stack, tok)
		case xml.EndElement:
			last := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if err := p.flag(last.obs); err != nil {
				return err
			}
		}
	}
	return nil
}

// enter opens an element of an entry.
func (p *parser) enter(stack []open, e xml.StartElement) []open {
	o := open{name: e.Name.Local}
	if e.Name.Space != hl7 {
		o.name = foreign
	}
	switch o.name {
	case "observation":
		o.obs = &observation{}
	case "observationMedia":
		o.media = markup.Attr(e, "ID")
	case "interpretationCode":
		if obs := parent(stack, 0); obs != nil {
			if code, ok := abnormal(markup.Attr(e, "code")); ok {
				obs.codes = append(obs.codes, code)
			}
		}
	case "reference":
		// observation/text/reference or observation/code/originalText/reference
		obs := parent(stack, 1, "text")
		if obs == nil {
			obs = parent(stack, 2, "code", "originalText")
		}
		if obs != nil {
			obs.refs = append(obs.refs, reference(e))
		}
	}
	return append(stack, o)
}

// parent returns the observation that lies above the end of the stack, with just those
// elements between.
func parent(stack []open, above int, between ...string) *observation {
	at := len(stack) - 1 - above
	if at < 0 {
		return nil
	}
	for i, name := range between {
		if stack[at+1+i].name != name {
			return nil
		}
	}
	return stack[at].obs
}

// flag notes an observation that is not normal under the IDs of its narrative.
func (p *parser) flag(obs *observation) error {
	if obs == nil || len(obs.codes) == 0 {
		return nil
	}
	for _, ref := range obs.refs {
		if ref == "" {
			continue
		}
		if err := p.room(len(ref)); err != nil {
			return err
		}
		p.doc.flags[ref] = append(p.doc.flags[ref], obs.codes...)
	}
	return nil
}

// medium notes an embedded file of an entry.
func (p *parser) medium(e xml.StartElement, stack []open) error {
	em, _, err := p.capture(e)
	if err != nil {
		return err
	}
	for _, o := range stack {
		if o.media != "" {
			em.ID = o.media
		}
	}
	return p.embed(em)
}
