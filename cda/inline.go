package cda

import (
	"slices"
	"strings"
)

// inlines writes a run of text.
func (p *page) inlines(nodes []*node) {
	for _, n := range nodes {
		p.inline(n)
	}
}

// inline writes a text or an element inside a line. Of an element outside the list,
// only what is in it.
func (p *page) inline(n *node) {
	switch n.name {
	case "":
		p.text(n.text)
	case "br":
		p.void("br", nil)
		p.inlines(n.kids) // none, in a valid document
	case "content":
		p.content(n)
	case "sub", "sup":
		p.element(n.name, nil, func() { p.inlines(n.kids) })
	case "linkHtml":
		p.link(n)
	case "renderMultiMedia":
		p.media(n)
	case "footnote":
		p.element("span", []attr{{"class", "cda-note"}, {"id", p.anchor(n.attr("ID"))}}, func() {
			p.raw(" [")
			p.inlines(n.kids)
			p.raw("] ")
		})
	case "footnoteRef":
		if p.links[n.target()] != "" && !p.inLink {
			p.to(n.target(), func() { p.raw("[*]") })
		}
		p.inlines(n.kids)
	case "caption":
		p.element("strong", nil, func() { p.inlines(n.kids) })
		p.raw(" ")
	default:
		// What its edges meant is not known: they must not join two words.
		p.raw(" ")
		if id := p.anchor(n.attr("ID")); id != "" {
			p.element("span", []attr{{"id", id}}, func() { p.inlines(n.kids) })
		} else {
			p.inlines(n.kids)
		}
		p.raw(" ")
	}
}

// content writes a stretch of text in its style.
func (p *page) content(n *node) {
	inside := func() {
		p.inlines(n.kids)
		p.flag(n.attr("ID"))
	}
	styles := styleCodes(n)
	for _, s := range styles {
		switch s {
		case "bold":
			inside = p.within("strong", inside)
		case "italics", "emphasis":
			inside = p.within("em", inside)
		case "bolditalics":
			inside = p.within("strong", p.within("em", inside))
		}
	}
	switch n.attr("revised") {
	case "delete":
		inside = p.within("del", inside)
	case "insert":
		inside = p.within("ins", inside)
	}
	class, id := classes(n), p.anchor(n.attr("ID"))
	if class == "" && id == "" {
		inside()
		return
	}
	p.element("span", []attr{{"class", class}, {"id", id}}, inside)
}

// within wraps what is written in one more element.
func (p *page) within(name string, inside func()) func() {
	return func() { p.element(name, nil, inside) }
}

// to writes a link inside the fragment.
func (p *page) to(id string, inside func()) {
	p.inLink = true
	p.element("a", []attr{{"href", "#" + p.links[id]}}, inside)
	p.inLink = false
}

// link writes a link. Only one inside the document leads somewhere; of an address
// outside, what a person can read and judge.
func (p *page) link(n *node) {
	if id := n.target(); p.links[id] != "" && !p.inLink {
		p.to(id, func() { p.inlines(n.kids) })
		return
	}
	p.inlines(n.kids)
	href := strings.TrimSpace(n.attr("href"))
	lower := strings.ToLower(href)
	if !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "http://") {
		return
	}
	if shown := n.content(); !strings.Contains(shown, href) {
		p.element("span", []attr{{"class", "cda-address"}}, func() { p.text(" (" + href + ")") })
	}
}

// maxReferences is how many files one renderMultiMedia may show.
const maxReferences = 50

// media writes the embedded files that the narrative points to.
func (p *page) media(n *node) {
	ids := strings.Fields(n.attr("referencedObject"))
	for _, id := range ids[:min(len(ids), maxReferences)] {
		at := slices.IndexFunc(p.doc.embedded, func(em Embedded) bool { return em.ID == id })
		address, kind := "", Unknown
		if at >= 0 && p.o.Media != nil {
			address, kind = p.o.Media(id), p.doc.embedded[at].MediaType
		}
		caption := tidy(n.first("caption").content())
		switch {
		case address == "" || kind == Unknown:
			p.element("span", []attr{{"class", "cda-unshown"}}, func() { p.text("[" + p.o.Words.Unshown + "]") })
		case strings.HasPrefix(kind, "image/"):
			p.void("img", []attr{
				{"src", address},
				{"alt", or(caption, p.o.Words.Picture)},
				{"class", "cda-picture"},
				{"loading", "lazy"},
			})
		case p.inLink:
			p.text(p.o.Words.Attachment)
		default:
			p.element("a", []attr{{"href", address}, {"class", "cda-attachment"}}, func() {
				p.text(p.o.Words.Attachment)
			})
		}
		p.raw(" ")
	}
	p.inlines(n.kids)
}

// styleCodes returns the style codes of a node that are in the closed list, in lower
// case (CDA R2 4.3.5.11.1).
func styleCodes(n *node) []string {
	var out []string
	for s := range strings.FieldsSeq(strings.ToLower(n.attr("styleCode"))) {
		if known(s) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// known reports whether a style code, in lower case, is in the closed list.
func known(style string) bool {
	switch style {
	case "bold", "italics", "emphasis", "bolditalics", "underline",
		"lrule", "rrule", "toprule", "botrule",
		"arabic", "littleroman", "bigroman", "littlealpha", "bigalpha", "disc", "circle", "square":
		return true
	}
	return false
}

// classes returns the classes of a node: its style codes and its alignment. Bold and
// italics of a content are elements.
func classes(n *node) string {
	var out []string
	for _, s := range styleCodes(n) {
		switch s {
		case "bold", "italics", "emphasis", "bolditalics":
			if n.name == "content" {
				continue
			}
		}
		out = append(out, "cda-"+s)
	}
	switch align := n.attr("align"); align {
	case "left", "center", "right":
		out = append(out, "cda-"+align)
	}
	return strings.Join(out, " ")
}
