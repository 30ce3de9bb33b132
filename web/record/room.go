package record

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

//go:embed pages/*.html
var pageFiles embed.FS //nolint:gochecknoglobals // the compiler fills it

//go:embed words/*.toml
var wordFiles embed.FS //nolint:gochecknoglobals // the compiler fills it

// Parts are what the room works with; all are required.
type Parts struct {
	DB      *store.DB
	Works   *seal.Works
	Reading *reading.Room
	Office  *delivery.Office
}

type room struct{ Parts }

// Room returns the room of the record. Its pages use the parts and words of package
// leaf too, whose room stands beside it.
func Room(p Parts) ui.Room {
	r := &room{p}
	document, event := map[string]string{"document": "document"}, map[string]string{"event": "event"}
	return ui.Room{
		Name: "record", Pages: sub(pageFiles, "pages"), Words: sub(wordFiles, "words"),
		Routes: []ui.Route{
			{Pattern: "GET /documents", Section: "documents", Serve: r.documents},
			{Pattern: "GET /documents/{document}", Section: "documents", Names: document, Serve: r.document},
			{Pattern: "GET /documents/{document}/original", Section: "documents", Names: document, Serve: r.original},
			{Pattern: "GET /documents/{document}/embedded/{part}", Section: "documents", Names: map[string]string{"document": "document", "part": "part"}, Serve: r.embedded},
			{Pattern: "GET /agenda", Section: "agenda", Serve: r.agenda},
			{Pattern: "GET /agenda/{event}", Section: "agenda", Names: event, Serve: r.event},
			{Pattern: "POST /agenda/{event}/answer", Section: "agenda", Names: event, Serve: r.answer},
			{Pattern: "GET /agenda/{event}/ics", Section: "agenda", Names: event, Serve: r.ics},
			{Pattern: "GET /history", Section: "history", Serve: r.history},
		},
	}
}

func sub(files embed.FS, dir string) fs.FS {
	f, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return f
}

// names are what the patient knows correspondents by.
type names map[string]string

// of names an address; one that nobody wrote from is named by its domain.
func (n names) of(address string) string {
	a, err := identity.ParseAddress(address)
	if err != nil {
		if containsAt(address) {
			return ""
		}
		return address
	}
	if name := n[a.Key()]; name != "" {
		return name
	}
	return string(a.Domain())
}

func containsAt(s string) bool {
	for _, r := range s {
		if r == '@' {
			return true
		}
	}
	return false
}

// names reads what the patient's correspondents are called.
func (m *room) names(v *ui.Visit, r *http.Request) (names, error) {
	known := names{}
	err := m.DB.Read(r.Context(), func(tx *store.Tx) error {
		all, err := mailbox.Correspondents(tx, m.Works, v.Reader.Box.ID)
		for _, c := range all {
			if !containsAt(c.Name) {
				known[c.Address.Key()] = c.Name
			}
		}
		return err
	})
	return known, err
}
