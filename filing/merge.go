package filing

import (
	"encoding/xml"
	"slices"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/markup"
)

// mediaCDA is the media type under which a CDA is kept.
const mediaCDA = "text/xml"

// fromCDA is what the header of a CDA says, in the form of the metadata (spec dmp 4.6).
func fromCDA(c *cda.Document) dmp.Document {
	d := dmp.Document{
		UniqueID: c.UniqueID(), SetID: c.SetID.String(), Version: c.Version, Title: c.Title, MIME: mediaCDA, Language: c.Language,
		Type: codeOfCDA(c.Type), Facility: codeOfCDA(c.Encounter.Facility), Created: c.Effective.Time,
		SourcePatient: snapshotOf(c.Patient), Warnings: slices.Clone(c.Warnings),
	}
	media := ""
	if c.NonXML != nil {
		media = c.NonXML.MediaType
	}
	d.Format, _ = dmp.FormatOf(c.Templates, media)
	if !c.Confidentiality.IsZero() {
		d.Confidentiality = []dmp.Code{codeOfCDA(c.Confidentiality)}
	}
	for _, s := range c.Services {
		if !s.Code.IsZero() {
			d.Events = append(d.Events, codeOfCDA(s.Code))
		}
	}
	if s, ok := c.MainService(); ok {
		d.Start, d.Stop = s.Low.Time, s.High.Time
		if s.Performer != nil {
			d.Practice = codeOfCDA(s.Performer.Practice)
		}
	}
	for _, a := range c.Authors {
		d.Authors = append(d.Authors, authorOfCDA(a))
	}
	if c.LegalAuthenticator != nil {
		d.LegalAuthenticator = authorOfCDA(*c.LegalAuthenticator)
	}
	for _, r := range c.Replaces {
		d.Replaces = append(d.Replaces, r.String())
	}
	return d
}

func codeOfCDA(c cda.Code) dmp.Code {
	return dmp.Code{Code: c.Code, System: c.System, Display: c.Display}
}

func authorOfCDA(a cda.Author) dmp.Author {
	return dmp.Author{
		Person: a.Person, PersonID: nationalID(nationalPerson, a.ID.Root, a.ID.Extension),
		Role: firstOf(a.Role.Display, a.Role.Code), Specialty: firstOf(a.Specialty.Display, a.Specialty.Code),
		Institution:   a.Institution.Name,
		InstitutionID: nationalID(nationalInstitution, a.Institution.ID.Root, a.Institution.ID.Extension),
	}
}

// snapshotOf is the patient as the header says.
func snapshotOf(p cda.Patient) dmp.Snapshot {
	s := dmp.Snapshot{
		BirthName: p.BirthName, UsedName: p.UsedName, Given: p.BirthGiven, BirthDate: p.BirthDate, Sex: sexOf(p.Sex), BirthPlace: p.BirthPlace,
	}
	s.OID, s.Matricule, _ = p.INS()
	return s
}

// claimOfCDA is whom the header of a CDA names. It has to say everything by itself:
// the document outlives the package that it came in.
func claimOfCDA(p cda.Patient) claim {
	c := claim{
		Identity: Identity{BirthName: p.BirthName, Given: p.BirthGiven, BirthDate: p.BirthDate, Sex: sexOf(p.Sex)},
		givens:   []string{p.BirthGivens},
	}
	for _, id := range p.IDs {
		switch {
		case !isINS(id.Root):
		case c.Matricule == "":
			c.OID, c.Matricule = id.Root, id.Extension
		default:
			c.others = append(c.others, ins{id.Root, id.Extension})
		}
	}
	return c
}

// merge joins the metadata of a package with the header of the document that they are
// about, and returns why both cannot be filed. The metadata come first and the header
// fills in; where they differ there is a warning, but the identity, the identifier and
// the octets must be the same.
func (x *examiner) merge(d *Document, c *cda.Document) string {
	head := fromCDA(c)
	// The snapshot's name may be the used one, which the header tells apart.
	for i := range d.claims {
		d.claims[i].names = append(d.claims[i].names, c.Patient.UsedName)
		d.claims[i].givens = append(d.claims[i].givens, c.Patient.UsedGiven, c.Patient.BirthGivens)
	}
	d.claims = append(d.claims, claimOfCDA(c.Patient))
	if d.UniqueID != "" && cleanID(d.UniqueID) != head.UniqueID {
		return reasonIDDiffers
	}
	differing(&d.Document, head)
	fill(&d.Document, head)
	finish(&d.Document, "")
	return ""
}

