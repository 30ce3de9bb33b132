package xdm

import (
	"crypto/sha1" // the hash that XDS metadata have (IHE ITI TF-3 4.2.3.2.10)
	"encoding/hex"
	"io"
	"net/url"
	"path"
	"strings"
)

const metadataName = "metadata.xml"

// readSets reads every METADATA.XML that is no litter.
func (p *Package) readSets() error {
	for _, m := range p.archive.members {
		if m.dir || m.junk || path.Base(m.key) != metadataName {
			continue
		}
		if m.plain > metadataMax {
			return invalid("zip-too-large", "metadata of %d octets", m.plain)
		}
		set, warnings, err := ReadMetadata(p.archive.open(m))
		if err != nil {
			return err
		}
		if set.Folder = path.Dir(m.name); set.Folder == "." {
			set.Folder = ""
		}
		for _, w := range warnings {
			p.warn(w)
		}
		p.Sets = append(p.Sets, *set)
	}
	if len(p.Sets) == 0 {
		return invalid("xdm-no-metadata", "no METADATA.XML")
	}
	return nil
}

// matchDocuments gives each entry its octets.
func (p *Package) matchDocuments() error {
	claimed := map[*member]bool{}
	for i := range p.Sets {
		set := &p.Sets[i]
		for _, e := range set.Documents {
			if e.URI == "" {
				continue
			}
			m, err := p.archive.resolve(set.Folder, e)
			if err != nil {
				return err
			}
			if claimed[m] {
				return invalid("xdm-uri", "two entries with one document")
			}
			e.take(m)
			claimed[m] = true
		}
	}
	for i := range p.Sets {
		if err := p.matchUnnamed(&p.Sets[i], claimed); err != nil {
			return err
		}
	}
	p.warnTwice()
	return nil
}

func (e *Entry) take(m *member) {
	e.member, e.Name, e.Octets = m, m.name, m.plain
}

// resolve finds the entry that a URI means: relative to the set's folder, whatever
// the case of its letters.
func (a *archive) resolve(folder string, e *Entry) (*member, error) {
	uri := strings.TrimPrefix(strings.ReplaceAll(e.URI, `\`, "/"), "./")
	clean, err := cleanName(uri, true)
	if err != nil {
		// A scheme, a host, an absolute path, "..": it points out of the set.
		return nil, invalid("xdm-uri", "a URI that is no file of its set")
	}
	names := []string{clean}
	if decoded, err := url.PathUnescape(clean); err == nil && decoded != clean {
		if _, err := cleanName(decoded, true); err == nil {
			names = append(names, decoded)
		}
	}
	for _, name := range names {
		if m := a.byKey[nameKey(path.Join(folder, name))]; m != nil && !m.dir && !m.junk {
			if path.Base(m.key) == metadataName {
				return nil, invalid("xdm-uri", "the metadata as a document")
			}
			return m, nil
		}
	}
	return nil, invalid("xdm-document-missing", "a listed document is not there")
}

// matchUnnamed finds the documents of entries without a URI among those that no entry
// names: by their hash, or because there is one of each.
func (p *Package) matchUnnamed(set *Set, claimed map[*member]bool) error {
	var unnamed []*Entry
	for _, e := range set.Documents {
		if e.member == nil {
			unnamed = append(unnamed, e)
		}
	}
	if len(unnamed) == 0 {
		return nil
	}
	var free []*member
	for _, m := range p.archive.members {
		if p.isDocument(m) && !claimed[m] && folderOf(m.key) == nameKey(set.Folder) {
			free = append(free, m)
		}
	}
	byHash := map[string]*member{}
	if len(unnamed) > 1 || len(free) > 1 {
		for _, m := range free {
			sum := sha1.New()
			if _, err := io.Copy(sum, p.archive.open(m)); err != nil {
				return err
			}
			byHash[hex.EncodeToString(sum.Sum(nil))] = m
		}
	}
	for _, e := range unnamed {
		m := byHash[e.Hash]
		if len(unnamed) == 1 && len(free) == 1 {
			m = free[0]
		}
		if m == nil || claimed[m] {
			return invalid("xdm-document-missing", "an entry without URI, and no document that is surely its own")
		}
		e.take(m)
		e.warn("xdm-uri-missing")
		claimed[m] = true
	}
	return nil
}

// isDocument reports whether an entry would be a document if metadata listed it:
// anything in a set's folder or below a folder IHE_XDM, but for metadata, litter, the
// files that only present (style sheets, README, INDEX) and the PDF folder of copies
// (spec dmp 4.2).
func (p *Package) isDocument(m *member) bool {
	base := path.Base(m.key)
	if m.dir || m.junk || base == metadataName {
		return false
	}
	switch path.Ext(base) {
	case ".xsl", ".xslt", ".css", ".xsd":
		return false
	}
	if stem := strings.TrimSuffix(base, path.Ext(base)); stem == "readme" || stem == "index" {
		return false
	}
	folder := folderOf(m.key)
	if path.Base(folder) == "pdf" {
		return false
	}
	inside := strings.HasPrefix(m.key, "ihe_xdm/") || strings.Contains(m.key, "/ihe_xdm/")
	for i := range p.Sets {
		set := nameKey(p.Sets[i].Folder)
		inside = inside || folder == set && set != "" || strings.HasPrefix(folder, set+"/") && set != ""
	}
	return inside
}

// warnTwice notes documents of several entries with the same octets.
func (p *Package) warnTwice() {
	first := map[string]*Entry{}
	for _, e := range p.Documents() {
		if e.Hash == "" {
			continue
		}
		if other := first[e.Hash]; other != nil {
			e.warn("xdm-document-twice")
			continue
		}
		first[e.Hash] = e
	}
}
