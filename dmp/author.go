package dmp

import (
	"bytes"
	"slices"
	"strings"
)

// authors are keyed hashes of who wrote a document, one after the other: the form of
// the row.
type authors []byte

// maxAuthors is how many of them a row keeps.
const maxAuthors = 16

// meet reports whether both have an author in common: only the author replaces a
// document (spec dmp 1.4).
func (a authors) meet(b authors) bool {
	for own := range slices.Chunk(a, macSize) {
		for other := range slices.Chunk(b, macSize) {
			if bytes.Equal(own, other) {
				return true
			}
		}
	}
	return false
}

// authorsOf returns the hashes of a document's authors: the identifier of each person
// and of each institution, since a colleague replaces what a colleague wrote; names
// where there is no identifier; the sender of a document that names nobody.
func (v Vault) authorsOf(d Document, o Origin) authors {
	var out authors
	add := func(kind, value string) {
		mac := v.mac(macAuthor, kind, value)
		if len(out) < maxAuthors*macSize && !out.meet(mac) {
			out = append(out, mac...)
		}
	}
	for _, a := range d.Authors {
		if id := foldName(a.InstitutionID); id != "" {
			add("institution", id)
		}
		if id := foldName(a.PersonID); id != "" {
			add("person", id)
		}
		person, place := foldName(a.Person), foldName(a.Institution)
		if a.InstitutionID == "" && a.PersonID == "" && person+place != "" {
			add("name", person+"\x00"+place)
		}
	}
	if len(out) == 0 {
		add("sender", foldName(o.From))
	}
	return out
}

// foldName is what two spellings of one name or identifier have in common.
func foldName(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(s), " "))
}
