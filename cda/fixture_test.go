package cda_test

import (
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/cda"
)

// fixture is a small document; replace swaps pairs of old and new text, each of which
// must occur.
func fixture(t testing.TB, replace ...string) []byte {
	t.Helper()
	doc := `<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc">
  <templateId root="2.16.840.1.113883.2.8.2.1"/><templateId root="1.2.250.1.213.1.1.1.55"/>
  <id root="1.2.250.1.999.1" extension="doc-1"/>
  <code code="11502-2" codeSystem="2.16.840.1.113883.6.1" displayName="CR d'examens biologiques"/>
  <title>Compte
    rendu</title>
  <effectiveTime value="20260301101500+0100"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="fr-FR"/>
  <setId root="1.2.250.1.999.2"/><versionNumber value="2"/>
  <recordTarget><patientRole>
    <id root="1.2.3.4" extension="IPP-7"/>
    <id root="1.2.250.1.213.1.4.8" extension="262087503203977"/>
    <patient><name>
      <family qualifier="BR">NESSI</family><family qualifier="CL">DECOURCY</family>
      <given>RUTH ISABELLE</given><given qualifier="BR">RUTH</given><given qualifier="CL">Isa</given>
    </name>
    <administrativeGenderCode code="F"/><birthTime value="19620817"/>
    <birthplace><place><addr><county>75115</county></addr></place></birthplace></patient>
  </patientRole></recordTarget>
  <author><functionCode code="ATTPHYS"/><time value="20260301"/><assignedAuthor>
    <id root="1.2.250.1.71.4.2.1" extension="801234534765"/>
    <code code="G15_10/SM03" displayName="Médecin - Biologie"/>
    <assignedPerson><name><prefix>M</prefix><given>Paul</given><family>SORT</family><suffix>DR</suffix></name></assignedPerson>
    <representedOrganization><id root="1.2.250.1.71.4.2.2" extension="1060021920"/><name>Laboratoire</name></representedOrganization>
  </assignedAuthor></author>
  <author><time value="20260301"/><assignedAuthor><id root="1.2.9"/>
    <assignedAuthoringDevice><manufacturerModelName>Model</manufacturerModelName><softwareName>SGL</softwareName></assignedAuthoringDevice>
  </assignedAuthor></author>
  <custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.5"/><name>Hôpital</name></representedCustodianOrganization></assignedCustodian></custodian>
  <inFulfillmentOf><order><id root="1.2.6" extension="P1"/></order></inFulfillmentOf>
  <documentationOf><serviceEvent><code code="A"/></serviceEvent></documentationOf>
  <documentationOf><serviceEvent><code code="B"/>
    <effectiveTime><low value="202602280730"/><high value="20260228"/></effectiveTime>
    <performer><assignedEntity><representedOrganization><standardIndustryClassCode code="AMBULATOIRE"/></representedOrganization></assignedEntity></performer>
  </serviceEvent></documentationOf>
  <relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.250.1.999.1" extension="doc-0"/></parentDocument></relatedDocument>
  <relatedDocument typeCode="APND"><parentDocument><id root="1.2.250.1.999.1" extension="doc-x"/></parentDocument></relatedDocument>
  <componentOf><encompassingEncounter><code code="AMB"/><effectiveTime><low value="2026"/></effectiveTime>
    <location><healthCareFacility><code code="SA25"/></healthCareFacility></location></encompassingEncounter></componentOf>
  <component><structuredBody><component><section>
    <title>Section</title><text>ok</text>
  </section></component></structuredBody></component>
</ClinicalDocument>`
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(doc, replace[i]) {
			t.Fatalf("the fixture has no %q", replace[i])
		}
		doc = strings.ReplaceAll(doc, replace[i], replace[i+1])
	}
	return []byte(doc)
}

// body returns the fixture with another body.
func body(t testing.TB, inside string) []byte {
	t.Helper()
	doc := string(fixture(t))
	start := strings.Index(doc, "<component>")
	return []byte(doc[:start] + "<component>" + inside + "</component></ClinicalDocument>")
}

// narrated returns the fixture with one section of that narrative.
func narrated(t testing.TB, text string) []byte {
	t.Helper()
	return fixture(t, "<text>ok</text>", "<text>"+text+"</text>")
}

// mustRead reads a document that is good.
func mustRead(t testing.TB, data []byte) *cda.Document {
	t.Helper()
	d, err := read(data)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
