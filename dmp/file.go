package dmp

import (
	"slices"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// MaxLot is how many documents are filed together (spec security 2.3: 200 entries of
// an archive).
const MaxLot = 200

// Result is what became of one document of a lot.
type Result struct {
	// ID names the document: its own, or that of the one that was there already.
	ID DocumentID
	// New says that the document was not there; else it is the same document once more.
	New bool
	// Noted says that its origin was not there either.
	Noted bool
	// State is the document's state now: Deprecated when what replaces it came first.
	State State
	// Replaced are the documents that it deprecated.
	Replaced []DocumentID
}

// File files a lot, all of it or nothing: results are in the order of the lot. The
// same uniqueId with the same octets is the same document, and adds an origin at
// most; so a lot may be filed again.
//
// What a document replaces becomes deprecated, whichever comes first. Only an author
// replaces: one of the authors of both must be the same.
//
// A fault leaves the transaction usable and nothing changed: fault.Conflict
// "document-id-reused" (other octets under a known uniqueId), fault.Denied
// "replacement-of-another-author", fault.Invalid "lot-too-large". The bodies of
// refused and repeated documents are deleted by [Settle], after the transaction.
//
// A new document costs six statements, and the others of its lot two each; a
// replacement costs one or two more, another category one, each further 64 names one or
// two. None of them grows with the vault.
func File(tx *store.Tx, lot []*Sealed) ([]Result, error) {
	if len(lot) == 0 {
		return nil, nil
	}
	space := lot[0].space
	switch {
	case len(lot) > MaxLot:
		return nil, fault.New(fault.Invalid, "lot-too-large")
	case slices.ContainsFunc(lot, func(s *Sealed) bool { return s.space != space }):
		return nil, fault.New(fault.Internal, "lot-of-two-spaces")
	}
	if err := lock(tx, space); err != nil {
		return nil, err
	}
	p := &plan{space: space, lot: lot, results: make([]Result, len(lot))}
	if err := p.decide(tx); err != nil {
		return nil, err
	}
	if err := p.write(tx); err != nil {
		return nil, err
	}
	return p.results, nil
}

// write does what was decided.
func (p *plan) write(tx *store.Tx) error {
	counts := tally{}
	changed := false
	for i, s := range p.lot {
		r, h := &p.results[i], p.filed[i]
		first := r.New && h.fresh
		if r.State = h.state; first {
			if err := insertDocument(tx, s, h); err != nil {
				return err
			}
			counts.count(h.shelf, 1, h.state)
		}
		var err error
		if r.Noted, err = noteOrigin(tx, s, h, first); err != nil {
			return err
		}
		changed = changed || r.Noted
	}
	for _, h := range p.deprecated {
		if err := deprecate(tx, p.space, h.id, h.replacedBy); err != nil {
			return err
		}
		counts.retire(h.shelf)
		changed = true
	}
	for _, w := range p.met {
		if err := deleteWaiting(tx, p.space, w); err != nil {
			return err
		}
	}
	for _, w := range p.waiting {
		if err := insertWaiting(tx, p.space, w); err != nil {
			return err
		}
	}
	if changed {
		tx.Changed(p.space.Topic())
	}
	return counts.add(tx, p.space)
}
