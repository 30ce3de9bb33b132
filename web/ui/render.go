package ui

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Around is what the shell tells besides the page: it is asked for only when a page of
// the space is drawn.
type Around struct {
	// Section is the current entry of the navigation.
	Section string
	// Unread counts the letters of the inbox that were not opened.
	Unread int
	// Notice is a word key that is said once, "" for none.
	Notice string
}

// View is what every template finds as its dot.
type View struct {
	*Visit
	Around
	Site Site
	// Name is the page's name, Title the whole text of <title>.
	Name, Title string
	// Path is the page's own path.
	Path string
	Data any
	// Content is the page, for the shells.
	Content template.HTML
}

// Policies of the pages (spec security 2.6). No inline style or script, nothing from
// elsewhere.
const (
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"frame-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
	// framePolicy is that of a document inside a sandboxed frame: it may be styled by
	// itself and show pictures that lie in it; from a sandbox no request has our cookie.
	framePolicy = "default-src 'none'; img-src data:; style-src 'self' 'unsafe-inline'; sandbox; " +
		"frame-ancestors 'self'; base-uri 'none'; form-action 'none'; object-src 'none'"
)

// Answer writes an answer. Around is called for pages of the space only.
func (k *Kit) Answer(w http.ResponseWriter, r *http.Request, v *Visit, a Answer, around func() (Around, error)) error {
	switch a := a.(type) {
	case Page:
		return k.page(w, r, v, a, around)
	case Redirect:
		redirect(w, a)
		return nil
	case File:
		return file(w, r, a)
	case Events:
		return stream(w, r, a)
	}
	return fault.Newf(fault.Internal, "answer-unknown", "%T is no answer", a)
}

func (k *Kit) page(w http.ResponseWriter, r *http.Request, v *Visit, p Page, around func() (Around, error)) error {
	status := p.Status
	if status == 0 {
		status = http.StatusOK
	}
	if v.JSON {
		if p.JSON == nil {
			return fault.New(fault.Invalid, "not-acceptable")
		}
		addHeader(w, p.Header)
		return WriteJSON(w, status, p.JSON)
	}
	view := View{Visit: v, Site: k.site, Name: v.T(p.Title, p.TitleArgs...), Data: p.Data, Path: r.URL.Path}
	shell, policy := "shell", pagePolicy
	switch {
	case p.Frame:
		shell, policy = "frame", framePolicy
	case p.Door:
		shell = "door"
	}
	if !p.Frame {
		var err error
		if view.Around, err = around(); err != nil {
			return err
		}
	}
	view.Title = title(view, p)
	body, err := k.draw(v.Lang, shell, p.Template, view)
	if err != nil {
		return err
	}
	addHeader(w, p.Header)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client went away: nothing to do
	return nil
}

// title names the page, then whose space it is: several tabs, and several people of
// one family, are told apart. New letters are counted first.
func title(v View, p Page) string {
	text := v.Name + " · "
	switch {
	case !v.Signed() || p.Door || v.Person.Given == "" && v.Person.Name == "":
		return text + v.T("brand")
	case v.Person.Given != "":
		text += v.Person.Given
	default:
		text += v.Person.Name
	}
	if v.Unread > 0 {
		return "(" + strconv.Itoa(v.Unread) + ") " + text
	}
	return text
}

// draw executes the page and then its shell around it.
func (k *Kit) draw(lang, shell, page string, view View) ([]byte, error) {
	set := k.pages[view.Words.Lang]
	if set == nil {
		return nil, fault.Newf(fault.Internal, "language-unknown", "no pages in %q", lang)
	}
	var inner, whole bytes.Buffer
	if err := set.ExecuteTemplate(&inner, page, view); err != nil {
		return nil, err
	}
	view.Content = template.HTML(inner.String()) // html/template has just escaped it
	if err := set.ExecuteTemplate(&whole, shell, view); err != nil {
		return nil, err
	}
	return whole.Bytes(), nil
}

// WriteJSON answers facts.
func WriteJSON(w http.ResponseWriter, status int, facts any) error {
	body, err := json.Marshal(facts)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client went away: nothing to do
	return nil
}

func addHeader(w http.ResponseWriter, more http.Header) {
	for name, values := range more {
		for _, value := range values {
			w.Header().Add(name, value)
		}
	}
}
