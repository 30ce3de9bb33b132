package leaf

import (
	"embed"
	"io/fs"

	"github.com/vaguemestre/vaguemestre/web/ui"
)

//go:embed pages/*.html
var pageFiles embed.FS //nolint:gochecknoglobals // the compiler fills it

//go:embed words/*.toml
var wordFiles embed.FS //nolint:gochecknoglobals // the compiler fills it

// Room returns the templates and words of leaves; it has no routes.
func Room() ui.Room {
	return ui.Room{Name: "leaf", Pages: sub(pageFiles, "pages"), Words: sub(wordFiles, "words")}
}

func sub(files embed.FS, dir string) fs.FS {
	f, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return f
}
