package cda

// flow writes mixed content: blocks as blocks, and each run of text between them, in a
// paragraph with wrap.
func (p *page) flow(kids []*node, wrap bool) {
	for i := 0; i < len(kids); {
		if kids[i].block {
			p.block(kids[i])
			i++
			continue
		}
		run := kids[i:]
		for n, k := range run {
			if k.block {
				run = run[:n]
				break
			}
		}
		i += len(run)
		switch {
		case allBlank(run):
		case wrap:
			p.element("p", nil, func() { p.inlines(run) })
		default:
			p.inlines(run)
		}
	}
}

// allBlank reports whether nothing of a run would show.
func allBlank(run []*node) bool {
	for _, n := range run {
		if !n.blank() {
			return false
		}
	}
	return true
}

// block writes an element that makes lines of its own.
func (p *page) block(n *node) {
	switch n.name {
	case "table":
		p.table(n)
	case "list":
		p.list(n)
	case "item":
		p.element("ul", nil, func() { p.item(n) })
	case "paragraph":
		p.paragraph(n)
	default:
		// A row or cell outside a table, inline elements around blocks, elements
		// outside the list: what is in them.
		inside := func() {
			p.flow(n.kids, true)
			p.flag(n.attr("ID"))
		}
		if id := p.anchor(n.attr("ID")); id != "" {
			p.element("div", []attr{{"id", id}}, inside)
			return
		}
		inside()
	}
}

// paragraph writes a p, or a div around blocks, which HTML does not have in a p.
func (p *page) paragraph(n *node) {
	if n.blank() {
		return
	}
	attrs := []attr{{"class", classes(n)}, {"id", p.anchor(n.attr("ID"))}}
	for _, k := range n.kids {
		if k.block {
			p.element("div", attrs, func() {
				p.flow(n.kids, true)
				p.flag(n.attr("ID"))
			})
			return
		}
	}
	p.element("p", attrs, func() {
		p.inlines(n.kids)
		p.flag(n.attr("ID"))
	})
}

// list writes a list; its caption goes before it.
func (p *page) list(n *node) {
	if n.blank() {
		return
	}
	var items []*node
	for _, k := range n.kids {
		switch {
		case k.name == "caption":
			p.element("p", []attr{{"class", "cda-caption"}}, func() { p.inlines(k.kids) })
		case !k.blank():
			items = append(items, k)
		}
	}
	if len(items) == 0 {
		return
	}
	name := "ul"
	if n.attr("listType") == "ordered" {
		name = "ol"
	}
	p.element(name, []attr{{"class", classes(n)}}, func() {
		for _, k := range items {
			p.item(k)
		}
	})
}

// item writes an li; what is no item becomes one.
func (p *page) item(n *node) {
	if n.name != "item" {
		p.element("li", nil, func() { p.flow([]*node{n}, false) })
		return
	}
	p.element("li", []attr{{"class", classes(n)}, {"id", p.anchor(n.attr("ID"))}}, func() {
		p.flow(n.kids, false)
		p.flag(n.attr("ID"))
	})
}
