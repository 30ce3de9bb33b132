package ui_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/web/ui"
	"github.com/vaguemestre/vaguemestre/web/ui/uitest"
)

var update = flag.Bool("update", false, "write the golden pages anew")

func visit(kit *ui.Kit, lang string) *ui.Visit {
	words := kit.Words(lang)
	return &ui.Visit{
		Lang: lang, Words: words, ID: "7F3K-20A9", Now: time.Date(2026, 11, 20, 11, 0, 0, 0, words.Zone),
		Person: account.Person{Name: "Jeanne Morvan", Given: "Jeanne"},
	}
}

func signed(v *ui.Visit) *ui.Visit {
	v.Session = &porter.WebSession{}
	return v
}

// parts is a room that shows every part once.
func parts() ui.Room {
	room := words("p = { title = \"Pièces\" }", "p = { title = \"Parts\" }")
	room.Pages = fstest.MapFS{"parts.html": {Data: []byte(`{{define "parts" -}}
{{template "head" dict "Title" .Name "Lead" "Chaque pièce" "Back" "/" "BackText" "Retour" "Action" "/x" "ActionText" "Écrire" "ActionIcon" "edit"}}
{{template "filters" dict "Label" "Trier" "Items" (list (dict "Href" "/a" "Text" "Reçues" "Current" true) (dict "Href" "/b" "Text" "Envoyées" "Count" 2))}}
{{template "tabs" dict "Label" "Choisir" "Items" (list (dict "Href" "/a" "Text" "Soignants" "Current" true))}}
<h2>Listes</h2><ul class="rows">
{{template "row" dict "Href" "/a" "Title" "<Titre>" "Sub" "sous" "Icon" "file" "Tint" "k-rose" "Meta" (when $.Now .Data) "Machine" (machine .Data) "Tags" (list (dict "Text" "Caché" "Kind" "violet" "Icon" "eye-off"))}}
{{template "row-letter" dict "Href" "/l" "From" "Dr B" "Subject" "Objet" "Preview" "Début" "New" true "Meta" "9 h"}}
{{template "row-access" dict "Icon" "person" "Who" "Dr B" "What" "a lu" "Object" "Analyses" "Why" "soin" "Meta" "hier"}}
{{template "event" dict "Href" "/e" "At" .Data "Title" "Visite" "Time" "à 9 h" "Place" "Hôpital" "Kind" "ask"}}
</ul><ul class="tiles">{{template "tile" dict "Href" "/t" "Tint" "k-bleu" "Icon" "scan" "Name" "Radios" "Count" "3 documents"}}</ul>
{{template "more-link" dict "Href" "/?before=x" "Text" "Suite"}}
{{template "banner" dict "Kind" "warn" "Icon" "warn" "Title" "À vérifier" "Text" "Deux valeurs" "Href" "/a" "HrefText" "Voir"}}
{{template "empty" dict "Art" "calendar" "Title" "Rien" "Text" "Plus tard" "Href" "/" "HrefText" "Accueil"}}
{{template "facts" dict "Items" (list (dict "Name" "Type" "Value" "PDF") (dict "Name" "Vide" "Value" ""))}}
{{template "proof" dict "Text" "Chaque ligne porte un sceau."}}
{{template "letter" dict "Label" "Lettre" "From" "Dr B" "Role" "Cardiologue" "Initials" (initials "Dr B") "Day" (day .Data) "Machine" (machine .Data) "At" .Data "Body" "<p>échappé</p>"}}
{{template "attachment" dict "Name" "a.pdf" "Info" (size 212000) "Open" "/o" "Keep" "/k"}}
{{template "leaf" dict "Title" "Lettre de sortie" "Body" "texte"}}
{{template "no-reply" dict "Title" "Pas de réponse" "Text" "Personne ne lit."}}
{{template "original" dict "Src" "/f" "Title" "PDF" "Keep" "/k"}}
{{template "timeline" dict "Items" (list (dict "What" "Acceptée" "When" "9 h") (dict "Icon" "stop" "What" "Refusée" "Kind" "bad" "Proof" "5.1.1"))}}
{{template "errors" list (dict "ID" "nom" "Error" "Écrivez un nom.")}}
<form method="post" action="/x">{{template "field" dict "ID" "nom" "Label" "Nom" "Hint" "Le vôtre" "Error" "Écrivez un nom." "Value" "\"x\"" "Required" true}}
{{template "field" dict "ID" "texte" "Label" "Texte" "Rows" 8 "Value" "<x>"}}
{{template "choice" dict "Type" "radio" "Name" "c" "Value" "1" "Label" "Un" "Hint" "le premier" "Checked" true}}</form>
{{template "urgent"}}{{template "print-head" dict "Left" "a" "Right" "b"}}
{{- end}}
{{define "sure"}}{{template "confirm" dict "Title" "Cacher ?" "Back" "/d" "BackText" "Document" "Effects" (list (dict "Icon" "eye-off" "Text" "Ils ne le verront plus.")) "Action" "/d/hide" "Verb" "Cacher"}}{{end}}`)}}
	return room
}

