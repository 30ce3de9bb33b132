package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/wiretest"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// report is what a small discharge report says.
type report struct {
	OID, INS, Family, Given, Birth, Sex string
	ID, Replaces                        string
	Title, Author, Text                 string
}

// reportAbout is a report about a patient.
func reportAbout(p demo.Person, id string) report {
	return report{
		OID: p.INSOID, INS: p.INS, Family: p.Family, Given: p.Given, Birth: strings.ReplaceAll(p.BirthDate, "-", ""), Sex: p.Sex,
		ID: id, Title: "Lettre de sortie", Author: "MARTIN", Text: "Surveillance de la tension.",
	}
}

var reportForm = template.Must(template.New("report").Parse(`<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<templateId root="2.16.840.1.113883.2.8.2.1"/><templateId root="1.2.250.1.213.1.1.1.1"/><templateId root="1.2.250.1.213.1.1.1.29"/>
<id root="{{.ID}}"/><code code="11490-0" codeSystem="2.16.840.1.113883.6.1" displayName="Lettre de liaison"/>
<title>{{.Title}}</title><effectiveTime value="20261102100000+0100"/>
<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/><languageCode code="fr-FR"/>
<setId root="{{.ID}}.1"/><versionNumber value="1"/>
<recordTarget><patientRole>{{with .INS}}<id root="{{$.OID}}" extension="{{.}}"/>{{end}}<id root="1.2.3.4" extension="local"/>
<patient><name><family qualifier="BR">{{.Family}}</family><given>{{.Given}} MARIE</given><given qualifier="BR">{{.Given}}</given></name>
<administrativeGenderCode code="{{.Sex}}" codeSystem="2.16.840.1.113883.5.1"/>{{with .Birth}}<birthTime value="{{.}}"/>{{end}}</patient></patientRole></recordTarget>
<author><time value="20261102"/><assignedAuthor><id root="1.2.250.1.71.4.2.1" extension="801{{len .Author}}{{.Author}}"/>
<assignedPerson><name><family>{{.Author}}</family><given>Claire</given></name></assignedPerson></assignedAuthor></author>
<custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.250.1.71.4.2.2" extension="1750000001"/></representedCustodianOrganization></assignedCustodian></custodian>
{{with .Replaces}}<relatedDocument typeCode="RPLC"><parentDocument><id root="{{.}}"/></parentDocument></relatedDocument>{{end}}
<component><structuredBody><component><section><title>Conclusion</title><text>{{.Text}}</text></section></component></structuredBody></component>
</ClinicalDocument>
`))

// cda writes the report as a CDA R2 document.
func (r report) cda(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := reportForm.Execute(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// packed packs reports into an IHE_XDM package for the patient of the first one; each
// package has its own identifiers.
func packed(t *testing.T, reports ...report) wiretest.Attachment {
	t.Helper()
	var all []xdm.Content
	for _, r := range reports {
		all = append(all, xdm.Content{Body: bytes.NewReader(r.cda(t)), Entry: xdm.Entry{
			UniqueID: r.ID, MIME: "text/xml", Title: r.Title, Language: "fr-FR", Size: -1,
			Type:    xdm.Code{Code: "11490-0", System: "2.16.840.1.113883.6.1", Display: "Lettre de liaison"},
			Created: xdm.Time{At: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)},
		}})
	}
	who := xdm.Patient{OID: reports[0].OID, Matricule: reports[0].INS}
	if who.Matricule == "" {
		who = xdm.Patient{OID: "1.2.3.4", Matricule: "local"}
	}
	return zipped(t, who, all...)
}

// zipped is an IHE_XDM.zip in the strict form.
func zipped(t *testing.T, who xdm.Patient, all ...xdm.Content) wiretest.Attachment {
	t.Helper()
	var b bytes.Buffer
	if err := xdm.Write(&b, xdm.Lot{
		Patient: who, SourceID: "1.2.250.1.999.7", Submitted: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), Title: "Envoi", Documents: all,
	}); err != nil {
		t.Fatal(err)
	}
	return wiretest.Attachment{Type: "application/zip", Name: "IHE_XDM.zip", Data: b.Bytes()}
}

