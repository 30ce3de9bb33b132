package web

import (
	"embed"
	"io/fs"

	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/message"
	"github.com/vaguemestre/vaguemestre/web/record"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

//go:embed page/*.html
var pageFiles embed.FS //nolint:gochecknoglobals // the compiler fills it

//go:embed words/*.toml
var wordFiles embed.FS //nolint:gochecknoglobals // the compiler fills it

// rooms are the parts of the door: its own, and those in the folders below.
func (s *Server) rooms() ([]ui.Room, error) {
	own, err := s.hall()
	if err != nil {
		return nil, err
	}
	return []ui.Room{
		own,
		leaf.Room(),
		message.Room(message.Parts{DB: s.DB, Works: s.Works, Reading: s.Reading, Office: s.Office}),
		record.Room(record.Parts{DB: s.DB, Works: s.Works, Reading: s.Reading, Office: s.Office}),
	}, nil
}

// hall is the room that is this package's own: coming in, home, settings.
func (s *Server) hall() (ui.Room, error) {
	pages, err := fs.Sub(pageFiles, "page")
	if err != nil {
		return ui.Room{}, err
	}
	words, err := fs.Sub(wordFiles, "words")
	if err != nil {
		return ui.Room{}, err
	}
	room := ui.Room{Name: "hall", Pages: pages, Words: words}
	for _, routes := range [][]ui.Route{s.signInRoutes(), s.homeRoutes(), s.settingsRoutes(), s.aboutRoutes(), s.liveRoutes()} {
		room.Routes = append(room.Routes, routes...)
	}
	return room, nil
}
