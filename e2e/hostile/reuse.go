package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

var (
	reusedID   = regexp.MustCompile(`(?i)same (?:document )?uniqueid as ([A-Za-z0-9_.-]+[A-Za-z0-9])`)
	identifier = regexp.MustCompile(`<(?:[A-Za-z0-9]+:)?ExternalIdentifier\b[^>]*urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab[^>]*>`) // XDSDocumentEntry.uniqueId
	valueOf    = regexp.MustCompile(`\bvalue="([^"]*)"`)
)

// refersTo is the name of the vector whose document id this one says that it reuses,
// empty for none.
func (v vector) refersTo() string {
	if m := reusedID.FindStringSubmatch(v.Title); m != nil {
		return m[1]
	}
	return ""
}

// reuse gives a package the document id of the control that its title names, where it
// has one of its own: in the metadata and in the document, whose hash and size
// follow. Else its refusal would prove nothing about reuse.
func (c *court) reuse(t *trial) error {
	for _, other := range c.m.all {
		if base := other.name(); other.kind() != t.v.kind() || base != t.v.refersTo() && strings.TrimSuffix(base, ".zip") != t.v.refersTo() {
			continue
		}
		var err error
		if other, err = c.m.read(other); err != nil {
			return err
		}
		theirs, err := uniqueID(other.raw)
		if err != nil {
			return err
		}
		own, err := uniqueID(t.v.raw)
		if err != nil || own == theirs {
			return err
		}
		if t.data, err = renamed(t.v.raw, own, theirs); err != nil {
			return err
		}
		t.note("its document id was changed to that of %s, hash and size with it: on the disk it has its own", other.File)
		return nil
	}
	return fmt.Errorf("the vector is about %q, which is not in the folder", t.v.refersTo())
}

// entries reads an archive.
func entries(archive []byte) (names []string, files map[string][]byte, err error) {
	pack, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, nil, err
	}
	files = make(map[string][]byte)
	for _, f := range pack.File {
		r, err := f.Open()
		if err != nil {
			return nil, nil, err
		}
		data, err := io.ReadAll(io.LimitReader(r, 1<<20))
		r.Close()
		if err != nil {
			return nil, nil, err
		}
		names, files[f.Name] = append(names, f.Name), data
	}
	return names, files, nil
}

// uniqueID is the id of the package's document.
func uniqueID(archive []byte) (string, error) {
	_, files, err := entries(archive)
	if err != nil {
		return "", err
	}
	for _, data := range files {
		if m := valueOf.FindSubmatch(identifier.Find(data)); m != nil {
			return string(m[1]), nil
		}
	}
	return "", fmt.Errorf("the package's metadata have no document id")
}

// renamed writes a package anew with another document id.
func renamed(archive []byte, own, other string) ([]byte, error) {
	names, files, err := entries(archive)
	if err != nil {
		return nil, err
	}
	ownRoot, ownPart, _ := strings.Cut(own, "^")
	root, part, _ := strings.Cut(other, "^")
	id := func(root, part string) string {
		if part == "" {
			return fmt.Sprintf(`<id root="%s"`, root)
		}
		return fmt.Sprintf(`<id root="%s" extension="%s"`, root, part)
	}
	changes := []string{`value="` + own + `"`, `value="` + other + `"`}
	for name, data := range files {
		changed := bytes.ReplaceAll(data, []byte(id(ownRoot, ownPart)), []byte(id(root, part)))
		if bytes.Equal(changed, data) {
			continue
		}
		files[name] = changed
		before, after := sha1.Sum(data), sha1.Sum(changed) //nolint:gosec // the hash of XDS
		changes = append(changes, hex.EncodeToString(before[:]), hex.EncodeToString(after[:]),
			"<Value>"+strconv.Itoa(len(data))+"<", "<Value>"+strconv.Itoa(len(changed))+"<")
	}
	if len(changes) == 2 {
		return nil, fmt.Errorf("no document of the package has the id of its metadata")
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	replace := strings.NewReplacer(changes...)
	for _, name := range names {
		data := files[name]
		if identifier.Match(data) {
			data = []byte(replace.Replace(string(data)))
		}
		f, err := w.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil { // writes the directory
		return nil, err
	}
	return out.Bytes(), nil
}
