package cda

import (
	"strconv"
	"strings"
)

// targets gives an id to each place in the narrative that a link or a footnote
// reference points to.
func (p *page) targets(sections []*Section) {
	there, wanted := map[string]bool{}, []string(nil)
	var visit func([]*Section)
	visit = func(sections []*Section) {
		for _, s := range sections {
			there[s.id] = s.Title != "" // its heading is the place
			for _, text := range s.text {
				text.each(func(n *node) {
					if id := n.attr("ID"); id != "" && anchored(n) && !n.blank() {
						there[id] = true
					}
					if id := n.target(); id != "" {
						wanted = append(wanted, id)
					}
				})
			}
			visit(s.Sections)
		}
	}
	visit(sections)
	p.links = map[string]string{}
	for _, id := range wanted {
		if there[id] && p.links[id] == "" {
			generated := p.o.Prefix + "-" + strconv.Itoa(len(p.links)+1)
			p.links[id], p.anchors[id] = generated, generated
		}
	}
}

// target returns the narrative ID that a node points to.
func (n *node) target() string {
	switch n.name {
	case "linkHtml":
		if id, ok := strings.CutPrefix(n.attr("href"), "#"); ok {
			return id
		}
	case "footnoteRef":
		return n.attr("IDREF")
	}
	return ""
}

// anchored reports whether an element keeps its ID when it is written.
func anchored(n *node) bool {
	switch n.name {
	case "content", "paragraph", "item", "td", "th", "footnote":
		return true
	}
	return false
}

// anchor returns the generated id of a narrative ID, the first time only: an id stands
// once in a page, whatever the document repeats.
func (p *page) anchor(id string) string {
	generated := p.anchors[id]
	delete(p.anchors, id)
	return generated
}

// flag says in words that an observation which points to this ID is not normal.
func (p *page) flag(id string) {
	codes := p.doc.flags[id]
	if id == "" || len(codes) == 0 || p.flagged[id] {
		return
	}
	p.flagged[id] = true
	said := map[string]bool{}
	for _, code := range codes {
		word, class := p.o.Words.interpretation(code)
		if said[word] {
			continue
		}
		said[word] = true
		p.raw(" ")
		p.element("span", []attr{{"class", "cda-flag " + class}}, func() { p.text("(" + word + ")") })
	}
}
