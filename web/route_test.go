package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// shared are the kinds of path parameters that are nobody's: everybody has the same.
var shared = map[string]bool{"category": true, "month": true, "folder": true}

var parameter = regexp.MustCompile(`\{(\w+)(\.\.\.)?\}`)

// path fills the parameters of a route.
func path(t *testing.T, route ui.Route, value func(kind string) string) (method, filled string, named []string) {
	t.Helper()
	method, filled, _ = strings.Cut(route.Pattern, " ")
	filled = strings.ReplaceAll(filled, "{$}", "")
	filled = parameter.ReplaceAllStringFunc(filled, func(p string) string {
		name := parameter.FindStringSubmatch(p)[1]
		kind, known := route.Names[name]
		if !known {
			t.Errorf("%s: Names does not say what %q names", route.Pattern, name)
		}
		named = append(named, kind)
		return value(kind)
	})
	return method, filled, named
}

// send asks for a route as a page or as facts.
func send(b *browser, method, path string, json bool) answered {
	body := ""
	if method == http.MethodPost { // whatever forms ask for: the guard is before them
		body = form("text", "Bonjour", "answer", "accepted", "status", "accepted", "version", "1", "language", "fr")
	}
	return b.do(method, path, body, func(r *http.Request) {
		if json {
			wantJSON(r)
		}
	})
}

func TestEveryRouteRefusesAStranger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine, _ := w.everything(w.patient("jeanne"), "jeanne")
	for _, route := range w.server.Routes() {
		method, at, _ := path(t, route, func(kind string) string { return mine[kind] })
		if route.Public {
			continue
		}
		b := w.browser()
		a := send(b, method, at, true)
		if a.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(a.text, `{"error":{"reason":"session-needed","id":"`) || a.Header.Get("Location") != "" {
			t.Errorf("%s: a stranger's program gets %d %s", route.Pattern, a.StatusCode, brief(a.text))
		}
		status := http.StatusUnauthorized
		if route.Pattern == "GET /{$}" {
			status = http.StatusOK
		}
		if a := send(b, method, at, false); a.StatusCode != status || !route.Stream && !strings.Contains(a.text, "web_login") {
			t.Errorf("%s: a stranger gets %d %s", route.Pattern, a.StatusCode, brief(a.text))
		}
	}
}

// requestID is what differs between two answers that are the same.
var requestID = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}`)

// Hostile vectors web/idor: one patient's session reaches nothing of another's. Every
// route that names an item is tried with every item of another patient, and answers
// what it answers for an item that nobody has.
func TestOnePatientReachesNothingOfAnothers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hers, herBrowser := w.everything(w.patient("jeanne"), "jeanne")
	his, b := w.everything(w.patient("paul"), "paul")
	before := herBrowser.json("/settings").text
	tried := 0
	for _, route := range w.server.Routes() {
		_, _, named := path(t, route, func(kind string) string { return his[kind] })
		for i, kind := range named {
			if shared[kind] || kind == "part" {
				continue
			}
			if hers[kind] == "" {
				t.Fatalf("%s: no item of kind %q to try", route.Pattern, kind)
			}
			// The i-th parameter is another's; the others are others', then one's own.
			for _, rest := range []items{hers, his} {
				fill := func(theirs string) func(string) string {
					n := -1
					return func(k string) string {
						if n++; n == i {
							return theirs
						}
						return rest[k]
					}
				}
				for _, json := range []bool{true, false} {
					method, at, _ := path(t, route, fill(hers[kind]))
					_, nowhere, _ := path(t, route, fill(random(hers[kind])))
					got, want := send(b, method, at, json), send(b, method, nowhere, json)
					same := requestID.ReplaceAllString(got.text, "") == requestID.ReplaceAllString(want.text, "")
					if got.StatusCode != http.StatusNotFound || want.StatusCode != http.StatusNotFound || !same {
						t.Errorf("%s: another's %s answers %d, nobody's %d, the same: %v\n%s", route.Pattern, kind, got.StatusCode, want.StatusCode, same, brief(got.text))
					}
					tried++
				}
			}
		}
	}
	if after := herBrowser.json("/settings"); after.StatusCode != http.StatusOK || len(facts[struct{ Devices []any }](t, after).Devices) != 1 {
		t.Errorf("her sessions were %s, and are %s", before, after.text)
	}
	if tried == 0 {
		t.Error("nothing was tried")
	}
	t.Logf("%d requests for what is another's", tried)
}

// random is an identifier of the same form that nobody has.
func random(id string) string {
	fresh := identity.NewID()
	if cut := strings.LastIndexAny(id, "."); cut >= 0 { // a compound of others
		return id[:cut+1] + fresh
	}
	return fresh
}

func TestEveryRouteIsUnderOneOfTheSections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := make(map[string]bool)
	for _, route := range w.server.Routes() {
		switch route.Section {
		case "", "home", "messages", "documents", "agenda", "history", "settings", "more":
		default:
			t.Errorf("%s: no section %q", route.Pattern, route.Section)
		}
		method, _, _ := strings.Cut(route.Pattern, " ")
		if method != http.MethodGet && method != http.MethodPost {
			t.Errorf("%s: a form has GET and POST", route.Pattern)
		}
		if seen[route.Pattern] {
			t.Errorf("%s: twice", route.Pattern)
		}
		seen[route.Pattern] = true
	}
}
