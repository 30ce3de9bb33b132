package message

import (
	"embed"
	"io/fs"

	"github.com/vaguemestre/vaguemestre/delivery"
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

// room is the room with what is made once.
type room struct {
	Parts
	clean *sanitiser
}

// Room returns the room of letters. Its pages use the parts and words of package leaf
// too, whose room stands beside it.
func Room(p Parts) ui.Room {
	r := &room{Parts: p, clean: newSanitiser()}
	letter := map[string]string{"letter": "letter"}
	const section = "messages"
	return ui.Room{
		Name: "message", Pages: sub(pageFiles, "pages"), Words: sub(wordFiles, "words"),
		Routes: []ui.Route{
			{Pattern: "GET /messages", Section: section, Serve: r.list},
			{Pattern: "GET /messages/{letter}", Section: section, Names: letter, Serve: r.letter},
			{Pattern: "GET /messages/{letter}/html", Section: section, Names: letter, Serve: r.html},
			{Pattern: "GET /messages/{letter}/parts/{part}", Section: section, Names: map[string]string{"letter": "letter", "part": "part"}, Serve: r.part},
			{Pattern: "POST /messages/{letter}/unread", Section: section, Names: letter, Serve: r.unread},
			{Pattern: "POST /messages/{letter}/trash", Section: section, Names: letter, Serve: r.trash},
			{Pattern: "POST /messages/{letter}/restore", Section: section, Names: letter, Serve: r.restore},
			{Pattern: "GET /messages/{letter}/reply", Section: section, Names: letter, Serve: r.reply},
			{Pattern: "POST /messages/{letter}/reply", Section: section, Names: letter, Serve: r.send, Body: maxReply},
			{Pattern: "GET /outcome", Section: section, Serve: r.stories},
			{Pattern: "GET /outcome/{outcome}", Section: section, Names: map[string]string{"outcome": "outcome"}, Serve: r.story},
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
