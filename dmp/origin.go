package dmp

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
)

// State is what a document's registry entry is (spec dmp 1.4).
type State string

// The states.
const (
	// Approved is the version to read.
	Approved State = "approved"
	// Deprecated was replaced by its author.
	Deprecated State = "deprecated"
	// Archived is kept and no longer current.
	Archived State = "archived"
	// Deleted was deleted by its author: kept, listed nowhere.
	Deleted State = "deleted"
)

// OriginKind says by which way a document came.
type OriginKind string

// The kinds.
const (
	// ByLetter is a letter to the patient.
	ByLetter OriginKind = "letter"
	// ByDepot is a deposit without a letter.
	ByDepot OriginKind = "depot"
)

// MaxOrigins is how many origins of a document are kept: beyond it a repetition is
// still known, and adds nothing.
const MaxOrigins = 16

// Origin is one way by which a document came. A document has each letter once, and
// each depositor once.
type Origin struct {
	Kind OriginKind
	// Letter is the letter's id in the patient's box; empty for a deposit.
	Letter string
	// From is the sender's address or organisation.
	From string
	// At is when the document was filed from there; File decides it.
	At time.Time
}

// originRecord is what the sealed record holds.
type originRecord struct {
	Kind   OriginKind `json:"k"`
	Letter string     `json:"l,omitempty"`
	From   string     `json:"f,omitempty"`
}

// check refuses an origin that is our own bug.
func (o Origin) check() error {
	if (o.Kind != ByLetter && o.Kind != ByDepot) || (o.Kind == ByLetter) != (o.Letter != "") {
		return fault.New(fault.Internal, "origin-malformed")
	}
	return nil
}

// name is what makes two origins of a document the same: the letter, or the
// depositor.
func (o Origin) name() string {
	if o.Kind == ByLetter {
		return o.Letter
	}
	return o.From
}

// Format prints no content.
func (Origin) Format(f fmt.State, _ rune) { fmt.Fprint(f, "origin(***)") }

// LogValue prints no content.
func (Origin) LogValue() slog.Value { return slog.StringValue("origin(***)") }

// Entry is a document of a vault, opened.
type Entry struct {
	ID    DocumentID
	State State
	// At is when it was filed first.
	At time.Time
	// ReplacedBy is the document that replaced it, if any. It may be erased since.
	ReplacedBy DocumentID
	// Origins are the ways by which it came, the earliest first.
	Origins []Origin
	Document
}
