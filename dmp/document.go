package dmp

import (
	"fmt"
	"log/slog"
	"time"
)

// Code is a coded value: the code, the OID of its system, and what the sender wrote
// beside it.
type Code struct {
	Code    string `json:"c,omitempty"`
	System  string `json:"s,omitempty"`
	Display string `json:"d,omitempty"`
}

// Author is a person or device that wrote a document, and where.
type Author struct {
	// Person is a name; PersonID is an identifier of it (PS_IdNat, spec dmp 1.3).
	Person   string `json:"p,omitempty"`
	PersonID string `json:"pi,omitempty"`
	// Role and Specialty are what the sender wrote.
	Role      string `json:"r,omitempty"`
	Specialty string `json:"sp,omitempty"`
	// Institution is a name; InstitutionID is an identifier of it (Struct_IdNat).
	Institution   string `json:"i,omitempty"`
	InstitutionID string `json:"ii,omitempty"`
}

// Snapshot is the patient as the document says. It is kept as it came: no identity
// is ever computed from it or corrected by it (spec dmp 1.3).
type Snapshot struct {
	OID        string `json:"o,omitempty"`
	Matricule  string `json:"m,omitempty"`
	BirthName  string `json:"b,omitempty"`
	UsedName   string `json:"u,omitempty"`
	Given      string `json:"g,omitempty"`
	BirthDate  string `json:"d,omitempty"` // YYYY-MM-DD
	Sex        string `json:"x,omitempty"`
	BirthPlace string `json:"l,omitempty"` // INSEE code
}

// Document is what a person could read of a document without opening it: the
// metadata of spec dmp 1.3. The row keeps it sealed with the document's session key.
type Document struct {
	// UniqueID is the producer's identifier, root or root^extension; [DerivedID] for a
	// document that has none. It decides what is the same document.
	UniqueID string `json:"id"`
	// EntryUUID is the metadata's name in the submission that brought it; LogicalID
	// is the same for all versions of the metadata.
	EntryUUID string `json:"eu,omitempty"`
	LogicalID string `json:"li,omitempty"`
	// SetID and Version are the CDA's setId and versionNumber.
	SetID   string `json:"set,omitempty"`
	Version string `json:"v,omitempty"`
	// Replaces are uniqueIds or entryUUIDs (RPLC). Symbolic names of a submission
	// have been resolved by the caller.
	Replaces []string `json:"rp,omitempty"`

	Title    string `json:"t,omitempty"`
	Comments string `json:"cm,omitempty"`
	// Type decides Class and Category when those are empty: see [Classify].
	Type     Code     `json:"ty,omitzero"`
	Class    Code     `json:"cl,omitzero"`
	Category Category `json:"ca,omitempty"`
	// Format says how the octets are to be read; MIME is their media type.
	Format   Code   `json:"f,omitzero"`
	MIME     string `json:"mt,omitempty"`
	Language string `json:"la,omitempty"`
	// Facility and Practice are healthcareFacilityType and practiceSetting.
	Facility        Code   `json:"hf,omitzero"`
	Practice        Code   `json:"ps,omitzero"`
	Confidentiality []Code `json:"co,omitempty"`
	Events          []Code `json:"ev,omitempty"`
	// Created is when it was written; Start and Stop bound the act it tells of.
	Created time.Time `json:"cr,omitzero"`
	Start   time.Time `json:"st,omitzero"`
	Stop    time.Time `json:"sp,omitzero"`

	Authors            []Author `json:"au,omitempty"`
	LegalAuthenticator Author   `json:"le,omitzero"`
	SourcePatient      Snapshot `json:"pa,omitzero"`

	// Size, SHA1 and SHA256 (lower-case hex) are of the octets; Seal computes them.
	Size   int64  `json:"sz"`
	SHA1   string `json:"h1"`
	SHA256 string `json:"h2"`
	// Warnings are reason ids: what was wrong with it and did not keep it out.
	Warnings []string `json:"w,omitempty"`
}

// String prints no content: a document that gets into a log or an error says nothing.
func (Document) String() string { return "document(***)" }

// GoString prints no content.
func (Document) GoString() string { return "document(***)" }

// LogValue prints no content.
func (Document) LogValue() slog.Value { return slog.StringValue("document(***)") }

// Format prints no content.
func (Author) Format(f fmt.State, _ rune) { fmt.Fprint(f, "author(***)") }

// LogValue prints no content.
func (Author) LogValue() slog.Value { return slog.StringValue("author(***)") }

// Format prints no content.
func (Snapshot) Format(f fmt.State, _ rune) { fmt.Fprint(f, "patient(***)") }

// LogValue prints no content.
func (Snapshot) LogValue() slog.Value { return slog.StringValue("patient(***)") }