// bare is a CDA document that is attached as it is.
func bare(octets []byte) wiretest.Attachment {
	return wiretest.Attachment{Type: "text/xml", Name: "document.xml", Data: octets}
}

// letterWith is a letter of the hospital's first box that asks for a notification. Its
// subject is its name.
func (w *world) letterWith(name, to string, files ...wiretest.Attachment) parcel {
	id := strings.ReplaceAll(name, " ", "-") + "@e2e.example"
	return parcel{id, to, wiretest.Mail{
		From: w.operator("hospital").Boxes[0].Address, To: to, Subject: name, Text: "Bonjour.", MessageID: id, Receipt: true, Attachments: files,
	}.Bytes()}
}

func sum(octets []byte) string {
	s := sha256.Sum256(octets)
	return hex.EncodeToString(s[:])
}

// TestALotIsOneDocumentHoweverOftenItComes sends the same document by mail in one
// package twice, in a package made anew, bare, and to the depot, all at a time.
func TestALotIsOneDocumentHoweverOftenItComes(t *testing.T) {
	t.Parallel()
	w := start(t)
	hospital, patients := w.operator("hospital"), w.operator("patients")
	p, depot := patients.Boxes[0], "depot@"+patients.Domains[0]
	told := w.notices(hospital, hospital.Boxes[0])
	r := reportAbout(p, "2.25.1001")
	r.Replaces = "2.25.1000" // what is replaced comes later, or never
	lot := packed(t, r)
	sent := []parcel{
		w.letterWith("lot un", p.Address, lot), w.letterWith("lot deux", p.Address, lot),
		w.letterWith("lot trois", p.Address, packed(t, r)), w.letterWith("lot quatre", p.Address, bare(r.cda(t))),
		w.letterWith("depot un", depot, lot), w.letterWith("depot deux", depot, bare(r.cda(t))),
	}
	w.post(sent...)
	about := told.await(30*time.Second, ids(sent)...)
	for _, s := range sent {
		if n := about[s.id]; len(n) != 1 || n[0].Code != "" || !strings.HasSuffix(n[0].Disposition, "; processed") {
			t.Errorf("%s: told %+v, want one success", s.id, n)
		}
	}
	home := w.space(p)
	all := home.documents()
	if len(all) != 1 || all[0].Status != "approved" {
		t.Fatalf("%d documents of one lot: %+v", len(all), all)
	}
	letters := home.letters()
	var want, got []string
	filed := 0
	for subject, id := range letters {
		want = append(want, "letter "+id)
		l := home.letter(id)
		if len(l.Documents) != 1 || l.Documents[0].ID != all[0].ID {
			t.Errorf("the letter %q tells of %+v", subject, l.Documents)
			continue
		}
		if l.Documents[0].Outcome == "filed" {
			filed++
		}
	}
	if n := len(home.received()); n != 4 || filed > 1 {
		t.Errorf("%d letters, %d of them say that they brought something new", n, filed)
	}
	deposits := 0
	for _, o := range all[0].Origins {
		if o.Kind == "depot" {
			deposits++
		} else {
			got = append(got, o.Kind+" "+o.Letter)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || deposits < 1 || deposits > 2 {
		t.Errorf("origins %v and %d deposits, want %v and one or two", got, deposits, want)
	}
	w.refusals(t, told, home, all[0], r)
	w.quiet()
}

// ids are the Message-IDs of parcels.
func ids(all []parcel) []string {
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = p.id
	}
	return out
}

// refusals sends what must not be filed, to the depot and by mail, and holds the code
// that the sender is told and the reason that the reader sees.
func (w *world) refusals(t *testing.T, told *notices, home *space, have listed, r report) {
	t.Helper()
	patients := w.operator("patients")
	p, other, depot := patients.Boxes[0], patients.Boxes[1], "depot@"+patients.Domains[0]
	vary := func(id string, change func(*report)) report {
		v := reportAbout(p, id)
		change(&v)
		return v
	}
	unknown := vary("2.25.1002", func(v *report) { v.INS = "199127505600184" })
	without := vary("2.25.1003", func(v *report) { v.INS = "" })
	traits := vary("2.25.1004", func(v *report) { v.Birth = "19510315" })
	lacking := vary("2.25.1005", func(v *report) { v.Birth = "" })
	reused := vary(r.ID, func(v *report) { v.Text = "Un autre texte sous le même numéro." })
	stolen := vary("2.25.1006", func(v *report) { v.Replaces, v.Author = r.ID, "AUTRE" })
	foreign := reportAbout(other, "2.25.1007")
	type refusal struct {
		parcel
		code, reason string
	}
	var sent []refusal
	for _, c := range []struct {
		name         string
		report       report
		code, reason string
	}{
		{"inconnu", unknown, "902", "patient-unknown"},
		{"sans INS", without, "903", "identity-ins-missing"},
		{"autres traits", traits, "904", "identity-differs"},
		{"trait manquant", lacking, "905", "identity-incomplete"},
		{"numero repris", reused, "906", "document-id-reused"},
		{"autre auteur", stolen, "901", "replacement-of-another-author"},
	} {
		sent = append(sent, refusal{w.letterWith("depot "+c.name, depot, packed(t, c.report)), c.code, c.reason},
			refusal{w.letterWith("nu "+c.name, depot, bare(c.report.cda(t))), c.code, c.reason})
		if c.reason != "patient-unknown" { // by mail, it is somebody else's
			sent = append(sent, refusal{w.letterWith("lettre "+c.name, p.Address, packed(t, c.report)), c.code, c.reason})
		}
	}
	sent = append(sent, refusal{w.letterWith("lettre d un autre", p.Address, packed(t, foreign)), "904", "identity-differs"})
	var parcels []parcel
	for _, s := range sent {
		parcels = append(parcels, s.parcel)
	}
	w.post(parcels...)
	about := told.await(30*time.Second, ids(parcels)...)
	letters := home.letters()
	for _, s := range sent {
		if n := about[s.id]; len(n) != 1 || n[0].Code != s.code || n[0].Reason != s.reason {
			t.Errorf("%s: told %+v, want %s %s", s.id, n, s.code, s.reason)
		}
		if s.to == depot {
			continue
		}
		name := strings.ReplaceAll(strings.TrimSuffix(s.id, "@e2e.example"), "-", " ")
		home.kept(letters[name], s.reason)
	}
	now := home.documents()
	if len(now) != 1 || now[0].ID != have.ID || now[0].Status != "approved" || len(now[0].Origins) != len(have.Origins) {
		t.Errorf("after the refusals the vault is %+v, it was %+v", now, have)
	}
	for _, o := range patients.Boxes[1:3] {
		if n := len(w.space(o).documents()); n != 0 {
			t.Errorf("another patient has %d documents", n)
		}
	}
}

// kept holds that a letter says why its document was kept out, in facts and on its
// page, and that the attachment is still there.
func (s *space) kept(id, reason string) {
	s.t.Helper()
	if id == "" {
		s.t.Errorf("the letter that brought what is refused with %s is not in the inbox", reason)
		return
	}
	l := s.letter(id)
	if len(l.Documents) != 1 || l.Documents[0].Outcome != "refused" || l.Documents[0].Reason != reason {
		s.t.Errorf("the letter tells of %+v, want one refused with %s", l.Documents, reason)
	}
	if len(l.Attachments) != 1 {
		s.t.Errorf("%d attachments are left", len(l.Attachments))
		return
	}
	if p := s.get("/messages/" + id); !bytes.Contains(p.Body, []byte(`class="banner`)) {
		s.t.Errorf("the page of the letter does not say why (%s)", reason)
	}
	part := s.get(fmt.Sprintf("/messages/%s/parts/%s?keep=1", id, l.Attachments[0].Part))
	if part.Code != http.StatusOK || len(part.Body) == 0 {
		s.t.Errorf("the attachment that is kept answers %d with %d octets", part.Code, len(part.Body))
	}
}