// differing notes where the metadata and the header say different things.
func differing(d *dmp.Document, head dmp.Document) {
	for _, w := range []struct {
		differ bool
		reason string
	}{
		{other(d.Title, head.Title), "title-differs"},
		{other(d.Type.Code, head.Type.Code), "type-differs"},
		{other(d.Format.Code, head.Format.Code), "format-differs"},
		{other(day(d.Created), day(head.Created)), "created-differs"},
		{other(d.Version, head.Version) && head.Version != "", "version-differs"},
	} {
		if w.differ {
			warn(d, w.reason)
		}
	}
}

// other reports whether both are there and differ.
func other(a, b string) bool { return a != "" && b != "" && a != b }

// day is a moment to the day, in UTC: metadata may be cut short.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// fill takes from the header what the metadata lack.
func fill(d *dmp.Document, head dmp.Document) {
	for _, t := range []struct {
		into *string
		from string
	}{
		{&d.UniqueID, head.UniqueID},
		{&d.Title, head.Title},
		{&d.Language, head.Language},
	} {
		if *t.into == "" {
			*t.into = t.from
		}
	}
	for _, c := range []struct {
		into *dmp.Code
		from dmp.Code
	}{{&d.Type, head.Type}, {&d.Format, head.Format}, {&d.Facility, head.Facility}, {&d.Practice, head.Practice}} {
		if c.into.Code == "" {
			*c.into = c.from
		}
	}
	for _, t := range []struct {
		into *time.Time
		from time.Time
	}{{&d.Created, head.Created}, {&d.Start, head.Start}, {&d.Stop, head.Stop}} {
		if t.into.IsZero() {
			*t.into = t.from
		}
	}
	if len(d.Confidentiality) == 0 {
		d.Confidentiality = head.Confidentiality
	}
	if len(d.Events) == 0 {
		d.Events = head.Events
	}
	if len(d.Authors) == 0 {
		d.Authors = head.Authors
	}
	if d.LegalAuthenticator == (dmp.Author{}) {
		d.LegalAuthenticator = head.LegalAuthenticator
	}
	// Of these the header alone knows, or knows better.
	d.MIME, d.SetID, d.SourcePatient = head.MIME, head.SetID, head.SourcePatient
	d.Version = firstOf(head.Version, d.Version)
	d.Replaces = append(d.Replaces, head.Replaces...)
	for _, w := range head.Warnings {
		warn(d, w)
	}
}

// bare reads a CDA that is an attachment of its own: one lot.
func (x *examiner) bare(i int, content octets) error {
	a := &x.out.Attachments[i]
	c, err := cda.Read(content, content.size, x.Limits.Document)
	reason, ours := verdict(err)
	switch {
	case ours != nil:
		return ours
	case reason == reasonNotCDA && !content.clinical():
		a.Kind, a.Reason = Other, reason
		return nil
	}
	l := Lot{Kind: CDA, Attachment: i, Reason: reason}
	if c != nil {
		d := Document{Document: fromCDA(c), claims: []claim{claimOfCDA(c.Patient)}, open: content.open}
		finish(&d.Document, titleOf(a.Name))
		l.Documents = []Document{d}
	}
	l.Identity = identityOf(l.Documents)
	x.out.Lots = append(x.out.Lots, l)
	return nil
}

// clinical reports whether the root of an XML has the name of a clinical document,
// in whatever namespace: its sender meant it to be filed, and has to hear that it was
// not.
func (o octets) clinical() bool {
	r := markup.NewReader(o.reader(), markup.Limits{})
	for {
		token, err := r.Token()
		if err != nil {
			return false
		}
		if root, is := token.(xml.StartElement); is {
			return root.Name.Local == "ClinicalDocument"
		}
	}
}

// identityOf is whom documents name, as far as they say: the first that is said of
// each trait.
func identityOf(docs []Document) Identity {
	var out Identity
	for _, d := range docs {
		for i := len(d.claims) - 1; i >= 0; i-- { // the header says it best, and comes last
			c := d.claims[i]
			if out.Matricule == "" {
				out.OID, out.Matricule = c.OID, c.Matricule
			}
			out.BirthName = firstOf(out.BirthName, c.BirthName)
			out.Given = firstOf(out.Given, c.Given)
			out.BirthDate = firstOf(out.BirthDate, c.BirthDate)
			out.Sex = firstOf(out.Sex, c.Sex)
		}
	}
	return out
}

// cleanID returns a uniqueId without the prefix that some senders put before an OID.
func cleanID(id string) string {
	id = strings.TrimSpace(id)
	const prefix = "urn:oid:"
	if len(id) > len(prefix) && strings.EqualFold(id[:len(prefix)], prefix) {
		return id[len(prefix):]
	}
	return id
}