func TestPages(t *testing.T) {
	t.Parallel()
	kit := uitest.Kit(t, parts())
	at := time.Date(2026, 11, 19, 9, 12, 0, 0, time.UTC)
	for name, p := range map[string]ui.Page{
		"parts": {Template: "parts", Title: "p.title", Data: at},
		"sure":  {Template: "sure", Title: "p.title"},
	} {
		got := uitest.Draw(t, kit, signed(visit(kit, ui.French)), p, ui.Around{Section: "messages", Unread: 2})
		uitest.Sound(t, got)
		uitest.Golden(t, name+".html", got, *update)
	}
	title := uitest.Draw(t, kit, signed(visit(kit, ui.English)), ui.Page{Template: "sure", Title: "p.title"}, ui.Around{Unread: 3})
	if !strings.Contains(title, "<title>(3) Parts · Jeanne</title>") {
		t.Errorf("no count and name in the title: %.300s", title)
	}
}

func TestWhatAPageIsDrawnInto(t *testing.T) {
	t.Parallel()
	kit := uitest.Kit(t, parts())
	answer := func(v *ui.Visit, p ui.Page) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		if err := kit.Answer(w, r, v, p, func() (ui.Around, error) { return ui.Around{}, nil }); err != nil {
			t.Fatal(err)
		}
		return w
	}
	page := ui.Page{Template: "sure", Title: "p.title"}
	if policy := answer(visit(kit, "fr"), page).Header().Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("policy of a page: %s", policy)
	}
	page.Frame = true
	framed := answer(visit(kit, "fr"), page)
	if policy := framed.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "sandbox;") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy of a frame: %s", policy)
	}
	if strings.Contains(framed.Body.String(), "<script") || strings.Contains(framed.Body.String(), "<nav") {
		t.Error("a frame has a shell")
	}
	v := visit(kit, "fr")
	v.JSON = true
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if err := kit.Answer(w, r, v, page, nil); ui.Status(err) != http.StatusNotAcceptable {
		t.Errorf("a page without facts, asked for facts: %v", err)
	}
	page.JSON = map[string]string{"a": "<b>"}
	if err := kit.Answer(w, r, v, page, nil); err != nil || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("facts: %v %v", err, w.Header())
	}
}

