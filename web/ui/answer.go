package ui

import (
	"context"
	"io"
	"net/http"
)

// Answer is what a route answers with: a Page, a Redirect, a File or Events.
type Answer interface{ answer() }

// Page is a page, or the same facts as JSON.
type Page struct {
	// Status is the HTTP status; zero is 200.
	Status int
	// Template names the {{define}} of what stands inside the shell.
	Template string
	// Title is the word key of the page's name, TitleArgs its arguments.
	Title     string
	TitleArgs []any
	// Data is what the template finds as .Data.
	Data any
	// JSON is what Accept: application/json gets; nil is 406 for those who ask for it.
	JSON any
	// Door puts the page into the envelope of sign-in and errors, not the space.
	Door bool
	// Frame makes the page a bare document for a sandboxed frame of another page: no
	// shell, no scripts, and only this door may frame it.
	Frame bool
	// Header is added to the answer's.
	Header http.Header
}

// Redirect sends the browser on (303) after something was done.
type Redirect struct {
	// To is a path of this door, beginning with one slash.
	To string
	// Notice is a word key, beginning with "notice.", that is said once on the next page.
	Notice string
	// Header is added to the answer's.
	Header http.Header
}

// File is octets for the browser to keep or to show.
type File struct {
	// Name is the file's name as the visitor may see it; it may hold anything.
	Name string
	// Type is the media type. What a browser would run is answered as
	// application/octet-stream, whatever stands here, unless Policy is set.
	Type string
	Size int64
	// Inline shows the file in the browser instead of keeping it.
	Inline  bool
	Content io.ReaderAt
	// Close, if any, is called when the answer is over.
	Close func() error
	// Policy is a Content-Security-Policy of its own; empty is one under which nothing
	// runs and nothing is loaded.
	Policy string
}

// Events is a stream of server-sent events. Run sends until the context is over or
// send fails.
type Events struct {
	Run func(ctx context.Context, send func(Event) error) error
}

// Event is one event of a stream: Name and Data are single lines. A zero Event
// is a comment that keeps the connection open.
type Event struct{ Name, Data string }

func (Page) answer()     {}
func (Redirect) answer() {}
func (File) answer()     {}
func (Events) answer()   {}
