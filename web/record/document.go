package record

import (
	"cmp"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// documentPage is what the template of a document shows.
type documentPage struct {
	Title, Sub         string
	Family, FamilyHref string
	Banner             *leaf.Banner
	Leaf               leaf.Document
	Facts              []leaf.Fact
	Origins            []originLine
}

type originLine struct{ Text, Href string }

// oneFacts are the facts of one document.
type oneFacts struct {
	documentFacts
	Size       int64          `json:"size"`
	SHA256     string         `json:"sha256"`
	ReplacedBy string         `json:"replaced_by,omitempty"`
	Original   string         `json:"original"` // where the exact octets are fetched
	Embedded   []originalFact `json:"embedded"`
}

type originalFact struct {
	Kind string `json:"kind"`
	URL  string `json:"url"`
	Size int64  `json:"size"`
}

// self names the document's own octets among the files that can be shown.
const self = "self"

// document serves GET /documents/{document}.
func (m *room) document(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	b, err := m.Reading.Document(r.Context(), v.Reader, dmp.DocumentID(r.PathValue("document")))
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.Close() }() // it was read only
	known, err := m.names(v, r)
	if err != nil {
		return nil, err
	}
	shown := show(v, b)
	page := newDocument(v, b.Entry, shown, known)
	facts := oneFacts{
		documentFacts: newDocumentFacts(v, b.Entry, known), Size: b.Size, SHA256: b.SHA256,
		ReplacedBy: string(b.ReplacedBy), Original: documentPath(b.ID) + "/original", Embedded: []originalFact{},
	}
	for _, o := range shown.Originals {
		facts.Embedded = append(facts.Embedded, originalFact{string(o.Kind), o.URL, o.Size})
	}
	return ui.Page{Template: "document-page", Title: "doc.page", TitleArgs: []any{"Title", page.Title}, Data: page, JSON: facts}, nil
}

// show makes the leaf of a document: by its octets, whatever its metadata say.
func show(v *ui.Visit, b *dmp.Body) leaf.Document {
	base := documentPath(b.ID)
	out := leaf.Document{Title: documentTitle(v, b.Entry), Type: typeName(v, b.Entry), Date: b.Created}
	if a := author(b.Entry); a != "" {
		out.Authors = []string{a}
	}
	kind := leaf.Sniff(b)
	if doc, err := leaf.ReadCDA(b, b.Size, v.Words, leaf.Place{
		Base:     base + "/original",
		Embedded: func(n int) string { return base + "/embedded/" + strconv.Itoa(n) },
	}); err == nil {
		out = doc
	} else {
		if kind.Shown() {
			out.Originals = []leaf.Original{{
				Kind: kind, Name: out.Title, Size: b.Size, URL: base + "/embedded/" + self, Save: base + "/original",
			}}
		} else {
			out.Unread = "leaf.unread.format"
		}
		// Text is what a clinical document is too: one that is broken says so.
		if kind == leaf.Text && strings.Contains(b.MIME, "xml") {
			out.Unread = "leaf.unread.damaged"
		}
	}
	out.Save = base + "/original"
	out.Warnings = leaf.Warnings(v.Words, append(b.Warnings, out.Reasons...))
	return out
}

