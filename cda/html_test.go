package cda_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// parse reads a fragment as a browser does.
func parse(t testing.TB, fragment string) *html.Node {
	t.Helper()
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(fragment), root)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	return root
}

// each calls f for every node of a tree.
func each(n *html.Node, f func(*html.Node)) {
	f(n)
	for k := range n.ChildNodes() {
		each(k, f)
	}
}

// inline are the elements of CDA and HTML whose edges do not part words.
var inline = []string{"content", "linkHtml", "sub", "sup", "span", "strong", "em", "a", "del", "ins"}

// text returns the text of a fragment, with a blank at the edges of other elements.
func text(t testing.TB, fragment string) string {
	t.Helper()
	var b strings.Builder
	var write func(n *html.Node)
	write = func(n *html.Node) {
		edge := ""
		if n.Type == html.ElementNode && !slices.Contains(inline, n.Data) {
			edge = " "
		}
		b.WriteString(edge)
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
		for k := range n.ChildNodes() {
			write(k)
		}
		b.WriteString(edge)
	}
	write(parse(t, fragment))
	return b.String()
}

// words cuts a text into letters and digits that stand together.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// allowed is the closed list: elements and their attributes.
var allowed = map[string][]string{
	"section": {"class"}, "h2": {"id"}, "h3": {"id"}, "h4": {"id"}, "h5": {"id"}, "h6": {"id"},
	"p": {"class", "id"}, "div": {"class", "id", "role", "aria-label", "tabindex"}, "br": {},
	"ul": {"class"}, "ol": {"class"}, "li": {"class", "id"},
	"table": {"class"}, "caption": {"class"}, "thead": {}, "tbody": {}, "tfoot": {}, "tr": {"class"},
	"th": {"class", "id", "scope", "colspan", "rowspan"}, "td": {"class", "id", "colspan", "rowspan"},
	"strong": {}, "em": {}, "sub": {}, "sup": {}, "del": {}, "ins": {}, "span": {"class", "id"},
	"a": {"href", "class"}, "img": {"src", "alt", "class", "loading"},
}

var (
	classForm = regexp.MustCompile(`^cda-[a-z-]+( cda-[a-z-]+)*$`)
	idForm    = regexp.MustCompile(`^cda-[0-9]+$`)
)

// checkHTML holds the promises about a fragment: the closed list, no address outside,
// balanced tags that a browser does not move, accessible headings and tables.
func checkHTML(t testing.TB, name, fragment string) {
	t.Helper()
	root := parse(t, fragment)
	ids, level := map[string]bool{}, 0
	each(root, func(n *html.Node) {
		if n.Type != html.ElementNode || n == root {
			return
		}
		attrs, ok := allowed[n.Data]
		if !ok || n.Namespace != "" {
			t.Errorf("%s: element %s", name, n.Data)
		}
		for _, a := range n.Attr {
			if !slices.Contains(attrs, a.Key) {
				t.Errorf("%s: attribute %s of %s", name, a.Key, n.Data)
			}
			checkAttr(t, name, a)
			if a.Key == "id" && ids[a.Val] {
				t.Errorf("%s: id %s twice", name, a.Val)
			}
			ids[a.Val] = ids[a.Val] || a.Key == "id"
		}
		if len(n.Data) == 2 && n.Data[0] == 'h' {
			l := int(n.Data[1] - '0')
			if level > 0 && l > level+1 {
				t.Errorf("%s: heading %d after %d", name, l, level)
			}
			level = l
		}
		if n.Data == "table" && (n.FirstChild == nil || n.FirstChild.Data != "caption") {
			t.Errorf("%s: a table without a caption", name)
		}
	})
	each(root, func(n *html.Node) {
		if href := attrOf(n, "href"); strings.HasPrefix(href, "#") && !ids[href[1:]] {
			t.Errorf("%s: link to %s, which is not there", name, href)
		}
	})
	checkBalance(t, name, fragment, root)
}

func checkAttr(t testing.TB, name string, a html.Attribute) {
	t.Helper()
	good := true
	switch a.Key {
	case "class":
		good = classForm.MatchString(a.Val)
	case "id":
		good = idForm.MatchString(a.Val)
	case "href", "src":
		good = strings.HasPrefix(a.Val, "#cda-") || strings.HasPrefix(a.Val, "/media/")
	case "scope":
		good = a.Val == "row" || a.Val == "col"
	}
	if !good {
		t.Errorf("%s: %s=%q", name, a.Key, a.Val)
	}
}

func attrOf(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// checkBalance compares the tags as written with the tree a browser makes: what is
// unbalanced or moved would differ.
func checkBalance(t testing.TB, name, fragment string, root *html.Node) {
	t.Helper()
	var written, made []string
	var open []string
	z := html.NewTokenizer(strings.NewReader(fragment))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) || len(open) > 0 {
				t.Errorf("%s: %v, open %v", name, z.Err(), open)
			}
			each(root, func(n *html.Node) {
				if n.Type == html.ElementNode && n != root {
					made = append(made, n.Data)
				}
			})
			if !slices.Equal(written, made) {
				t.Errorf("%s: a browser makes other elements of it: %d written, %d made", name, len(written), len(made))
			}
			return
		case html.StartTagToken:
			tag, _ := z.TagName()
			written = append(written, string(tag))
			if s := string(tag); s != "br" && s != "img" {
				open = append(open, s)
			}
		case html.EndTagToken:
			tag, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(tag) {
				t.Fatalf("%s: </%s>, open %v", name, tag, open)
			}
			open = open[:len(open)-1]
		case html.CommentToken, html.DoctypeToken, html.SelfClosingTagToken:
			t.Errorf("%s: %s", name, z.Raw())
		}
	}
}

// checkWords holds that every word of titles and narrative is in the rendering, in its
// order. The words are found by another reader than ours.
func checkWords(t testing.TB, name string, document []byte, fragment string) {
	t.Helper()
	got := words(text(t, fragment))
	at := 0
	for _, w := range words(narrative(t, document)) {
		i := slices.Index(got[at:], w)
		if i < 0 {
			t.Errorf("%s: %q is lost (after %q)", name, w, got[max(0, at-4):at])
			return
		}
		at += i + 1
	}
}

// narrative returns the text of section titles and texts.
func narrative(t testing.TB, document []byte) string {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(document))
	dec.Strict = false
	var b strings.Builder
	var path []string
	inside := func() bool {
		for i := range path {
			if i > 0 && path[i-1] == "section" && (path[i] == "title" || path[i] == "text") {
				return true
			}
		}
		return false
	}
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			path = append(path, tok.Name.Local)
			if !slices.Contains(inline, tok.Name.Local) {
				b.WriteByte(' ')
			}
		case xml.EndElement:
			path = path[:len(path)-1]
			if !slices.Contains(inline, tok.Name.Local) {
				b.WriteByte(' ')
			}
		case xml.CharData:
			if inside() {
				b.Write(tok)
			}
		}
	}
}
