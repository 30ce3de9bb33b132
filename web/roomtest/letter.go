package roomtest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// Part is one part of a letter: a type with its parameters, a file name or none, a
// Content-ID or none.
type Part struct {
	Type, Name, ID string
	Inline         bool
	Content        []byte
}

// Text is a part of plain words.
func Text(text string) Part {
	return Part{Type: "text/plain; charset=utf-8", Content: []byte(strings.ReplaceAll(text, "\n", "\r\n"))}
}

// Letter writes a letter from the doctor; extra are more header lines.
func Letter(subject string, parts []Part, extra ...string) string {
	var b strings.Builder
	b.WriteString("From: Dr Salima Berrahal <" + Doctor + ">\r\nTo: undisclosed-recipients:;\r\nSubject: " + subject +
		"\r\nDate: Thu, 19 Nov 2026 09:12:00 +0100\r\nMessage-ID: <" + identity.NewID() + "@" + deliverytest.City + ">\r\n")
	for _, line := range extra {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("MIME-Version: 1.0\r\n")
	if len(parts) == 1 {
		b.WriteString(parts[0].String())
		return b.String()
	}
	b.WriteString("Content-Type: multipart/mixed; boundary=b\r\n\r\n")
	for _, p := range parts {
		b.WriteString("--b\r\n" + p.String() + "\r\n")
	}
	b.WriteString("--b--\r\n")
	return b.String()
}

// String writes the part with its header.
func (p Part) String() string {
	var b strings.Builder
	b.WriteString("Content-Type: " + p.Type + "\r\n")
	how := "attachment"
	if p.Inline {
		how = "inline"
	}
	if p.Name != "" {
		b.WriteString("Content-Disposition: " + how + "; filename=\"" + p.Name + "\"\r\n")
	}
	if p.ID != "" {
		b.WriteString("Content-ID: <" + p.ID + ">\r\n")
	}
	b.WriteString("Content-Transfer-Encoding: base64\r\n\r\n")
	text := base64.StdEncoding.EncodeToString(p.Content)
	for len(text) > 76 {
		b.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	b.WriteString(text + "\r\n")
	return b.String()
}

// PDF is a PDF, as far as anybody here looks.
func PDF() []byte { return []byte("%PDF-1.4\n% essai\n%%EOF\n") }

// PNG is a picture, as far as anybody here looks.
func PNG() []byte { return []byte("\x89PNG\r\n\x1a\nessai") }

// CDA writes a clinical document about a person: a narrative, or a file as its body.
func CDA(p account.Person, id, title string, file []byte) []byte {
	body := `<structuredBody><component><section><title>Traitement</title><text><paragraph>Furosémide 40 mg</paragraph>` +
		`<table><thead><tr><th>Analyse</th></tr></thead><tbody><tr><td>Potassium</td></tr></tbody></table></text></section></component></structuredBody>`
	if file != nil {
		body = `<nonXMLBody><text mediaType="application/pdf" representation="B64">` + base64.StdEncoding.EncodeToString(file) + `</text></nonXMLBody>`
	}
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<templateId root="2.16.840.1.113883.2.8.2.1"/><templateId root="1.2.250.1.213.1.1.1.1"/><templateId root="1.2.250.1.213.1.1.1.29"/>
<id root="%s"/><code code="11490-0" codeSystem="2.16.840.1.113883.6.1" displayName="Lettre de liaison"/>
<title>%s</title><effectiveTime value="20261116100000+0100"/>
<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/><languageCode code="fr-FR"/><setId root="%s.1"/><versionNumber value="1"/>
<recordTarget><patientRole><id root="%s" extension="%s"/><patient><name><family qualifier="BR">%s</family><given>%s</given><given qualifier="BR">%s</given></name>
<administrativeGenderCode code="%s" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="%s"/></patient></patientRole></recordTarget>
<author><time value="20261116"/><assignedAuthor><id root="1.2.250.1.71.4.2.1" extension="801234500011"/>
<assignedPerson><name><prefix>Dr</prefix><given>Salima</given><family>Berrahal</family></name></assignedPerson>
<representedOrganization><id root="1.2.250.1.71.4.2.2" extension="1750000001"/><name>Hôpital de Valbrume</name></representedOrganization></assignedAuthor></author>
<custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.250.1.71.4.2.2" extension="1750000001"/></representedCustodianOrganization></assignedCustodian></custodian>
<component>%s</component></ClinicalDocument>`,
		id, html.EscapeString(title), id, p.INSOID, p.INS, p.Family, p.Given, p.Given, p.Sex, strings.ReplaceAll(p.BirthDate, "-", ""), body)
}

// Package writes an IHE_XDM.zip of clinical documents about a person.
func Package(tb testing.TB, p account.Person, documents map[string][]byte) Part {
	tb.Helper()
	var all []xdm.Content
	for id, text := range documents {
		all = append(all, xdm.Content{
			Entry: xdm.Entry{
				UniqueID: id, MIME: "text/xml", Title: "Lettre de sortie", Language: "fr-FR", Size: -1,
				Type:    xdm.Code{Code: "11490-0", System: "2.16.840.1.113883.6.1", Display: "Lettre de liaison"},
				Created: xdm.Time{At: time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC)},
			},
			Body: bytes.NewReader(text),
		})
	}
	var b bytes.Buffer
	err := xdm.Write(&b, xdm.Lot{
		Patient: xdm.Patient{OID: p.INSOID, Matricule: p.INS}, SourceID: "1.2.250.1.999.7", Submitted: time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC),
		Title: "Envoi", ContentType: xdm.Code{Code: "11490-0", System: "2.16.840.1.113883.6.1"}, Documents: all,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return Part{Type: "application/zip", Name: "IHE_XDM.zip", Content: b.Bytes()}
}

// Invitation writes the calendar of an invitation from the doctor, or of its
// cancellation.
func Invitation(tb testing.TB, method, uid string, to identity.Address, at time.Time, sequence int64) Part {
	tb.Helper()
	doctor := deliverytest.Address(tb, Doctor)
	text, err := agenda.Compose(method, agenda.Event{
		UID: uid, Sequence: sequence, Start: at, End: at.Add(30 * time.Minute), Summary: "Visite de suivi", Location: "Hôpital de Valbrume",
		Organizer: agenda.Party{Address: doctor, Name: "Dr Salima Berrahal"}, Attendees: []agenda.Party{{Address: to}},
	}, at.AddDate(0, 0, -14).Add(time.Duration(sequence)*time.Minute))
	if err != nil {
		tb.Fatal(err)
	}
	return Part{Type: "text/calendar; charset=utf-8; method=" + method, Content: text}
}
