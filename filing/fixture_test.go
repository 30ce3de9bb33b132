package filing_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/filing"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/xdm"
)

const (
	anne   = "anne@" + deliverytest.Hospital
	bob    = "bob@" + deliverytest.City
	jeanne = "251037505600133@" + deliverytest.Patients
	louis  = "148116912300254@" + deliverytest.Patients
	depot  = "depot@" + deliverytest.Patients
)

// person is jeanne, as her account knows her.
func person() account.Person {
	return account.Person{
		Name: "Jeanne d'Arcy-Noël", Family: "D'Arcy-Noël", Given: "Jeanne", BirthDate: "1951-03-12", Sex: "F",
		INS: "251037505600133", INSOID: identity.INSTest,
	}
}

// otherPerson is louis.
func otherPerson() account.Person {
	return account.Person{
		Name: "Louis Petit", Family: "Petit", Given: "Louis", BirthDate: "1948-11-02", Sex: "M",
		INS: "148116912300254", INSOID: identity.INSTest,
	}
}

// paper is what a small CDA says.
type paper struct {
	OID, INS, Family, Given, Birth, Sex string
	ID, Set, Version, Replaces          string
	Type, Title, Author, Text           string
}

// about is a paper about a person.
func about(p account.Person, id string) paper {
	return paper{
		OID: p.INSOID, INS: p.INS, Family: p.Family, Given: p.Given, Birth: strings.ReplaceAll(p.BirthDate, "-", ""), Sex: p.Sex,
		ID: id, Set: id + ".1", Version: "1", Type: "11490-0", Title: "Lettre de sortie", Author: "801234500011", Text: "Va bien.",
	}
}

const paperText = `<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<templateId root="2.16.840.1.113883.2.8.2.1"/><templateId root="1.2.250.1.213.1.1.1.1"/><templateId root="1.2.250.1.213.1.1.1.29"/>
<id root="{{.ID}}"/>{{with .Type}}<code code="{{.}}" codeSystem="2.16.840.1.113883.6.1" displayName="Lettre de liaison"/>{{end}}
{{with .Title}}<title>{{.}}</title>{{end}}<effectiveTime value="20260302100000+0100"/>
<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/><languageCode code="fr-FR"/>
<setId root="{{.Set}}"/><versionNumber value="{{.Version}}"/>
<recordTarget><patientRole>{{with .INS}}<id root="{{$.OID}}" extension="{{.}}"/>{{end}}<id root="1.2.3.4" extension="local"/>
<patient><name>{{with .Family}}<family qualifier="BR">{{.}}</family>{{end}}{{with .Given}}<given>{{.}} MARIE</given><given qualifier="BR">{{.}}</given>{{end}}</name>
{{with .Sex}}<administrativeGenderCode code="{{.}}" codeSystem="2.16.840.1.113883.5.1"/>{{end}}{{with .Birth}}<birthTime value="{{.}}"/>{{end}}</patient></patientRole></recordTarget>
<author><time value="20260302"/><assignedAuthor><id root="1.2.250.1.71.4.2.1" extension="{{.Author}}"/>
<assignedPerson><name><family>MARTIN</family><given>Claire</given></name></assignedPerson></assignedAuthor></author>
<custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.250.1.71.4.2.2" extension="1750000001"/></representedCustodianOrganization></assignedCustodian></custodian>
{{with .Replaces}}<relatedDocument typeCode="RPLC"><parentDocument><id root="{{.}}"/></parentDocument></relatedDocument>{{end}}
<component><structuredBody><component><section><title>Conclusion</title><text>{{.Text}}</text></section></component></structuredBody></component>
</ClinicalDocument>
`

// cda writes the paper.
func (p paper) cda(tb testing.TB) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := template.Must(template.New("cda").Parse(paperText)).Execute(&b, p); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// entry is the metadata that go with the paper.
func (p paper) entry() xdm.Entry {
	return xdm.Entry{
		UniqueID: p.ID, MIME: "text/xml", Title: p.Title, Language: "fr-FR",
		Type: xdm.Code{Code: p.Type, System: "2.16.840.1.113883.6.1", Display: "Lettre de liaison"}, Size: -1,
		Created: xdm.Time{At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)},
	}
}

