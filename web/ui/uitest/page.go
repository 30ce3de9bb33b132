package uitest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/vaguemestre/vaguemestre/web/ui"
)

// Kit makes a kit of rooms, for the zone of Paris.
func Kit(tb testing.TB, rooms ...ui.Room) *ui.Kit {
	tb.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		tb.Fatal(err)
	}
	kit, err := ui.NewKit(ui.Site{Name: "essai", Host: "mes.essai.example", Help: "02 61 91 00 42"}, zone, rooms...)
	if err != nil {
		tb.Fatal(err)
	}
	return kit
}

// Draw answers a page to a visit and returns its HTML.
func Draw(tb testing.TB, kit *ui.Kit, v *ui.Visit, p ui.Page, around ui.Around) string {
	tb.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(tb.Context(), http.MethodGet, "/", nil)
	if err := kit.Answer(w, r, v, p, func() (ui.Around, error) { return around, nil }); err != nil {
		tb.Fatal(err)
	}
	return w.Body.String()
}

// digest is what the URL of a static file changes with.
var digest = regexp.MustCompile(`(/static/[a-z]+)\.[0-9a-f]{16}\.`) //nolint:gochecknoglobals // a constant in all but name

// own is what a page of the space says for itself: its title, its place in the
// navigation, and what stands in its main part.
var own = regexp.MustCompile(`(?s)<title>.*?</title>|<a class="nav-link" href="[^"]*" aria-current="page">|<main .*</main>`) //nolint:gochecknoglobals // a constant in all but name

// Own cuts away what every page of the space has around it: that is held once, by the
// golden of the home page. A page without navigation stays whole.
func Own(page string) string {
	if !strings.Contains(page, `<nav class="nav"`) {
		return page
	}
	return strings.Join(own.FindAllString(page, -1), "\n") + "\n"
}

// Golden compares a page with testdata/name, or writes it. Digests of static files are
// left out: a change of the stylesheet changes no page.
func Golden(tb testing.TB, name, page string, update bool) {
	tb.Helper()
	got := digest.ReplaceAllString(page, "$1.")
	file := filepath.Join("testdata", name)
	if update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil { //nolint:gosec // a page of our own
			tb.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		tb.Fatalf("%v (write it with -update)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		tb.Errorf("%s (-want +got; refresh with -update):\n%s", name, diff)
	}
}

// Sound holds a page to what a program can see of it: no inline style, script or
// handler, one h1, headings without a gap, a language and a title, every field with a
// label, every picture with a name or hidden, ids once, links of a page to ids that are
// there, buttons and links with a text, posts that stay here.
func Sound(tb testing.TB, page string) {
	tb.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		tb.Fatal(err)
	}
	s := &survey{ids: make(map[string]int), labels: make(map[string]bool)}
	s.collect(root)
	s.check(root)
	s.whole()
	for _, fault := range s.faults {
		tb.Errorf("%s", fault)
	}
}

type survey struct {
	ids      map[string]int
	labels   map[string]bool
	headings []string
	mains    int
	titled   bool
	language bool
	faults   []string
}