func newDocument(v *ui.Visit, e dmp.Entry, shown leaf.Document, known names) documentPage {
	shelf := dmp.ShelfOf(categoryOf(e))
	p := documentPage{
		Title: documentTitle(v, e), Sub: leaf.Capital(v.Words.Day(dated(e))), Family: shelf.Label.In(v.Lang),
		FamilyHref: "/documents?category=" + url.QueryEscape(string(shelf.Category)), Leaf: shown,
	}
	if a := author(e); a != "" {
		p.Sub = v.T("doc.sub", "Day", p.Sub, "Author", a)
	}
	if e.State == dmp.Deprecated {
		p.Banner = &leaf.Banner{Kind: "warn", Icon: "swap", Title: v.T("doc.replaced.title"), Text: v.T("doc.replaced.text")}
		if e.ReplacedBy != "" {
			p.Banner.Href, p.Banner.HrefText = documentPath(e.ReplacedBy), v.T("doc.replaced.see")
		}
	}
	p.Facts = []leaf.Fact{
		{Name: v.T("doc.fact.type"), Value: typeName(v, e)},
		{Name: v.T("doc.fact.family"), Value: p.Family},
		{Name: v.T("doc.fact.period"), Value: period(v, e)},
		{Name: v.T("doc.fact.filed"), Value: v.Words.Date(e.At)},
		{Name: v.T("doc.fact.size"), Value: v.Words.Size(e.Size)},
	}
	for _, o := range e.Origins {
		p.Origins = append(p.Origins, origin(v, o, known))
	}
	return p
}

// period tells the act or stay that a document is about.
func period(v *ui.Visit, e dmp.Entry) string {
	switch {
	case e.Start.IsZero():
		return ""
	case e.Stop.IsZero() || v.Words.Date(e.Start) == v.Words.Date(e.Stop):
		return v.Words.Date(e.Start)
	}
	return v.T("doc.period", "From", v.Words.Date(e.Start), "To", v.Words.Date(e.Stop))
}

// origin tells how a document came.
func origin(v *ui.Visit, o dmp.Origin, known names) originLine {
	line := originLine{}
	key := "doc.origin." + string(o.Kind)
	args := []any{"When", v.Words.Moment(v.Now, o.At)}
	if from := known.of(o.From); from != "" {
		key, args = key+"-from", append(args, "From", from)
	}
	line.Text = v.T(key, args...)
	if o.Kind == dmp.ByLetter {
		line.Href = "/messages/" + url.PathEscape(o.Letter)
	}
	return line
}

// original serves GET /documents/{document}/original: the exact octets, for keeping.
func (m *room) original(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	b, err := m.Reading.Document(r.Context(), v.Reader, dmp.DocumentID(r.PathValue("document")))
	if err != nil {
		return nil, err
	}
	kind := leaf.Sniff(b)
	name := documentTitle(v, b.Entry)
	switch {
	case strings.Contains(b.MIME, "xml"):
		name += ".xml"
	case kind.Shown():
		name += kind.Extension()
	}
	return ui.File{Name: name, Type: "application/octet-stream", Size: b.Size, Content: b, Close: b.Close}, nil
}

// embedded serves GET /documents/{document}/embedded/{part}: a file in a document, by
// its number from 0, or the document's own octets ("self"). Only what is shown at all
// is served here.
func (m *room) embedded(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	unknown := fault.New(fault.NotFound, "part-unknown")
	part := r.PathValue("part")
	n, err := strconv.Atoi(part)
	if part != self && (err != nil || n < 0 || strconv.Itoa(n) != part) {
		return nil, unknown
	}
	b, err := m.Reading.Document(r.Context(), v.Reader, dmp.DocumentID(r.PathValue("document")))
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.Close() }() // what is served is held by itself
	held, err := take(b, part, n)
	if err != nil {
		return nil, err
	}
	kind := leaf.Sniff(held)
	if !kind.Shown() {
		_ = held.Close() // nothing of it is left
		return nil, unknown
	}
	return leaf.Serve(held, documentTitle(v, b.Entry)+kind.Extension(), r.FormValue("keep") == ""), nil
}

// take holds a file of a document.
func take(b *dmp.Body, part string, n int) (*leaf.Held, error) {
	if part == self {
		return leaf.Hold(io.NewSectionReader(b, 0, b.Size), cmp.Or(b.Size, 1))
	}
	d, err := cda.Read(b, b.Size, cda.Limits{})
	if err != nil {
		return nil, fault.Wrap(fault.NotFound, "part-unknown", err)
	}
	files := d.Embedded(b)
	if n >= len(files) {
		return nil, fault.New(fault.NotFound, "part-unknown")
	}
	return leaf.HoldEmbedded(files[n])
}
