package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// known are the files that an operator's folder may hold.
var known = regexp.MustCompile(`^(vaguemestre\.toml|(roots|issuers|operator)\.pem|operator\.key|platform\.key|log\.jsonl|store\.db(-wal|-shm|-journal|\.lock)?|blobs/.*|trust/.*|spool/.*)$`)

// grounds are the places around a server: its working and temporary folders, which
// have to stay empty, and those of its operators.
type grounds struct {
	root      string // a folder of the runner's
	operators []string
	before    map[string]bool // paths named by vectors that were there before
}

func (g grounds) keep() string    { return filepath.Join(g.root, "keep") }
func (g grounds) working() string { return filepath.Join(g.root, "working") }
func (g grounds) temp() string    { return filepath.Join(g.root, "temp") }

// confined holds that no file was made outside of the places that the server makes:
// a name taken from a package would show.
func (g grounds) confined() error {
	for _, dir := range g.operators {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			if err == nil && !known.MatchString(filepath.ToSlash(rel)) {
				err = fmt.Errorf("path-confined: a file that nobody expects: %s", rel)
			}
			return err
		})
		if err != nil && !os.IsNotExist(err) { // a file that was there a moment ago
			return err
		}
	}
	if err := only(g.root, "keep", "working", "temp", "ready.json", "people.json"); err != nil {
		return err
	}
	if err := only(g.keep(), "cast.json", "authority", "operators", "people"); err != nil {
		return err
	}
	if err := only(g.working()); err != nil {
		return err
	}
	// A spool has a name for the moment between its creation and its unlinking.
	var err error
	for range 20 {
		if err = only(g.temp()); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// only wants nothing else in a folder.
func only(dir string, names ...string) error {
	found, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range found {
		if !slices.Contains(names, e.Name()) {
			return fmt.Errorf("path-confined: a file that nobody expects: %s", filepath.Join(filepath.Base(dir), e.Name()))
		}
	}
	return nil
}

// named are the paths that an archive's names would lead to, from where the server
// stands or keeps its files.
func (g grounds) named(v vector) []string {
	pack, err := zip.NewReader(bytes.NewReader(v.raw), int64(len(v.raw)))
	if err != nil {
		return nil
	}
	var all []string
	for i, f := range pack.File {
		name := strings.TrimRight(strings.ReplaceAll(f.Name, `\`, "/"), " /")
		if i == 50 || strings.ContainsRune(name, 0) || name == "" || len(name) > 1000 {
			continue
		}
		all = append(all, path.Join("/", name))
		for _, base := range slices.Concat(g.operators, []string{g.working(), g.temp(), g.keep(), g.root}) {
			all = append(all, filepath.Join(base, name))
		}
	}
	return all
}

// remember notes which of the paths that vectors name are there already.
func (g *grounds) remember(all []vector) {
	g.before = make(map[string]bool)
	for _, v := range all {
		for _, path := range g.named(v) {
			if _, err := os.Lstat(path); err == nil {
				g.before[path] = true
			}
		}
	}
}

// unmade wants none of the paths that a vector names.
func (g grounds) unmade(v vector) error {
	for _, path := range g.named(v) {
		if _, err := os.Lstat(path); err == nil && !g.before[path] {
			return fmt.Errorf("path-confined: %s is there now", path)
		}
	}
	return nil
}

// local finds absolute paths of files that a vector may want to have read.
var local = regexp.MustCompile(`(?:file:/{0,3}|(?:\.\./)+|[=:;"'>\s]/?|^/?)((?:etc|bin|sbin|usr|var|root|home|opt)/[A-Za-z0-9._/+-]+)`)

// wanted are the files of this machine that a vector names.
func (v vector) wanted() []string {
	var all []string
	for _, text := range v.inflated() {
		text = bytes.ReplaceAll(text[:min(len(text), 64<<10)], []byte{0}, nil) // UTF-16 too
		for _, m := range local.FindAllSubmatch(text, 20) {
			name := path.Clean("/" + string(m[1]))
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// secrets are the first lines of the files that a vector wants to have read, as far as
// it does not hold them itself.
func (v vector) secrets() []string {
	var all []string
	for _, name := range v.wanted() {
		data, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		line, _, _ := strings.Cut(string(data), "\n")
		if line = strings.TrimSpace(line); len(line) >= 6 && len(line) <= 200 && !bytes.Contains(v.raw, []byte(line)) {
			all = append(all, line)
		}
	}
	return all
}