func TestFaultsAreTold(t *testing.T) {
	t.Parallel()
	kit := uitest.Kit(t)
	secret := errors.New("a cause that nobody is told")
	for _, row := range []struct {
		err    error
		status int
		reason string
	}{
		{fault.Wrap(fault.NotFound, "letter-unknown", secret), 404, "not-found"},
		{fault.Wrap(fault.NotFound, "document-unknown", secret), 404, "not-found"},
		{fault.Wrap(fault.Denied, "right-missing", secret), 403, "right-missing"},
		{fault.Wrap(fault.Denied, "login-failed", secret), 401, "login-failed"},
		{fault.Wrap(fault.Invalid, "anything", secret), 422, "anything"},
		{fault.Wrap(fault.Conflict, "store-duplicate", secret), 409, "store-duplicate"},
		{fault.Wrap(fault.OverQuota, "too-fast", secret), 429, "too-fast"},
		{fault.Wrap(fault.OverQuota, "body-too-large", secret), 413, "body-too-large"},
		{fault.Wrap(fault.Transient, "store-busy", secret), 503, "store-busy"},
		{fault.Wrap(fault.Internal, "store-engine", secret), 500, "internal"},
		{secret, 500, "internal"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		v := visit(kit, "en")
		v.JSON = true
		w := httptest.NewRecorder()
		kit.Fail(w, r, v, row.err)
		want := fmt.Sprintf(`{"error":{"reason":%q,"id":"7F3K-20A9"}}`+"\n", row.reason)
		if w.Code != row.status || w.Body.String() != want {
			t.Errorf("%v: %d %s, want %d %s", row.err, w.Code, w.Body, row.status, want)
		}
		for _, lang := range ui.Languages() {
			w = httptest.NewRecorder()
			kit.Fail(w, r, visit(kit, lang), row.err)
			page := w.Body.String()
			if w.Code != row.status || strings.Contains(page, "nobody is told") || !strings.Contains(page, "7F3K-20A9") {
				t.Errorf("%v: %d %s", row.err, w.Code, page)
			}
			uitest.Sound(t, page)
		}
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	kit.Fail(w, r, visit(kit, "fr"), fault.New(fault.OverQuota, "too-fast"))
	uitest.Golden(t, "error.html", w.Body.String(), *update)
	if w.Header().Get("Retry-After") == "" {
		t.Error("nothing says when to come back")
	}
}

// Hostile vectors response-headers-S6, open-redirect.
func TestARedirectStaysHere(t *testing.T) {
	t.Parallel()
	kit := uitest.Kit(t)
	for to, want := range map[string]string{
		"/settings": "/settings", "//evil.example": "/", `/\evil.example`: "/", "https://evil.example": "/",
		"javascript:MARK()": "/", "\t//evil.example": "/", "/\t/evil.example": "/", "": "/", "/a?b=c": "/a?b=c", "/a\r\nX: y": "/",
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		err := kit.Answer(w, r, visit(kit, "fr"), ui.Redirect{To: to, Notice: "error.home"}, nil)
		if got := w.Header().Get("Location"); err != nil || w.Code != http.StatusSeeOther || got != want {
			t.Errorf("%q: %d to %q, want %q (%v)", to, w.Code, got, want, err)
		}
		if w.Header().Get("Set-Cookie") != "" {
			t.Error("a word that is no notice was taken for one")
		}
	}
}

func TestAFileDoesNothing(t *testing.T) {
	t.Parallel()
	kit := uitest.Kit(t)
	content := []byte(strings.Repeat("0123456789", 100))
	get := func(f ui.File, header ...string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		closed := false
		f.Content, f.Size, f.Close = bytes.NewReader(content), int64(len(content)), func() error { closed = true; return nil }
		if err := kit.Answer(w, r, visit(kit, "fr"), f, nil); err != nil {
			t.Fatal(err)
		}
		if !closed {
			t.Error("not closed")
		}
		return w
	}
	for kind, inline := range map[string]bool{
		"application/pdf": true, "image/png": true, "text/plain": true, "text/plain; charset=utf-8": true,
		"text/html": false, "image/svg+xml": false, "application/xhtml+xml": false, "text/xml": false,
		"text/javascript": false, "application/x-shockwave-flash": false, "nonsense": false, "": false, "multipart/x-mixed-replace": false,
	} {
		h := get(ui.File{Name: "a.bin", Type: kind, Inline: true}).Header()
		if got := strings.HasPrefix(h.Get("Content-Disposition"), "inline"); got != inline {
			t.Errorf("%q: shown %v, want %v", kind, got, inline)
		}
		if !inline && h.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%q: answered as %q", kind, h.Get("Content-Type"))
		}
		if policy := h.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'; sandbox") {
			t.Errorf("%q: policy %q", kind, policy)
		}
	}
	if w := get(ui.File{Name: "a", Type: "application/pdf"}, "Range", "bytes=10-19"); w.Code != http.StatusPartialContent || w.Body.String() != "0123456789" {
		t.Errorf("a range: %d %q", w.Code, w.Body)
	}
	many := "bytes=" + strings.TrimSuffix(strings.Repeat("0-,", 1000), ",")
	if w := get(ui.File{Name: "a", Type: "application/pdf"}, "Range", many); w.Code != http.StatusOK || w.Body.Len() != len(content) {
		t.Errorf("a thousand ranges: %d, %d octets", w.Code, w.Body.Len())
	}
}

// Hostile vector response-headers-S6 and FuzzDisposition: RFC 6266, nothing splits.
func TestDisposition(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Lettre de sortie.pdf": `attachment; filename="Lettre de sortie.pdf"; filename*=UTF-8''Lettre%20de%20sortie.pdf`,
		"é\"\r\nX: y;.pdf":     `attachment; filename="____X: y_.pdf"; filename*=UTF-8''%C3%A9%22__X%3A%20y%3B.pdf`,
		"../../etc/passwd":     `attachment; filename="_.._etc_passwd"; filename*=UTF-8''_.._etc_passwd`,
		"a\u202efdp.exe":       `attachment; filename="a_fdp.exe"; filename*=UTF-8''a_fdp.exe`,
		" ":                    `attachment; filename="document"; filename*=UTF-8''document`,
		"..":                   `attachment; filename="document"; filename*=UTF-8''document`,
		"\xff.pdf":             `attachment; filename="_.pdf"; filename*=UTF-8''_.pdf`,
	} {
		if got := ui.Disposition("attachment", name); got != want {
			t.Errorf("%q:\n got %s\nwant %s", name, got, want)
		}
	}
}

