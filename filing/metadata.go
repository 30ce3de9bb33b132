package filing

import (
	"slices"
	"strings"

	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// OIDs of the national identifiers of people and structures (spec dmp 1.3): an
// identifier of theirs stands for itself, any other one needs its authority.
const (
	nationalPerson      = "1.2.250.1.71.4.2.1"
	nationalInstitution = "1.2.250.1.71.4.2.2"
)

// fromEntry is what the metadata of a package say of a document (spec dmp 1.3, 4.3).
func fromEntry(e *xdm.Entry) dmp.Document {
	d := dmp.Document{
		UniqueID: strings.TrimSpace(e.UniqueID), EntryUUID: e.EntryUUID, LogicalID: e.LogicalID, Version: e.Version,
		Title: e.Title, Comments: e.Comments, Language: e.Language, MIME: strings.ToLower(e.MIME),
		Type: codeOfEntry(e.Type), Class: codeOfEntry(e.Class), Format: codeOfEntry(e.Format),
		Facility: codeOfEntry(e.Facility), Practice: codeOfEntry(e.Practice),
		Created: e.Created.At, Start: e.Start.At, Stop: e.Stop.At,
		LegalAuthenticator: dmp.Author{Person: personName(e.LegalAuthenticator), PersonID: personID(e.LegalAuthenticator)},
		SourcePatient: dmp.Snapshot{
			OID: e.Patient.OID, Matricule: e.Patient.Matricule, BirthName: e.SourcePatient.Family, Given: e.SourcePatient.Given,
			BirthDate: e.SourcePatient.BirthDate, Sex: e.SourcePatient.Sex,
		},
		Warnings: slices.Clone(e.Warnings),
	}
	for _, c := range e.Confidentiality {
		d.Confidentiality = append(d.Confidentiality, codeOfEntry(c))
	}
	for _, c := range e.Events {
		d.Events = append(d.Events, codeOfEntry(c))
	}
	for _, a := range e.Authors {
		d.Authors = append(d.Authors, authorOfEntry(a))
	}
	return d
}

func codeOfEntry(c xdm.Code) dmp.Code {
	return dmp.Code{Code: c.Code, System: c.System, Display: c.Display}
}

// authorOfEntry takes the first institution, role and specialty of an author.
func authorOfEntry(a xdm.Author) dmp.Author {
	out := dmp.Author{Person: personName(a.Person), PersonID: personID(a.Person)}
	if len(a.Institutions) > 0 {
		i := a.Institutions[0]
		out.Institution, out.InstitutionID = i.Name, nationalID(nationalInstitution, i.System, i.ID)
	}
	if len(a.Roles) > 0 {
		out.Role = shownCode(a.Roles[0])
	}
	if len(a.Specialties) > 0 {
		out.Specialty = shownCode(a.Specialties[0])
	}
	return out
}

func personName(p xdm.Person) string { return strings.TrimSpace(p.Given + " " + p.Family) }

func personID(p xdm.Person) string { return nationalID(nationalPerson, p.System, p.ID) }

// nationalID returns an identifier that is compared: that of a national register
// alone, any other one with its authority.
func nationalID(national, system, id string) string {
	if id == "" || system == "" || system == national {
		return id
	}
	return system + "^" + id
}

func shownCode(c xdm.Code) string {
	if c.Display != "" {
		return c.Display
	}
	return c.Code
}

// claimsOfEntry is whom the metadata of a package name for one document: the set and
// the entry each by their identifier, and the snapshot. Local identifiers say nothing.
func claimsOfEntry(s *xdm.Set, e *xdm.Entry) []claim {
	var out []claim
	for _, p := range []xdm.Patient{s.Patient, e.Patient, e.SourcePatient.Patient} {
		if isINS(p.OID) {
			out = append(out, claim{Identity: Identity{OID: p.OID, Matricule: p.Matricule}, snapshot: true})
		}
	}
	traits := claim{
		Identity: Identity{
			BirthName: e.SourcePatient.Family, Given: e.SourcePatient.Given, BirthDate: e.SourcePatient.BirthDate, Sex: sexOf(e.SourcePatient.Sex),
		},
		snapshot: true,
	}
	if traits.IsZero() {
		return out
	}
	if len(out) > 0 { // an identifier and traits of one place make one claim
		out[len(out)-1].Identity = Identity{
			OID: out[len(out)-1].OID, Matricule: out[len(out)-1].Matricule,
			BirthName: traits.BirthName, Given: traits.Given, BirthDate: traits.BirthDate, Sex: traits.Sex,
		}
		return out
	}
	return append(out, traits)
}

// sexOf returns "M" or "F", and anything else as it is.
func sexOf(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }

// finish completes what is known of a document: the class that its type has, warnings
// for what is missing, and for an INS whose key is wrong (spec dmp 3, 0.6).
func finish(d *dmp.Document, fallbackTitle string) {
	if known, ok := dmp.Classify(d.Type.Code); ok {
		if d.Class.Code != "" && d.Class.Code != known.Class.Code {
			warn(d, "class-differs")
		}
		d.Class = dmp.Code{} // a function of the type (ASS_X04)
	}
	if d.Title == "" {
		warn(d, "title-missing")
		d.Title = firstOf(d.Type.Display, fallbackTitle)
	}
	for _, m := range []struct {
		missing bool
		reason  string
	}{
		{d.Type.Code == "", "type-missing"},
		{d.Created.IsZero(), "created-missing"},
		{len(d.Authors) == 0, "author-missing"},
		{len(d.Confidentiality) == 0, "confidentiality-missing"},
		{wrongKey(d.SourcePatient), warningKeyWrong},
	} {
		if m.missing {
			warn(d, m.reason)
		}
	}
}

// wrongKey reports whether a document names an INS whose key is wrong: for the person
// to decide, since official samples have it (spec dmp 0.6).
func wrongKey(p dmp.Snapshot) bool {
	if !isINS(p.OID) {
		return false
	}
	i, err := identity.ReadINS(p.OID, p.Matricule)
	return err != nil || !i.KeyRight()
}

// warn notes a reason id once.
func warn(d *dmp.Document, reason string) {
	if !slices.Contains(d.Warnings, reason) {
		d.Warnings = append(d.Warnings, reason)
	}
}

// firstOf returns the first text that is not empty.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			return t
		}
	}
	return ""
}
