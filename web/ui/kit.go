package ui

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"time"
)

//go:embed part/*.html
var partFiles embed.FS //nolint:gochecknoglobals // the compiler fills it

//go:embed words/*.toml
var wordFiles embed.FS //nolint:gochecknoglobals // the compiler fills it

// Site is what the pages say of the operator.
type Site struct {
	// Name is the operator's short name, Host its host name.
	Name, Host string
	// Help is how a person is helped, such as a telephone number; it may be empty.
	Help string
}

// Kit is everything that pages are made of, parsed once: the words, the templates,
// the stylesheet. It is safe for concurrent use.
type Kit struct {
	site   Site
	words  map[string]*Words
	pages  map[string]*template.Template
	assets *assets
}

// NewKit reads the pages and words of the rooms, and its own. It fails when one of
// them is malformed, or two say the same key or define the same template.
func NewKit(site Site, zone *time.Location, rooms ...Room) (*Kit, error) {
	site.Help = unbroken(site.Help)
	k := &Kit{site: site, pages: make(map[string]*template.Template)}
	var err error
	if k.assets, err = newAssets(); err != nil {
		return nil, err
	}
	own, err := fs.Sub(wordFiles, "words")
	if err != nil {
		return nil, err
	}
	all := []fs.FS{own}
	for _, room := range rooms {
		if room.Words != nil {
			all = append(all, room.Words)
		}
	}
	if k.words, err = catalogue(all, zone); err != nil {
		return nil, err
	}
	for lang, words := range k.words {
		if k.pages[lang], err = k.parse(words, rooms); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// parse reads every template, bound to one language.
func (k *Kit) parse(words *Words, rooms []Room) (*template.Template, error) {
	set, err := template.New("").Funcs(k.funcs(words)).ParseFS(partFiles, "part/*.html")
	if err != nil {
		return nil, fmt.Errorf("parts: %w", err)
	}
	for _, room := range rooms {
		if room.Pages == nil {
			continue
		}
		before := names(set)
		if err := clash(room.Pages, before); err != nil {
			return nil, fmt.Errorf("room %s: %w", room.Name, err)
		}
		if set, err = set.ParseFS(room.Pages, "*.html"); err != nil {
			return nil, fmt.Errorf("room %s: %w", room.Name, err)
		}
	}
	return set, nil
}

// names lists the templates of a set.
func names(set *template.Template) map[string]bool {
	all := make(map[string]bool)
	for _, t := range set.Templates() {
		all[t.Name()] = true
	}
	return all
}

// clash finds a template that another room defined before: the later one would
// silently take its place.
func clash(pages fs.FS, taken map[string]bool) error {
	files, err := fs.Glob(pages, "*.html")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := fs.ReadFile(pages, file)
		if err != nil {
			return err
		}
		rest := string(text)
		for {
			_, after, found := cutAny(rest, `{{define "`, `{{- define "`, `{{block "`)
			if !found {
				break
			}
			name, tail, _ := bytes.Cut([]byte(after), []byte(`"`))
			if taken[string(name)] {
				return fmt.Errorf("%s: template %q is defined already", file, name)
			}
			taken[string(name)] = true
			rest = string(tail)
		}
	}
	return nil
}

// Words returns the words of a language, French for one that is unknown.
func (k *Kit) Words(lang string) *Words {
	if w, known := k.words[lang]; known {
		return w
	}
	return k.words[French]
}

// Site returns what the pages say of the operator.
func (k *Kit) Site() Site { return k.site }

// Templates returns the template set of a language, for tests that walk it. Whoever
// executes it may no longer add to it.
func (k *Kit) Templates(lang string) *template.Template { return k.pages[lang] }

// unbroken keeps the groups of a telephone number on one line.
func unbroken(text string) string {
	out := []rune(text)
	digit := func(i int) bool { return i >= 0 && i < len(out) && out[i] >= '0' && out[i] <= '9' }
	for i, r := range out {
		if r == ' ' && digit(i-1) && digit(i+1) {
			out[i] = '\u00a0'
		}
	}
	return string(out)
}
