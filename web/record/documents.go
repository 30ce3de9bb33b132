package record

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// Sizes of pages. Our choice: the home of documents shows the latest, a list what a
// thumb scrolls.
const (
	latest   = 8
	pageSize = 40
	maxPage  = dmp.MaxPage
)

// everything is the ?category= of the list of all documents.
const everything = "all"

// documentsPage is what the templates of documents show.
type documentsPage struct {
	Total  int
	Tiles  []leaf.Tile
	Groups []documentGroup
	Next   string
}

type documentGroup struct {
	Head string
	Rows []leaf.Row
}

// documentFacts are the facts of a document in a list; the first seven are what
// outside programs build on.
type documentFacts struct {
	ID       string        `json:"id"`
	Title    string        `json:"title"`
	Type     string        `json:"type"`
	Date     string        `json:"date"`
	Author   string        `json:"author"`
	Status   string        `json:"status"`
	Origins  []originFacts `json:"origins"`
	TypeName string        `json:"type_name"`
	Category string        `json:"category"`
	Filed    string        `json:"filed"`
	Warnings []string      `json:"warnings"`
}

// originFacts say how a document came: by a letter, whose id leads to it, or by a
// deposit.
type originFacts struct {
	Kind   string `json:"kind"`
	Letter string `json:"letter,omitempty"`
	From   string `json:"from"`
	At     string `json:"at"`
}

type countFacts struct {
	Category string `json:"category"`
	Name     string `json:"name"`
	Count    int64  `json:"count"`
}

type documentsFacts struct {
	Documents  []documentFacts `json:"documents"`
	Categories []countFacts    `json:"categories"`
	Next       string          `json:"next,omitempty"`
}

// documents serves GET /documents.
func (m *room) documents(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	q, listed, err := readQuery(r)
	if err != nil {
		return nil, err
	}
	counts, err := m.Reading.DocumentCounts(r.Context(), v.Reader)
	if err != nil {
		return nil, err
	}
	page, next, err := m.Reading.Documents(r.Context(), v.Reader, q)
	if err != nil {
		return nil, err
	}
	known, err := m.names(v, r)
	if err != nil {
		return nil, err
	}
	facts := newDocumentsFacts(v, page, counts, string(next), known)
	if !listed {
		return ui.Page{Template: "documents-home", Title: "doc.title", Data: newHome(v, page, counts), JSON: facts}, nil
	}
	list := newDocuments(v, q.Shelf, page, counts, string(next), q.Limit)
	title, args := "doc.all.title", []any(nil)
	if q.Shelf != "" {
		title, args = "doc.family", []any{"Name", dmp.ShelfOf(q.Shelf).Label.In(v.Lang)}
	}
	return ui.Page{Template: "documents-list", Title: title, TitleArgs: args, Data: list, JSON: facts}, nil
}

// readQuery reads ?category= ?before= ?limit=; listed says that a list was asked for
// rather than the home of documents. A category that there is none of is
// fault.NotFound "category-unknown".
func readQuery(r *http.Request) (q dmp.Query, listed bool, err error) {
	category, before := r.FormValue("category"), r.FormValue("before")
	listed = category != "" || before != ""
	q = dmp.Query{Before: dmp.DocumentID(before), Limit: latest}
	if listed || ui.WantsJSON(r) {
		q.Limit = pageSize
	}
	if category != "" && category != everything {
		if q.Shelf = dmp.Category(category); dmp.ShelfOf(q.Shelf).Category != q.Shelf {
			return q, listed, fault.New(fault.NotFound, "category-unknown")
		}
	}
	if raw := r.FormValue("limit"); raw != "" {
		n, err := strconv.Atoi(raw)
		if err != nil || n < 1 {
			return q, listed, fault.New(fault.Invalid, "limit-malformed")
		}
		q.Limit = min(n, maxPage)
	}
	return q, listed, nil
}

// newHome makes the home of documents: every family that is always shown or has
// something, and the latest.
func newHome(v *ui.Visit, page []dmp.Entry, counts []dmp.Count) documentsPage {
	p := documentsPage{}
	byCategory := make(map[dmp.Category]int64)
	for _, c := range counts {
		byCategory[c.Category] = c.Documents
		p.Total += int(c.Documents)
	}
	for _, s := range dmp.Categories() {
		n := byCategory[s.Category]
		if s.Special && n == 0 {
			continue
		}
		p.Tiles = append(p.Tiles, leaf.Tile{
			Href: "/documents?category=" + url.QueryEscape(string(s.Category)), Tint: s.Tint, Icon: drawing(s),
			Name: s.Label.In(v.Lang), Count: number(v, int(n)),
		})
	}
	if len(page) > 0 {
		g := documentGroup{}
		for _, e := range page {
			g.Rows = append(g.Rows, documentRow(v, e))
		}
		p.Groups = []documentGroup{g}
	}
	return p
}

