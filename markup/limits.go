package markup

import (
	"cmp"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Limits bounds what a [Reader] takes. A zero field is its default.
type Limits struct {
	// Depth is the number of open elements; 200. Clinical documents reach 84.
	Depth int
	// Attributes is how many one element may have, namespace declarations
	// included; 100.
	Attributes int
	// Namespaces is how many declarations may be in force at once; 100.
	Namespaces int
	// Name is the octets of an element's or attribute's name; 256.
	Name int
	// Tag is the octets of a tag from < to >; 64 KiB.
	Tag int
	// Text is the octets of one run of text that is kept; a longer one is
	// reported as [Long]. 1 MiB.
	Text int
	// Elements is how many a document may have; 500,000.
	Elements int
	// Instructions is how many processing instructions; 1,000.
	Instructions int
}

// withDefaults fills the zero fields.
func (l Limits) withDefaults() Limits {
	return Limits{
		Depth:        cmp.Or(l.Depth, 200),
		Attributes:   cmp.Or(l.Attributes, 100),
		Namespaces:   cmp.Or(l.Namespaces, 100),
		Name:         cmp.Or(l.Name, 256),
		Tag:          cmp.Or(l.Tag, 64<<10),
		Text:         cmp.Or(l.Text, 1<<20),
		Elements:     cmp.Or(l.Elements, 500_000),
		Instructions: cmp.Or(l.Instructions, 1000),
	}
}

// The reasons of a refusal; the package comment explains them.
const (
	reasonDTD        = "xml-dtd"
	reasonEncoding   = "xml-encoding"
	reasonDeep       = "xml-too-deep"
	reasonAttributes = "xml-too-many-attributes"
	reasonName       = "xml-name-too-long"
	reasonTag        = "xml-tag-too-long"
	reasonLarge      = "xml-too-large"
	reasonMalformed  = "xml-malformed"
)

// refuse returns a fault.Invalid with a reason.
func refuse(reason string) error { return fault.New(fault.Invalid, reason) }

// malformed returns the refusal of what is no XML, saying what was expected.
func malformed(what string) error {
	return fault.Newf(fault.Invalid, reasonMalformed, "%s", what)
}