func FuzzDisposition(f *testing.F) {
	for _, seed := range []string{"a.pdf", "é\"\r\n;x", "\u202e", strings.Repeat("é", 300), `a\b/c`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := ui.Disposition("inline", name)
		how, params, err := mime.ParseMediaType(got)
		if err != nil || how != "inline" || len(params) == 0 || params["filename"] == "" {
			t.Fatalf("%q gives %q: %v", name, got, err)
		}
		if strings.ContainsAny(params["filename"], "/\\\r\n\x00") || strings.ContainsAny(got, "\r\n") || len(got) > 3000 {
			t.Errorf("%q gives %q", name, got)
		}
	})
}

func TestEvents(t *testing.T) {
	t.Parallel()
	kit := uitest.Kit(t)
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	err := kit.Answer(w, r, visit(kit, "fr"), ui.Events{Run: func(_ context.Context, send func(ui.Event) error) error {
		return errors.Join(send(ui.Event{}), send(ui.Event{Name: "change", Data: "a\nevent: x"}))
	}}, nil)
	if want := ":\n\nevent: change\ndata: a event: x\n\n"; err != nil || w.Body.String() != want {
		t.Errorf("got %q, want %q (%v)", w.Body, want, err)
	}
	if w.Header().Get("Content-Type") != "text/event-stream" {
		t.Error(w.Header())
	}
}

func TestStaticFilesAreKeptForEver(t *testing.T) {
	t.Parallel()
	kit := uitest.Kit(t)
	page := uitest.Draw(t, kit, visit(kit, "fr"), ui.Page{Template: "error-page", Title: "error.ours.title", Data: struct{ Key, Reason, ID string }{"error.ours", "", ""}}, ui.Around{})
	_, rest, _ := strings.Cut(page, `rel="stylesheet" href="`)
	url, _, _ := strings.Cut(rest, `"`)
	get := func(path, encoding string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", encoding)
		if !kit.ServeStatic(w, r) {
			w.Code = http.StatusNotFound
		}
		return w
	}
	plain, zipped := get(url, ""), get(url, "br, gzip")
	if plain.Code != 200 || !strings.Contains(plain.Header().Get("Cache-Control"), "immutable") || !strings.HasPrefix(plain.Header().Get("Content-Type"), "text/css") {
		t.Errorf("%s: %d %v", url, plain.Code, plain.Header())
	}
	if zipped.Header().Get("Content-Encoding") != "gzip" || zipped.Body.Len() > plain.Body.Len()/3 {
		t.Errorf("zipped: %d of %d octets", zipped.Body.Len(), plain.Body.Len())
	}
	if w := get("/static/base.css", ""); w.Code != http.StatusNotFound {
		t.Error("a name without a digest is kept for ever too")
	}
	for _, forbidden := range []string{"style=", "url(", "@import", "http:"} {
		if text, _ := io.ReadAll(plain.Body); strings.Contains(string(text), forbidden) {
			t.Errorf("the stylesheet has %q", forbidden)
		}
	}
}

func TestWhoWantsFacts(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": true, "application/json, text/plain, */*": true,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": false,
		"text/html, application/json":                                     false, "text/html;q=0.5, application/json": true, "application/json;q=0": false,
		"application/json;q=x": false, "APPLICATION/JSON": true,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Accept", accept)
		if got := ui.WantsJSON(r); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ chosen, header, want string }{
		{"", "", "fr"},
		{"", "en-GB,en;q=0.9,fr;q=0.8", "en"},
		{"", "de, fr-CA;q=0.7, en;q=0.2", "fr"},
		{"fr", "en", "fr"},
		{"en", "", "en"},
		{"tlh", "en", "en"},
		{"", "de", "fr"},
		{"", ";;;", "fr"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", row.header)
		if got := ui.Language(row.chosen, r); got != row.want {
			t.Errorf("%+v: %s", row, got)
		}
	}
}
