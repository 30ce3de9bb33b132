package cda

import (
	"bufio"
	"io"
	"strings"
)

// Render says how a narrative becomes HTML. The zero value is usable.
type Render struct {
	// Level is the heading level of the first sections, 2 to 6; 0 is 2.
	Level int
	// Prefix begins every id, so that two fragments fit one page; "" is "cda".
	Prefix string
	// Media returns the address of the embedded file with an ID, "" for one that is
	// not to be shown. nil shows none.
	Media func(id string) string
	// Words are those added to the document's; zero is French.
	Words Words
}

// Render writes the narrative as a fragment of HTML: sections with headings, and in
// them only the elements and attributes that the package comment lists. It writes
// nothing for a document whose body is a file, unless that is a plain text. Its errors
// are those of w.
func (d *Document) Render(w io.Writer, o Render) error {
	if o.Level < 2 || o.Level > 6 {
		o.Level = 2
	}
	o.Prefix = or(o.Prefix, "cda")
	if o.Words == (Words{}) {
		o.Words = French()
	}
	p := &page{w: bufio.NewWriter(w), o: o, doc: d, anchors: map[string]string{}, flagged: map[string]bool{}}
	p.targets(d.Sections)
	for _, s := range d.Sections {
		p.section(s, o.Level)
	}
	p.plain(d.plain)
	return p.w.Flush()
}

// page writes one fragment. Every element is written by element or void, so tags are
// always balanced; errors stay in the buffered writer until the end.
type page struct {
	w   *bufio.Writer
	o   Render
	doc *Document
	// anchors are the generated ids of the narrative IDs that a link points to;
	// nothing of the input gets into an id. An anchor is "" once it was written.
	anchors map[string]string
	// links are the generated ids for the href of links.
	links map[string]string
	// flagged are the IDs whose interpretation was written.
	flagged map[string]bool
	// title is that of the section, tables counts.
	title  string
	tables int
	// inLink says that a link is open: HTML has none in another.
	inLink bool
}

// attr is an attribute of HTML; one with an empty value is not written.
type attr struct{ name, value string }

// element writes an element around what inside writes.
func (p *page) element(name string, attrs []attr, inside func()) {
	p.void(name, attrs)
	inside()
	p.raw("</" + name + ">")
}

// void writes a tag that has no end tag.
func (p *page) void(name string, attrs []attr) {
	p.raw("<" + name)
	for _, a := range attrs {
		if a.value != "" {
			p.raw(" " + a.name + `="`)
			p.text(a.value)
			p.raw(`"`)
		}
	}
	p.raw(">")
}

func (p *page) raw(s string) { _, _ = p.w.WriteString(s) } // the error stays in the writer

// text writes characters, escaped for text and attribute values alike.
func (p *page) text(s string) {
	for _, r := range s {
		switch r = harmlessLines(r); r {
		case -1:
		case '<':
			p.raw("&lt;")
		case '>':
			p.raw("&gt;")
		case '&':
			p.raw("&amp;")
		case '"':
			p.raw("&#34;")
		case '\'':
			p.raw("&#39;")
		default:
			_, _ = p.w.WriteRune(r) // as above
		}
	}
}

// harmlessLines is harmless, but keeps line ends.
func harmlessLines(r rune) rune {
	if r == '\n' || r == '\t' {
		return r
	}
	return harmless(r)
}

// section writes a section and those in it. A section without a title has no heading,
// and those in it take its level: levels are never skipped.
func (p *page) section(s *Section, level int) {
	p.element("section", []attr{{"class", "cda-section"}}, func() {
		below := level
		if s.Title != "" {
			name := "h" + string(rune('0'+level))
			p.element(name, []attr{{"id", p.anchor(s.id)}}, func() { p.text(s.Title) })
			below = min(level+1, 6)
		}
		outer := p.title
		p.title = or(s.Title, outer)
		for _, n := range s.text {
			p.flow(n.kids, true)
		}
		for _, sub := range s.Sections {
			p.section(sub, below)
		}
		p.title = outer
	})
	p.raw("\n")
}

// plain writes a plain text: paragraphs between empty lines, and their lines.
func (p *page) plain(s string) {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	for part := range strings.SplitSeq(s, "\n\n") {
		part = strings.Trim(part, "\n")
		if strings.TrimSpace(part) == "" {
			continue
		}
		p.element("p", []attr{{"class", "cda-plain"}}, func() {
			for i, line := range strings.Split(part, "\n") {
				if i > 0 {
					p.void("br", nil)
				}
				p.text(line)
			}
		})
	}
}
