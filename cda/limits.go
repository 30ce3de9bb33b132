package cda

import (
	"cmp"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/markup"
)

// Limits bounds what [Read] takes. A zero field is its default.
type Limits struct {
	// Size is the octets of the document; 50 MiB, what one entry of an exchange
	// package may have.
	Size int64
	// Nodes is how many elements and texts of header and narrative are kept; 100,000.
	// The largest of the official samples has 3,494 elements in all.
	Nodes int
	// Kept is the octets of text and attribute values that are kept; 4 MiB.
	Kept int
	// Run is the octets of one text of header or narrative; 256 KiB.
	Run int
	// Embedded is how many embedded files; 100.
	Embedded int
	// Zone is where a time without offset was written; nil is UTC.
	Zone *time.Location
}

// withDefaults fills the zero fields.
func (l Limits) withDefaults() Limits {
	l.Size = cmp.Or(l.Size, 50<<20)
	l.Nodes = cmp.Or(l.Nodes, 100_000)
	l.Kept = cmp.Or(l.Kept, 4<<20)
	l.Run = cmp.Or(l.Run, 256<<10)
	l.Embedded = cmp.Or(l.Embedded, 100)
	if l.Zone == nil {
		l.Zone = time.UTC
	}
	return l
}

// markup returns the limits of the XML reader.
func (l Limits) markup() markup.Limits { return markup.Limits{Text: l.Run} }

const (
	// maxID is the longest uniqueId a registry takes (spec of XDS: 256 characters).
	maxID = 256
	// maxFact is where a displayed fact of the header is cut, in characters.
	maxFact = 1000
)

// The reasons of a refusal; the package comment explains them.
const (
	reasonNotCDA      = "cda-not-cda"
	reasonMalformed   = "cda-malformed"
	reasonTwoPatients = "cda-two-patients"
	reasonIDMissing   = "cda-id-missing"
	reasonINSSplit    = "cda-ins-split"
	reasonLarge       = "cda-too-large"
	reasonBody        = "cda-body-malformed"
	reasonCompressed  = "cda-body-compressed"
)

// refuse returns a fault.Invalid with a reason.
func refuse(reason string) error { return fault.New(fault.Invalid, reason) }

// malformed returns the refusal of a document that is no CDA R2 in its structure.
func malformed(what string) error { return fault.Newf(fault.Invalid, reasonMalformed, "%s", what) }
