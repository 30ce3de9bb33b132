package xdm

import (
	"log/slog"
	"time"
)

// Code is a coded value. System is an OID or, in older files, a name.
type Code struct{ Code, System, Display string }

// IsZero reports whether nothing is coded.
func (c Code) IsZero() bool { return c == Code{} }

// Time is a moment of the metadata: as written, and as read. The metadata are in UTC
// and may be cut short ("2026", "202611"); At is then the first moment of the period.
// At is zero when Raw is empty or no HL7 time.
type Time struct {
	Raw string
	At  time.Time
}

// Person is an author or authenticator (XCN). A file that states no more than a text
// gives it as Family.
type Person struct{ ID, System, Family, Given, Raw string }

// Institution is an organisation (XON).
type Institution struct{ Name, ID, System, Raw string }

// Author is one author of a document or set. Metadata may state several institutions,
// roles and specialties for one person.
type Author struct {
	Person       Person
	Institutions []Institution
	Roles        []Code
	Specialties  []Code
}

// Patient is the identity that the metadata carry: assigning authority and
// identifier, compared exactly and never repaired. It prints itself as "Patient(***)".
type Patient struct{ OID, Matricule string }

// IsZero reports whether nobody is named.
func (p Patient) IsZero() bool { return p == Patient{} }

// String hides the identity.
func (Patient) String() string { return "Patient(***)" }

// LogValue hides the identity from every log.
func (Patient) LogValue() slog.Value { return slog.StringValue("Patient(***)") }

// SourcePatient is the snapshot of the patient's identity that the author's system
// had (sourcePatientInfo): for display and comparison, never to compute an identity
// (spec dmp 1.3).
type SourcePatient struct {
	// Patient is PID-3.
	Patient Patient
	// Family and Given are PID-5; of several names the birth name (type L) is taken.
	Family, Given string
	// BirthDate is PID-7 as YYYY-MM-DD, or empty; Sex is PID-8.
	BirthDate, Sex string
	// Raw are all lines as written, "PID-5|NAME^FIRST".
	Raw []string
}

// Association ties two objects of the metadata. Type is the last word of its URN in
// upper case: "HASMEMBER", "RPLC", "APND", "XFRM", "XFRM_RPLC", "SIGNS".
type Association struct{ Type, Source, Target string }

// Set is one submission set: the content of one METADATA.XML.
type Set struct {
	// Folder is the set's folder in the archive, without a slash at its end.
	Folder string
	// UniqueID and SourceID are empty when the file holds no submission set.
	UniqueID, SourceID string
	// PatientID is the identity as written (CX); Patient is what it says.
	PatientID   string
	Patient     Patient
	Title       string
	Comments    string
	Submitted   Time
	ContentType Code
	Authors     []Author
	Recipients  []string
	Documents   []*Entry
	// Associations are all of them, HASMEMBER included.
	Associations []Association

	warnings []string
}

// LogValue keeps a set's content out of every log.
func (Set) LogValue() slog.Value { return slog.StringValue("Set(***)") }

// Entry is one document as the metadata describe it. What they do not state is zero.
type Entry struct {
	// EntryUUID is the object's id: a UUID, or any symbol inside the file ("Document01").
	EntryUUID, LogicalID, Version string
	// UniqueID is the document's own identifier.
	UniqueID string
	// PatientID is the identity as written (CX); Patient is what it says, or what a
	// sourcePatientId with an INS says when patientId cannot be read.
	PatientID     string
	Patient       Patient
	SourcePatient SourcePatient
	// SourcePatientID is sourcePatientId as written.
	SourcePatientID                         string
	MIME, Status, Title, Comments, Language string
	Class, Type, Format, Facility, Practice Code
	Confidentiality, Events                 []Code
	Authors                                 []Author
	LegalAuthenticator                      Person
	Created, Start, Stop                    Time
	// Hash is the SHA-1 in lower-case hex, empty when not stated; Size is in octets,
	// -1 when not stated. Document checks both.
	Hash         string
	Size         int64
	RepositoryID string
	ReferenceIDs []string
	// URI is the URI slot as written. Name is the entry's path in the archive and
	// Octets its length there: what will be read.
	URI, Name string
	Octets    int64
	// Replaces lists what this document replaces (RPLC and XFRM_RPLC): entry UUIDs, or
	// whatever the association says.
	Replaces []string
	// Warnings are reason ids of what was odd and tolerated.
	Warnings []string

	member *member
}

// LogValue keeps an entry's content out of every log.
func (*Entry) LogValue() slog.Value { return slog.StringValue("Entry(***)") }

func (e *Entry) warn(reason string) { e.Warnings = note(e.Warnings, reason) }
