package dmp

import (
	"bytes"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// held is what a document's row says that filing decides on.
type held struct {
	id            DocumentID
	state         State
	origins       int64
	shelf         []byte
	unique, entry []byte
	digest        []byte
	authors       authors
	replacedBy    DocumentID
	// fresh says that this lot brings it: it has no row yet.
	fresh bool
}

// waiting is a replacement whose object is not there yet.
type waiting struct {
	object  []byte // keyed hash of its name
	by      DocumentID
	authors authors
}

// maxReplaced is how many documents a lot replaces.
const maxReplaced = 256

// plan is what will be done with a lot, decided under the vault's lock before
// anything is written.
type plan struct {
	space   SpaceID
	lot     []*Sealed
	results []Result
	// known are the documents that the lot names, those of the lot included, by the
	// hash of their uniqueId; entries are those that are named by their entryUUID.
	known   map[string]*held
	entries map[string][]*held
	// filed are the documents of the lot, one by one; two may be the same.
	filed []*held
	// deprecated are documents with rows that this lot replaces.
	deprecated []*held
	// waiting are replacements to be remembered, met are those to be forgotten.
	waiting, met []waiting
}

// decide reads what the lot meets, and refuses what cannot be.
func (p *plan) decide(tx *store.Tx) error {
	if err := p.read(tx); err != nil {
		return err
	}
	for i, s := range p.lot {
		h := p.known[string(s.unique)]
		switch {
		case h == nil:
			h = &held{
				id: s.id, state: Approved, shelf: s.shelf, unique: s.unique, entry: s.entry,
				digest: s.digest, authors: s.authors, origins: 1, fresh: true,
			}
			p.know(h)
			p.results[i].New = true
		case !bytes.Equal(h.digest, s.digest):
			return fault.New(fault.Conflict, "document-id-reused")
		case h.id == s.id:
			// It was committed and the caller was not told: its octets are in use.
			p.results[i].New = true
		}
		p.filed = append(p.filed, h)
		p.results[i].ID = h.id
	}
	if err := p.awaited(tx); err != nil {
		return err
	}
	for i, s := range p.lot {
		if err := p.replace(s, p.filed[i], &p.results[i]); err != nil {
			return err
		}
	}
	return nil
}

// read finds the rows of what the lot brings again and of what it replaces.
func (p *plan) read(tx *store.Tx) error {
	var names, uuids [][]byte
	for _, s := range p.lot {
		names = append(names, s.unique)
		for _, n := range s.replaces {
			names = append(names, n.mac)
			if n.uuid {
				uuids = append(uuids, n.mac)
			}
		}
	}
	if len(names)-len(p.lot) > maxReplaced {
		return fault.New(fault.Invalid, "lot-too-large")
	}
	p.known, p.entries = map[string]*held{}, map[string][]*held{}
	if err := byUnique(tx, p.space, names, p.know); err != nil {
		return err
	}
	for _, uuid := range uuids {
		if p.known[string(uuid)] == nil {
			if err := byEntry(tx, p.space, uuid, p.know); err != nil {
				return err
			}
		}
	}
	return nil
}

// know adds a document, once.
func (p *plan) know(h *held) {
	if p.known[string(h.unique)] != nil {
		return
	}
	p.known[string(h.unique)] = h
	if h.entry != nil {
		p.entries[string(h.entry)] = append(p.entries[string(h.entry)], h)
	}
}

// awaited deprecates new documents whose replacement is here already.
func (p *plan) awaited(tx *store.Tx) error {
	fresh := map[string][]*held{}
	var names [][]byte
	for _, h := range p.filed {
		if !h.fresh {
			continue
		}
		for _, name := range [...][]byte{h.unique, h.entry} {
			if name != nil {
				fresh[string(name)] = append(fresh[string(name)], h)
				names = append(names, name)
			}
		}
	}
	return waitingFor(tx, p.space, names, func(w waiting) {
		for _, h := range fresh[string(w.object)] {
			if h.authors.meet(w.authors) {
				h.state, h.replacedBy = Deprecated, w.by
				p.met = append(p.met, w)
			}
		}
	})
}

// replace decides on everything that a document replaces.
func (p *plan) replace(s *Sealed, by *held, r *Result) error {
	for _, n := range s.replaces {
		old, found := p.named(n.mac, by)
		switch {
		case old == nil && found:
			return fault.New(fault.Denied, "replacement-of-another-author")
		case old == nil:
			p.waiting = append(p.waiting, waiting{n.mac, by.id, by.authors})
		case old == by || old.state != Approved || by.replacedBy == old.id:
			// Nothing to do: itself, replaced before, or its own successor.
		default:
			old.state, old.replacedBy = Deprecated, by.id
			r.Replaced = append(r.Replaced, old.id)
			if !old.fresh {
				p.deprecated = append(p.deprecated, old)
			}
		}
	}
	return nil
}

// named finds the document of that name that an author of by wrote; found says that
// there is one, of whomever. A uniqueId has one document only, an entryUUID may have
// more.
func (p *plan) named(mac []byte, by *held) (old *held, found bool) {
	candidates := p.entries[string(mac)]
	if h := p.known[string(mac)]; h != nil {
		candidates = []*held{h}
	}
	for _, h := range candidates {
		if h.authors.meet(by.authors) {
			return h, true
		}
	}
	return nil, len(candidates) > 0
}