// newDocuments makes a list of a family, or of all, by year.
func newDocuments(v *ui.Visit, shelf dmp.Category, page []dmp.Entry, counts []dmp.Count, next string, limit int) documentsPage {
	p := documentsPage{}
	for _, c := range counts {
		if shelf == "" || shelf == c.Category {
			p.Total += int(c.Documents)
		}
	}
	for _, e := range page {
		head := strconv.Itoa(dated(e).In(v.Words.Zone).Year())
		if len(p.Groups) == 0 || p.Groups[len(p.Groups)-1].Head != head {
			p.Groups = append(p.Groups, documentGroup{Head: head})
		}
		g := &p.Groups[len(p.Groups)-1]
		g.Rows = append(g.Rows, documentRow(v, e))
	}
	if next != "" {
		q := url.Values{"before": {next}, "category": {cmp.Or(string(shelf), everything)}}
		if limit != pageSize {
			q.Set("limit", strconv.Itoa(limit))
		}
		p.Next = "/documents?" + q.Encode()
	}
	return p
}

func documentRow(v *ui.Visit, e dmp.Entry) leaf.Row {
	shelf := dmp.ShelfOf(categoryOf(e))
	at := dated(e)
	row := leaf.Row{
		Href: documentPath(e.ID), Title: documentTitle(v, e), Sub: author(e), Icon: drawing(shelf), Tint: shelf.Tint,
		Meta: v.Words.Short(v.Now, at), Machine: v.Words.Machine(at),
	}
	switch e.State {
	case dmp.Deprecated:
		row.Tags = append(row.Tags, leaf.Tag{Text: v.T("doc.state.deprecated"), Icon: "swap"})
	case dmp.Archived:
		row.Tags = append(row.Tags, leaf.Tag{Text: v.T("doc.state.archived"), Icon: "box"})
	case dmp.Approved, dmp.Deleted:
	}
	if e.State == dmp.Approved && v.Now.Sub(e.At) < freshFor {
		row.Tags = append(row.Tags, leaf.Tag{Text: v.T("tag.new"), Kind: "new"})
	}
	return row
}

// freshFor is how long a document is new. Our choice: until the next day's look.
const freshFor = 48 * time.Hour

// drawing is the icon of a family.
func drawing(s dmp.Shelf) string { return strings.TrimPrefix(s.Icon, "i-") }

func documentPath(id dmp.DocumentID) string { return "/documents/" + url.PathEscape(string(id)) }

// dated is when a document was written, else when it came.
func dated(e dmp.Entry) time.Time {
	if e.Created.IsZero() {
		return e.At
	}
	return e.Created
}

// categoryOf is where a document is found.
func categoryOf(e dmp.Entry) dmp.Category {
	if e.Category != "" {
		return e.Category
	}
	kind, _ := dmp.Classify(e.Type.Code)
	return cmp.Or(kind.Category, dmp.Other)
}

// typeName is what kind of document it is, in words.
func typeName(v *ui.Visit, e dmp.Entry) string {
	if kind, known := dmp.Classify(e.Type.Code); known {
		return kind.Label.In(v.Lang)
	}
	return strings.TrimSpace(e.Type.Display)
}

func documentTitle(v *ui.Visit, e dmp.Entry) string {
	return cmp.Or(strings.TrimSpace(e.Title), typeName(v, e), v.T("doc.untitled"))
}

// author names who wrote a document first, and where.
func author(e dmp.Entry) string {
	for _, a := range e.Authors {
		if text := authorText(a); text != "" {
			return text
		}
	}
	return authorText(e.LegalAuthenticator)
}

func authorText(a dmp.Author) string {
	switch {
	case a.Person == "" || a.Person == a.Institution:
		return a.Institution
	case a.Institution == "":
		return a.Person
	}
	return a.Person + ", " + a.Institution
}

// number says how many documents there are.
func number(v *ui.Visit, n int) string {
	if n == 0 {
		return v.T("doc.number-none")
	}
	return v.T("doc.number", "Count", n)
}

func newDocumentsFacts(v *ui.Visit, page []dmp.Entry, counts []dmp.Count, next string, known names) documentsFacts {
	f := documentsFacts{Documents: make([]documentFacts, 0, len(page)), Categories: make([]countFacts, 0, len(counts)), Next: next}
	for _, e := range page {
		f.Documents = append(f.Documents, newDocumentFacts(v, e, known))
	}
	for _, c := range counts {
		f.Categories = append(f.Categories, countFacts{string(c.Category), dmp.ShelfOf(c.Category).Label.In(v.Lang), c.Documents})
	}
	return f
}

func newDocumentFacts(v *ui.Visit, e dmp.Entry, known names) documentFacts {
	f := documentFacts{
		ID: string(e.ID), Title: documentTitle(v, e), Type: e.Type.Code, Date: v.Words.Machine(dated(e)), Author: author(e),
		Status: string(e.State), Origins: make([]originFacts, 0, len(e.Origins)), TypeName: typeName(v, e),
		Category: string(categoryOf(e)), Filed: v.Words.Machine(e.At), Warnings: append([]string{}, e.Warnings...),
	}
	for _, o := range e.Origins {
		f.Origins = append(f.Origins, originFacts{Kind: string(o.Kind), Letter: o.Letter, From: known.of(o.From), At: v.Words.Machine(o.At)})
	}
	return f
}
