package cda

import "time"

// Document is what was read of a clinical document: its header, its narrative, and
// where its embedded files lie. The octets stay with their owner.
type Document struct {
	ID II
	// SetID is common to all versions; Version is their number as written.
	SetID   II
	Version string
	// Type is ClinicalDocument/code (XDS typeCode).
	Type      Code
	Title     string
	Effective Time
	// Confidentiality is the one code of the header; visibility flags travel in the
	// exchange's metadata.
	Confidentiality Code
	// Language is such as "fr-FR".
	Language string
	// Templates are the roots of the document's templateIds, in order.
	Templates []string

	Patient            Patient
	Authors            []Author
	LegalAuthenticator *Author
	Custodian          Organization
	// Services are the acts the document is about (documentationOf), in order.
	Services  []Service
	Encounter Encounter
	// Orders are the orders fulfilled (inFulfillmentOf).
	Orders []II
	// Replaces are the documents that this one replaces (relatedDocument RPLC).
	Replaces []II

	// Sections is the narrative of a structured body. Either they or NonXML are set,
	// unless the body is missing.
	Sections []*Section
	// NonXML is the file that is the whole body, nil in a structured document.
	NonXML *NonXML

	// Warnings are reason ids of what is missing or odd and does not prevent reading;
	// the package comment lists them.
	Warnings []string

	embedded []Embedded
	// plain is the text of a NonXML body in text/plain, for Render.
	plain string
	// flags are the abnormal interpretations by the narrative ID they point to.
	flags map[string][]interpretation
}

// II is an instance identifier: a root (OID or UUID) and an extension, which may be
// empty.
type II struct{ Root, Extension string }

// IsZero reports whether there is no identifier.
func (i II) IsZero() bool { return i.Root == "" && i.Extension == "" }

// String returns "root" or "root^extension", the form of XDS.
func (i II) String() string {
	if i.Extension == "" {
		return i.Root
	}
	return i.Root + "^" + i.Extension
}

// UniqueID returns the document's id in the form of XDS, at most 256 octets.
func (d *Document) UniqueID() string { return d.ID.String() }

// Code is a coded value: code, OID of its system, label.
type Code struct{ Code, System, Display string }

// IsZero reports whether there is no code.
func (c Code) IsZero() bool { return c.Code == "" }

// Time is a point in time of HL7 (TS): YYYY[MM[DD[HH[MM[SS[.fraction]]]]]][+ZZZZ].
type Time struct {
	// Raw is the value as written.
	Raw string
	// Time is its beginning, zero when it cannot be read. A value without offset
	// is local to Limits.Zone.
	Time time.Time
	// Digits is how precise it is: 4 a year, 6 a month, 8 a day, 10 to 14 a time.
	Digits int
}

// Organization is an institution.
type Organization struct {
	ID   II
	Name string
}

// Author is a person or a device that answers for a document.
type Author struct {
	Time Time
	// ID is that of the person or device.
	ID II
	// Person is the name as displayed, "Dr Paul SORT"; Family and Given its parts.
	// A device has its model or software name in Person and Device set.
	Person, Family, Given string
	Device                bool
	// Role is functionCode, Specialty the profession or savoir-faire.
	Role, Specialty Code
	Institution     Organization
	// Practice is the setting of the institution (standardIndustryClassCode).
	Practice Code
}

// Service is an act the document is about.
type Service struct {
	Code      Code
	Low, High Time
	// Performer is who carried it out, nil if not stated.
	Performer *Author
}

// Encounter is the stay or visit the document belongs to.
type Encounter struct {
	Code Code
	// Facility is the kind of place (XDS healthcareFacilityTypeCode).
	Facility  Code
	Low, High Time
}

// MainService returns the service that stands for the document in a registry: the first
// with a practice setting, else the first.
func (d *Document) MainService() (Service, bool) {
	for _, s := range d.Services {
		if s.Performer != nil && !s.Performer.Practice.IsZero() {
			return s, true
		}
	}
	if len(d.Services) == 0 {
		return Service{}, false
	}
	return d.Services[0], true
}

// Level says how a document carries its content.
type Level string

// The levels of the CI-SIS.
const (
	// N1 is a file (nonXMLBody) under a header.
	N1 Level = "N1"
	// N3 is sections with narrative, and entries most of the time.
	N3 Level = "N3"
)

// Level returns N1 or N3.
func (d *Document) Level() Level {
	if d.NonXML != nil {
		return N1
	}
	return N3
}

// Section is a chapter of a structured body.
type Section struct {
	Code     Code
	Title    string
	Sections []*Section

	id   string
	text []*node
}

// warn notes a reason id once.
func (d *Document) warn(reason string) {
	for _, w := range d.Warnings {
		if w == reason {
			return
		}
	}
	d.Warnings = append(d.Warnings, reason)
}