// pack writes a package of papers for the patient of the first one.
func pack(tb testing.TB, papers ...paper) []byte {
	tb.Helper()
	var all []xdm.Content
	for _, p := range papers {
		all = append(all, xdm.Content{Entry: p.entry(), Body: bytes.NewReader(p.cda(tb))})
	}
	return packOf(tb, xdm.Patient{OID: papers[0].OID, Matricule: papers[0].INS}, all...)
}

// packOf writes a package of anything.
func packOf(tb testing.TB, who xdm.Patient, all ...xdm.Content) []byte {
	tb.Helper()
	var b bytes.Buffer
	err := xdm.Write(&b, xdm.Lot{
		Patient: who, SourceID: "1.2.250.1.999.7", Submitted: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
		Title: "Envoi", ContentType: xdm.Code{Code: "11490-0", System: "2.16.840.1.113883.6.1"}, Documents: all,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// pdf is a PDF, as far as anybody here looks.
func pdf(text string) []byte { return []byte("%PDF-1.4\n% " + text + "\n%%EOF\n") }

// invitation is a calendar.
func invitation(method, uid, organizer, attendee string, sequence int) []byte {
	status := ""
	if method == "CANCEL" {
		status = "STATUS:CANCELLED\r\n"
	}
	return []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//essai//FR\r\nMETHOD:" + method + "\r\nBEGIN:VEVENT\r\nUID:" + uid +
		"\r\nDTSTAMP:20260301T090000Z\r\nDTSTART:20270401T090000Z\r\nDTEND:20270401T093000Z\r\nSUMMARY:Consultation\r\nSEQUENCE:" +
		fmt.Sprint(sequence) + "\r\n" + status + "ORGANIZER:mailto:" + organizer + "\r\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:" + attendee +
		"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
}

// attached is one part of a letter.
type attached struct {
	kind, name string // Content-Type with parameters, file name
	content    []byte
}

func zipped(content []byte) attached {
	return attached{"application/zip", "IHE_XDM.zip", content}
}

func xmlFile(content []byte) attached { return attached{"text/xml", "doc.xml", content} }

func pdfFile(name string, content []byte) attached {
	return attached{"application/pdf", name, content}
}

func calendar(method string, content []byte) attached {
	return attached{`text/calendar; method=` + method + `; charset=utf-8`, "", content}
}

// write writes a letter with attachments; more are header fields with line ends.
func write(from, more string, parts ...attached) string {
	head, body, _ := strings.Cut(deliverytest.Text(from, "XDM/1.0/DDM+Lettre de liaison"), "\r\n\r\n")
	var b strings.Builder
	b.WriteString(head + "\r\n" + more + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=limite\r\n\r\n" +
		"--limite\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body + "\r\n")
	for _, p := range parts {
		b.WriteString("--limite\r\nContent-Type: " + p.kind + "\r\nContent-Transfer-Encoding: base64\r\n")
		if p.name != "" {
			b.WriteString("Content-Disposition: attachment; filename=\"" + p.name + "\"\r\n")
		}
		b.WriteString("\r\n")
		text := base64.StdEncoding.EncodeToString(p.content)
		for len(text) > 76 {
			b.WriteString(text[:76] + "\r\n")
			text = text[76:]
		}
		b.WriteString(text + "\r\n")
	}
	b.WriteString("--limite--\r\n")
	return b.String()
}

// subject makes a subject of a letter.
func subject(tb testing.TB, text string) filing.Subject {
	tb.Helper()
	w := letter.NewWalker(letter.Limits{})
	if _, err := w.Write([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	s, err := w.Close()
	if err != nil {
		tb.Fatal(err)
	}
	return filing.Subject{
		Octets: strings.NewReader(text), Size: int64(len(text)), Structure: s, Author: bob, AuthorName: "Cabinet de Bob",
		Sender: deliverytest.Address(tb, bob), Recipient: deliverytest.Address(tb, jeanne),
	}
}

// examine examines and closes with the test.
func examine(tb testing.TB, s filing.Subject) *filing.Findings {
	tb.Helper()
	f, err := filing.Examine(context.Background(), s)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() }) // unlinked files
	return f
}
