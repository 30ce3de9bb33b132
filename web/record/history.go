package record

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// historyPage is what the template of the history shows.
type historyPage struct {
	Groups []accessGroup
	Next   string
}

type accessGroup struct {
	Head string
	Rows []leaf.AccessRow
}

// accessFacts are the facts of one access; the first four are what outside programs
// build on: what and why are ids of closed lists (package dmp).
type accessFacts struct {
	At     string `json:"at"`
	Who    string `json:"who"`
	What   string `json:"what"`
	Why    string `json:"why"`
	Kind   string `json:"who_kind"`
	Object string `json:"object,omitempty"`
	Title  string `json:"title,omitempty"`
	Via    string `json:"via,omitempty"`
}

type historyFacts struct {
	Accesses []accessFacts `json:"accesses"`
	Next     string        `json:"next,omitempty"`
}

// history serves GET /history.
func (m *room) history(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	page, next, err := m.Reading.Accesses(r.Context(), v.Reader, dmp.AccessID(r.FormValue("before")), pageSize)
	if err != nil {
		return nil, err
	}
	known, err := m.names(v, r)
	if err != nil {
		return nil, err
	}
	data, facts := newHistory(v, page, string(next), known)
	return ui.Page{Template: "history-page", Title: "his.title", Data: data, JSON: facts}, nil
}

func newHistory(v *ui.Visit, page []dmp.Access, next string, known names) (historyPage, historyFacts) {
	p, f := historyPage{}, historyFacts{Accesses: make([]accessFacts, 0, len(page)), Next: next}
	for _, a := range page {
		who := whoOf(v, a, known)
		f.Accesses = append(f.Accesses, accessFacts{
			At: v.Words.Machine(a.At), Who: who, What: string(a.What), Why: string(a.Why),
			Kind: a.WhoKind, Object: a.Object, Title: a.Title, Via: a.Via,
		})
		head := v.Words.DayHead(v.Now, a.At)
		if len(p.Groups) == 0 || p.Groups[len(p.Groups)-1].Head != head {
			p.Groups = append(p.Groups, accessGroup{Head: head})
		}
		g := &p.Groups[len(p.Groups)-1]
		g.Rows = append(g.Rows, accessRow(v, a, who))
	}
	if next != "" {
		p.Next = "/history?before=" + url.QueryEscape(next)
	}
	return p, f
}

// whoOf names who acted. A name that is an address is told as the patient knows it.
func whoOf(v *ui.Visit, a dmp.Access, known names) string {
	switch {
	case a.Why == dmp.Own:
		return v.T("his.who.you")
	case a.WhoKind == "service":
		return v.T("his.who.service")
	}
	if name := strings.TrimSpace(known.of(a.Who)); name != "" {
		return name
	}
	return v.T("his.who.unknown")
}

func accessRow(v *ui.Visit, a dmp.Access, who string) leaf.AccessRow {
	row := leaf.AccessRow{
		Who: who, What: v.T("his.what." + string(a.What)), Object: titleOf(v, a), Why: v.T("his.why." + string(a.Why)),
		Meta: v.Words.Clock(a.At), Machine: v.Words.Machine(a.At), Icon: "person", Tint: "k-bleu",
	}
	switch {
	case a.Why == dmp.Own:
		row.What, row.Why = v.T("his.you."+string(a.What)), v.T("his.why.own-you")
		row.Tint = "k-lilas"
	case a.WhoKind == "service" || a.Why == dmp.Filing:
		row.Icon, row.Tint = "building", "k-vert"
	}
	switch {
	case a.What == dmp.Refused:
		row.Icon, row.Tint = "lock", "k-gris"
		row.Tags = []leaf.Tag{{Text: v.T("his.tag.refused"), Icon: "stop"}}
	case a.Why == dmp.Emergency:
		row.Icon, row.Tint = "warn", "k-rose"
		row.Tags = []leaf.Tag{{Text: v.T("his.tag.emergency"), Kind: "bad", Icon: "warn"}}
	}
	return row
}

// titleOf is what was opened, without the marks of a letter's subject.
func titleOf(v *ui.Visit, a dmp.Access) string {
	text := strings.TrimSpace(a.Title)
	if text == "[FIN]" { // spec mssante 7.6
		return v.T("his.over")
	}
	if rest, marked := strings.CutPrefix(text, "XDM/1.0/DDM+"); marked { // ECO.3.1.3
		text = strings.TrimSpace(rest)
	}
	return text
}
