package cda

import (
	"encoding/xml"
	"slices"
	"strings"

	"github.com/vaguemestre/vaguemestre/markup"
)

// node is a kept element, or a text when its name is empty.
type node struct {
	// name is the local name of an HL7 element, foreign for any other.
	name  string
	text  string
	attrs []xml.Attr
	kids  []*node
	// block says that the element, or one in it, makes lines of its own.
	block bool
}

// foreign is the name of an element that is not of HL7: only its text counts.
const foreign = "?"

// hl7 is the namespace of CDA.
const hl7 = "urn:hl7-org:v3"

// tree keeps the element whose start was just read.
func (p *parser) tree(e xml.StartElement) (*node, error) {
	n := &node{name: e.Name.Local, block: blockElement(e.Name.Local)}
	if e.Name.Space != hl7 {
		n.name, n.block = foreign, false
	}
	for _, a := range e.Attr {
		if a.Name.Space == "" {
			n.attrs = append(n.attrs, a)
			p.kept += len(a.Value)
		}
	}
	if err := p.room(0); err != nil {
		return nil, err
	}
	for {
		tok, err := p.r.Token()
		if err != nil {
			return nil, p.failed(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			kid, err := p.tree(tok)
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, kid)
			n.block = n.block || kid.block
		case xml.CharData:
			if err := p.room(len(tok)); err != nil {
				return nil, err
			}
			n.kids = append(n.kids, &node{text: string(tok)})
		case markup.Long:
			return nil, refuse(reasonLarge)
		case xml.EndElement:
			return n, nil
		}
	}
}

// room counts a kept node with its text.
func (p *parser) room(text int) error {
	p.nodes++
	p.kept += text
	if p.nodes > p.limits.Nodes || p.kept > p.limits.Kept {
		return refuse(reasonLarge)
	}
	return nil
}

// attr returns an attribute's value, "" if it is not there or n is nil.
func (n *node) attr(name string) string {
	if n == nil {
		return ""
	}
	i := slices.IndexFunc(n.attrs, func(a xml.Attr) bool { return a.Name.Local == name })
	if i < 0 {
		return ""
	}
	return n.attrs[i].Value
}

// all returns the children of a name.
func (n *node) all(name string) []*node {
	if n == nil {
		return nil
	}
	var out []*node
	for _, k := range n.kids {
		if k.name == name {
			out = append(out, k)
		}
	}
	return out
}

// first returns the first descendant along a path of names, nil if there is none.
func (n *node) first(path ...string) *node {
	for _, name := range path {
		if n == nil {
			return nil
		}
		i := slices.IndexFunc(n.kids, func(k *node) bool { return k.name == name })
		if i < 0 {
			return nil
		}
		n = n.kids[i]
	}
	return n
}

// content returns all text in a node.
func (n *node) content() string {
	var b strings.Builder
	n.each(func(k *node) { b.WriteString(k.text) })
	return b.String()
}

// each calls f for a node and everything in it, in the order of the document.
func (n *node) each(f func(*node)) {
	if n == nil {
		return
	}
	f(n)
	for _, k := range n.kids {
		k.each(f)
	}
}

// blank reports whether nothing in a node would show.
func (n *node) blank() bool {
	if n.name == "renderMultiMedia" {
		return false
	}
	if strings.TrimSpace(n.text) != "" {
		return false
	}
	return !slices.ContainsFunc(n.kids, func(k *node) bool { return !k.blank() })
}

// blockElement reports whether a narrative element makes lines of its own.
func blockElement(name string) bool {
	switch name {
	case "text", "paragraph", "list", "item", "table", "thead", "tbody", "tfoot", "tr", "td", "th":
		return true
	}
	return false
}
