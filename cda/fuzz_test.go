package cda_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/fault"
)

// FuzzRead reads any octets: refusals are Invalid, what is read is rendered within the
// closed list.
func FuzzRead(f *testing.F) {
	f.Add(fixture(f))
	f.Add(narrated(f, "<table><tbody><tr><td>a</td></tr></tbody></table><linkHtml href='#x'/>"))
	f.Add(nonXML(f, `mediaType="text/plain" representation="B64"`, b64("text")))
	f.Add([]byte(`<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2"/></ClinicalDocument>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		d, err := read(doc)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", doc, err)
			}
			return
		}
		if d.UniqueID() == "" {
			t.Errorf("%q: no id", doc)
		}
		checkHTML(t, string(doc), rendered(t, d, cda.Render{}))
	})
}

// FuzzRender makes a tree of narrative elements of each input, in any order and
// nesting, and holds that nothing is lost and nothing else gets in.
func FuzzRender(f *testing.F) {
	f.Add([]byte("\x01a\xffb"))
	f.Add([]byte("table\x0c\x0d\x0ex\xff\xffy"))
	f.Add([]byte{9, 10, 11, 12, 'a', 255, 'b', 255, 3, 'c', 255, 255, 4, 9, 13, 14, 'd'})
	f.Add([]byte{4, 5, 'x', 255, 'y', 255, 1, 9, 10, 13, 'z', 255, 255, 255, 255, 16, 'w'})
	f.Fuzz(func(t *testing.T, seed []byte) {
		if len(seed) > 2000 {
			return
		}
		doc := narrated(t, grown(seed))
		d, err := read(doc)
		if err != nil {
			t.Fatalf("%q: %v", doc, err)
		}
		html := rendered(t, d, cda.Render{Media: func(id string) string { return "/media/" + id }})
		checkHTML(t, grown(seed), html)
		lost := letters(narrative(t, doc))
		for r, n := range letters(text(t, html)) {
			lost[r] -= n
		}
		for r, n := range lost {
			if n > 0 {
				t.Errorf("%q: %d of %q lost in %q", grown(seed), n, r, html)
			}
		}
	})
}

// grown makes well-formed narrative of octets: small ones open an element, letters are
// text, the others close.
func grown(seed []byte) string {
	names := []string{
		"text", "paragraph", "content", "caption", "list", "item", "linkHtml", "sub", "br", "table", "thead", "tbody",
		"tfoot", "tr", "td", "th", "footnote", "footnoteRef", "renderMultiMedia", "x:div", "colgroup", "section",
	}
	var b strings.Builder
	var open []string
	for i, c := range seed {
		switch {
		case int(c) < len(names) && len(open) < 30:
			name := names[c]
			b.WriteString("<" + name)
			if name == "x:div" {
				b.WriteString(" xmlns:x='u'")
			}
			b.WriteString([]string{"", " ID='a'", " href='#a'", " IDREF='b' ID='b'", " styleCode='Bold Underline'", " colspan='3'"}[i%6])
			b.WriteString(">")
			open = append(open, name)
		case c < 128 && unicode.IsLetter(rune(c)):
			b.WriteByte(c)
		case len(open) > 0:
			b.WriteString("</" + open[len(open)-1] + ">")
			open = open[:len(open)-1]
		}
	}
	for len(open) > 0 {
		b.WriteString("</" + open[len(open)-1] + ">")
		open = open[:len(open)-1]
	}
	return b.String()
}

// letters counts them.
func letters(s string) map[rune]int {
	out := map[rune]int{}
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			out[r]++
		}
	}
	return out
}
