package cda

import (
	"slices"
	"strconv"
)

// table is a narrative table, put in the order that HTML asks for.
type table struct {
	captions         []*node
	head, foot, body []*node
	// stray is what stands between the rows: HTML readers would throw it in front.
	stray []*node
}

// table writes a table with a caption, header cells with their scope, and a frame that
// can be scrolled with the keyboard.
func (p *page) table(n *node) {
	t := sorted(n)
	for _, n := range t.stray {
		p.flow([]*node{n}, true)
	}
	if len(t.head)+len(t.body)+len(t.foot) == 0 {
		p.flow(t.captions, true)
		return
	}
	p.tables++
	name := short(or(t.name(), or(p.title, p.o.Words.Table+" "+strconv.Itoa(p.tables))))
	frame := []attr{{"class", "cda-table"}, {"role", "group"}, {"aria-label", name}, {"tabindex", "0"}}
	p.element("div", frame, func() {
		p.element("table", []attr{{"class", classes(n)}}, func() {
			p.caption(t.captions, name)
			p.rows("thead", t.head)
			p.rows("tbody", t.body)
			p.rows("tfoot", t.foot)
		})
	})
}

// name returns what a table calls itself: its caption, or the only cell of its first
// header row.
func (t table) name() string {
	for _, c := range t.captions {
		if name := tidy(c.content()); name != "" {
			return name
		}
	}
	if len(t.head) == 0 {
		return ""
	}
	cells := append(t.head[0].all("th"), t.head[0].all("td")...)
	if len(cells) != 1 {
		return ""
	}
	return tidy(cells[0].content())
}

// maxName is the longest name of a table, in characters: it is written twice for each
// table, and a short document can have many.
const maxName = 80

// short cuts a name.
func short(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxName {
			return s[:i] + "…"
		}
	}
	return s
}

// caption writes the table's caption. One that the document does not have, but is its
// head, the section's title or a number, has a class of its own, so that a page can
// leave it to screen readers.
func (p *page) caption(captions []*node, name string) {
	if len(captions) == 0 {
		p.element("caption", []attr{{"class", "cda-auto"}}, func() { p.text(name) })
		return
	}
	p.element("caption", nil, func() {
		for _, c := range captions {
			p.flow(c.kids, false)
		}
	})
}

// sorted takes a table apart.
func sorted(n *node) table {
	var t table
	for _, k := range n.kids {
		switch k.name {
		case "caption":
			t.captions = append(t.captions, k)
		case "thead":
			if len(t.body) == 0 {
				t.head = append(t.head, t.rows(k)...)
			} else {
				t.body = append(t.body, t.rows(k)...) // HTML has one, and in front
			}
		case "tbody":
			t.body = append(t.body, t.rows(k)...)
		case "tfoot":
			t.foot = append(t.foot, t.rows(k)...)
		case "tr", "td", "th":
			t.body = append(t.body, t.rows(&node{kids: []*node{k}})...)
		default:
			t.stray = append(t.stray, k)
		}
	}
	return t
}

// rows returns the rows of a part; cells outside a row become one.
func (t *table) rows(part *node) []*node {
	var out []*node
	loose := false
	for _, k := range part.kids {
		switch k.name {
		case "tr":
			out = append(out, k)
			loose = false
		case "td", "th":
			if !loose {
				out = append(out, &node{name: "tr", block: true})
				loose = true
			}
			row := out[len(out)-1]
			row.kids = append(row.kids, k)
		default:
			t.stray = append(t.stray, k)
		}
	}
	return out
}

// rows writes a part of a table.
func (p *page) rows(part string, rows []*node) {
	if len(rows) == 0 {
		return
	}
	p.element(part, nil, func() {
		for _, row := range rows {
			p.row(part, row)
		}
	})
}

// row writes a row. What is no cell becomes one: its text would be thrown out of the
// table.
func (p *page) row(part string, n *node) {
	var cells []*node
	headers := true
	for _, k := range n.kids {
		if k.name != "td" && k.name != "th" {
			if k.blank() {
				continue
			}
			k = &node{name: "td", kids: []*node{k}, block: true}
		}
		cells = append(cells, k)
		headers = headers && k.name == "th"
	}
	p.element("tr", []attr{{"class", classes(n)}}, func() {
		for i, c := range cells {
			flags := []string{c.attr("ID")}
			if i == 0 {
				flags = append(flags, n.attr("ID"))
			}
			p.cell(c, cellName(part, c), scope(part, headers, c), flags)
		}
	})
}

// cell writes a cell.
func (p *page) cell(n *node, name, scope string, flags []string) {
	if name == "td" {
		scope = ""
	}
	attrs := []attr{
		{"class", classes(n)},
		{"id", p.anchor(n.attr("ID"))},
		{"scope", scope},
		{"colspan", span(n.attr("colspan"))},
		{"rowspan", span(n.attr("rowspan"))},
	}
	p.element(name, attrs, func() {
		p.flow(n.kids, false)
		for _, id := range flags {
			p.flag(id)
		}
	})
}

// cellName returns th for a cell that heads others. An empty one heads nothing.
func cellName(part string, n *node) string {
	if (part == "thead" || n.name == "th") && !n.blank() {
		return "th"
	}
	return "td"
}

// scope returns what a header cell heads: its own word, the column in the head and in a
// row of header cells only, else the row.
func scope(part string, headers bool, n *node) string {
	own := n.attr("scope")
	switch {
	case slices.Contains([]string{"row", "col"}, own):
		return own
	case part == "thead", headers:
		return "col"
	default:
		return "row"
	}
}

// maxSpan bounds colspan and rowspan: what HTML bounds the first to.
const maxSpan = 1000

// span returns a colspan or rowspan, "" for one that changes nothing.
func span(s string) string {
	n, err := strconv.Atoi(s)
	if err != nil || n < 2 {
		return ""
	}
	return strconv.Itoa(min(n, maxSpan))
}