func (s *survey) fault(text string, n *html.Node) {
	var b bytes.Buffer
	if n != nil {
		_ = html.Render(&b, &html.Node{Type: n.Type, Data: n.Data, DataAtom: n.DataAtom, Attr: n.Attr})
	}
	s.faults = append(s.faults, text+" "+b.String())
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func (s *survey) collect(n *html.Node) {
	if n.Type == html.ElementNode {
		if id, has := attr(n, "id"); has {
			s.ids[id]++
		}
		if target, has := attr(n, "for"); has && n.Data == "label" {
			s.labels[target] = true
		}
	}
	for c := range n.ChildNodes() {
		s.collect(c)
	}
}

func (s *survey) check(n *html.Node) {
	if n.Type == html.ElementNode {
		s.element(n)
		for _, a := range n.Attr {
			switch {
			case a.Key == "style", strings.HasPrefix(a.Key, "on"):
				s.fault("the policy forbids "+a.Key, n)
			case a.Key == "id" && s.ids[a.Val] > 1:
				s.fault("the id stands twice:", n)
			case slices.Contains([]string{"aria-describedby", "aria-labelledby", "aria-controls"}, a.Key):
				for id := range strings.FieldsSeq(a.Val) {
					if s.ids[id] == 0 {
						s.fault(a.Key+" leads nowhere:", n)
					}
				}
			}
		}
	}
	for c := range n.ChildNodes() {
		s.check(c)
	}
}

func (s *survey) element(n *html.Node) {
	switch n.Data {
	case "html":
		_, s.language = attr(n, "lang")
	case "title":
		s.titled = s.titled || text(n) != ""
	case "main":
		s.mains++
	case "style":
		s.fault("the policy forbids", n)
	case "script":
		if src, has := attr(n, "src"); !has || !strings.HasPrefix(src, "/static/") {
			s.fault("the policy forbids", n)
		}
	case "h1", "h2", "h3", "h4", "h5", "h6":
		s.headings = append(s.headings, n.Data)
		if text(n) == "" {
			s.fault("a heading without a text:", n)
		}
	case "input", "select", "textarea":
		id, _ := attr(n, "id")
		kind, _ := attr(n, "type")
		if _, named := attr(n, "aria-label"); kind != "hidden" && kind != "submit" && !named && !s.labels[id] {
			s.fault("a field without a label:", n)
		}
	case "img":
		if _, has := attr(n, "alt"); !has {
			s.fault("a picture without alt:", n)
		}
	case "svg":
		hidden, _ := attr(n, "aria-hidden")
		if _, named := attr(n, "aria-label"); hidden != "true" && !named {
			s.fault("a drawing without a name:", n)
		}
	case "iframe":
		if title, _ := attr(n, "title"); title == "" {
			s.fault("a frame without a title:", n)
		}
	case "a", "button":
		s.pressed(n)
	case "form":
		if action, has := attr(n, "action"); has && (!strings.HasPrefix(action, "/") || strings.HasPrefix(action, "//")) {
			s.fault("a form that leads elsewhere:", n)
		}
	case "ul", "ol":
		for c := range n.ChildNodes() {
			if c.Type == html.ElementNode && c.Data != "li" && c.Data != "template" {
				s.fault("a list with something else in it:", c)
			}
		}
	}
}

// pressed checks what is clicked.
func (s *survey) pressed(n *html.Node) {
	if _, named := attr(n, "aria-label"); !named && text(n) == "" {
		s.fault("nothing says what this does:", n)
	}
	href, has := attr(n, "href")
	if target, within := strings.CutPrefix(href, "#"); has && within && s.ids[target] == 0 {
		s.fault("a link that leads nowhere:", n)
	}
	if n.Data == "button" {
		if _, typed := attr(n, "type"); !typed {
			s.fault("a button without a type:", n)
		}
	}
}

// whole checks what the page has as a whole.
func (s *survey) whole() {
	ones := 0
	last := "h1"
	for _, h := range s.headings {
		if h == "h1" {
			ones++
		}
		if h[1] > last[1]+1 {
			s.fault("a level of headings is left out before "+h, nil)
		}
		last = h
	}
	switch {
	case ones != 1:
		s.fault("a page has one h1", nil)
	case s.mains != 1:
		s.fault("a page has one main", nil)
	case !s.titled, !s.language:
		s.fault("a page has a title and a language", nil)
	}
}

// text returns what is read out of an element.
func text(n *html.Node) string {
	if hidden, _ := attr(n, "aria-hidden"); n.Type == html.ElementNode && hidden == "true" {
		return ""
	}
	if n.Type == html.TextNode {
		return strings.TrimSpace(n.Data)
	}
	var b strings.Builder
	for c := range n.ChildNodes() {
		b.WriteString(text(c))
	}
	if label, named := attr(n, "aria-label"); named {
		b.WriteString(label)
	}
	return b.String()
}
