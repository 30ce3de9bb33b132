package ui

import (
	"io/fs"
	"net/http"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/reading"
)

// Visit is one request of somebody, signed in unless the route is Public.
type Visit struct {
	// Reader is who reads, with the released keys of the space: what package reading
	// asks for. It is zero for a stranger.
	Reader reading.Reader
	// Person is who is signed in.
	Person account.Person
	// Session is the session of this request, nil for a stranger.
	Session *porter.WebSession
	// Lang is the language of the answer, "fr" or "en".
	Lang string
	// Now is the time of the request, in the readers' zone.
	Now time.Time
	// Words says things in Lang.
	Words *Words
	// ID names the request in logs and on error pages.
	ID string
	// JSON is whether the visitor asked for facts rather than for a page.
	JSON bool
}

// T says a key of the catalogue in the visitor's language; see Words.T.
func (v *Visit) T(key string, args ...any) string { return v.Words.T(key, args...) }

// Signed reports whether somebody is signed in.
func (v *Visit) Signed() bool { return v.Session != nil }

// Route is one method and path of the door, and what answers it.
type Route struct {
	// Pattern is a method and a path of net/http's ServeMux, "GET /messages/{id}".
	Pattern string
	// Serve answers. An error becomes an error page or its JSON, by its fault kind.
	Serve func(v *Visit, r *http.Request) (Answer, error)
	// Names says what kind of item each path parameter names: "letter", "part",
	// "document", "event", "outcome", "session", "category". The tests try every route with
	// the items of another person, so none may be left out.
	Names map[string]string
	// Section is the entry of the navigation that is current: "home", "messages",
	// "documents", "agenda", "history", "settings", "more".
	Section string
	// Stream is set for server-sent events: a page of another origin is refused.
	Stream bool
	// Public is set for what strangers may ask for: the visit has no Reader then.
	Public bool
	// Body is how many octets a request may carry; zero is 64 KiB, enough for a form.
	Body int64
}

// Room is a part of the door: some routes, their pages and their words.
type Room struct {
	// Name is the room's, for error messages.
	Name   string
	Routes []Route
	// Pages has *.html, each with one or more {{define "name"}}.
	Pages fs.FS
	// Words has fr.toml and en.toml (go-i18n).
	Words fs.FS
}
