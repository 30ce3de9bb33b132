package xdm_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// french is a whole entry as French software writes it.
const french = `<ExtrinsicObject id="urn:uuid:1" lid="urn:uuid:0" mimeType="Text/XML; charset=UTF-8" status="urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
 objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">
<Slot name="creationTime"><ValueList><Value>20210104124700</Value></ValueList></Slot>
<Slot name="hash"><ValueList><Value>
  ABCDEF0123456789ABCDEF0123456789ABCDEF01
</Value></ValueList></Slot>
<Slot name="size"><ValueList><Value>1234</Value></ValueList></Slot>
<Slot name="languageCode"><ValueList><Value>fr-FR</Value></ValueList></Slot>
<Slot name="legalAuthenticator"><ValueList><Value>801234567890^DURANT^Romuald^^^^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^D^^^IDNPS</Value></ValueList></Slot>
<Slot name="serviceStartTime"><ValueList><Value>20210103</Value></ValueList></Slot>
<Slot name="serviceStopTime"><ValueList><Value>yesterday</Value></ValueList></Slot>
<Slot name="sourcePatientId"><ValueList><Value>4711^^^&amp;1.2.3.4&amp;ISO</Value></ValueList></Slot>
<Slot name="sourcePatientInfo"><ValueList>
 <Value>PID-3|279035121518989^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH</Value>
 <Value>PID-5|PATIENT^Used^^^^^D~DE LA TOUR^MARIE ANNE^^^^^L</Value>
 <Value>PID-7|19790315000000</Value><Value>PID-8|f</Value><Value>PID-11|</Value><Value>odd</Value>
</ValueList></Slot>
<Slot name="URI"><ValueList><Value>2|0001.XML</Value><Value>1|DOC</Value></ValueList></Slot>
<Slot name="urn:ihe:iti:xds:2013:referenceIdList"><ValueList><Value>A1^^^&amp;1.9&amp;ISO^urn:ihe:iti:xds:2013:accession</Value></ValueList></Slot>
<Name><LocalizedString value=" Compte rendu "/><LocalizedString value="Report"/></Name>
<Description><LocalizedString value="à lire"/></Description>
<VersionInfo versionName="2"/>
<Classification classificationScheme="urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d" classifiedObject="urn:uuid:1" nodeRepresentation="">
 <Slot name="authorPerson"><ValueList><Value>3750100125/9762^Automate de laboratoire X^waralab1000^^^^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^U^^^RI</Value></ValueList></Slot>
 <Slot name="authorInstitution"><ValueList><Value>Groupe X^^^^^&amp;1.2.250.1.71.4.2.2&amp;ISO^IDNST^^^1750100125</Value><Value>Pôle Y</Value></ValueList></Slot>
 <Slot name="authorRole"><ValueList><Value>analyse de sang</Value></ValueList></Slot>
 <Slot name="authorSpecialty"><ValueList><Value>DISPOSITIF^dispositif médical^1.2.250.1.213.1.1.4.6</Value></ValueList></Slot>
</Classification>
<Classification classificationScheme="urn:uuid:F0306F51-975F-434E-A61C-C59651D33983" nodeRepresentation="11502-2">
 <Slot name="codingScheme"><ValueList><Value>2.16.840.1.113883.6.1</Value></ValueList></Slot><Name><LocalizedString value="CR d'examens biologiques"/></Name></Classification>
<Classification classificationScheme="urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f" nodeRepresentation="N"/>
<Classification classificationScheme="urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f" nodeRepresentation="MASQUE_PS"/>
<ExternalIdentifier identificationScheme="urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427" value="279035121518989^^^&amp;amp;1.2.250.1.213.1.4.10&amp;amp;ISO^NH"><Name><LocalizedString value="XDSDocumentEntry.patientId"/></Name></ExternalIdentifier>
</ExtrinsicObject>
<ExternalIdentifier registryObject="urn:uuid:1" identificationScheme="urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab" value="1.2.250.9^77"/>
<Classification classifiedObject="urn:uuid:1" classificationScheme="urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a" nodeRepresentation="10"/>
<RegistryPackage id="set"><Slot name="submissionTime"><ValueList><Value>20210104134700+0100</Value></ValueList></Slot>
<Slot name="intendedRecipient"><ValueList><Value>|a@b.example</Value></ValueList></Slot>
<ExternalIdentifier identificationScheme="urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8" value="1.2.5"/>
<ExternalIdentifier identificationScheme="urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832" value="1.2.6"/>
<ExternalIdentifier identificationScheme="urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446" value="279035121518989^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH"/>
</RegistryPackage>
<RegistryPackage id="folder"><Classification classificationNode="urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2"/></RegistryPackage>
<Association associationType="urn:ihe:iti:2007:AssociationType:RPLC" sourceObject="urn:uuid:1" targetObject="urn:uuid:old"/>
<Association associationType="HasMember" sourceObject="set" targetObject="urn:uuid:1"/>`

func TestMetadata(t *testing.T) {
	t.Parallel()
	got, warnings, err := xdm.ReadMetadata(bytes.NewReader(request(french)))
	if err != nil {
		t.Fatal(err)
	}
	utc := func(y int, m time.Month, d, h, min int) time.Time { return time.Date(y, m, d, h, min, 0, 0, time.UTC) }
	patient := xdm.Patient{OID: "1.2.250.1.213.1.4.10", Matricule: "279035121518989"}
	want := &xdm.Set{
		UniqueID: "1.2.5", SourceID: "1.2.6", PatientID: "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH", Patient: patient,
		Submitted:  xdm.Time{Raw: "20210104134700+0100", At: utc(2021, 1, 4, 12, 47)},
		Recipients: []string{"|a@b.example"},
		Associations: []xdm.Association{
			{Type: "RPLC", Source: "urn:uuid:1", Target: "urn:uuid:old"}, {Type: "HASMEMBER", Source: "set", Target: "urn:uuid:1"},
		},
		Documents: []*xdm.Entry{{
			EntryUUID: "urn:uuid:1", LogicalID: "urn:uuid:0", Version: "2", UniqueID: "1.2.250.9^77",
			PatientID: "279035121518989^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH", Patient: patient,
			SourcePatient: xdm.SourcePatient{
				Patient: patient, Family: "DE LA TOUR", Given: "MARIE ANNE", BirthDate: "1979-03-15", Sex: "F",
				Raw: []string{
					"PID-3|279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH", "PID-5|PATIENT^Used^^^^^D~DE LA TOUR^MARIE ANNE^^^^^L",
					"PID-7|19790315000000", "PID-8|f", "PID-11|", "odd",
				},
			},
			SourcePatientID: "4711^^^&1.2.3.4&ISO",
			MIME:            "text/xml", Status: "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved",
			Title: "Compte rendu", Comments: "à lire", Language: "fr-FR",
			Class: xdm.Code{Code: "10"}, Type: xdm.Code{Code: "11502-2", System: "2.16.840.1.113883.6.1", Display: "CR d'examens biologiques"},
			Confidentiality: []xdm.Code{{Code: "N"}, {Code: "MASQUE_PS"}},
			Authors: []xdm.Author{{
				Person: xdm.Person{
					ID: "3750100125/9762", System: "1.2.250.1.71.4.2.1", Family: "Automate de laboratoire X", Given: "waralab1000",
					Raw: "3750100125/9762^Automate de laboratoire X^waralab1000^^^^^^&1.2.250.1.71.4.2.1&ISO^U^^^RI",
				},
				Institutions: []xdm.Institution{
					{Name: "Groupe X", ID: "1750100125", System: "1.2.250.1.71.4.2.2", Raw: "Groupe X^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1750100125"},
					{Name: "Pôle Y", Raw: "Pôle Y"},
				},
				Roles:       []xdm.Code{{Display: "analyse de sang"}},
				Specialties: []xdm.Code{{Code: "DISPOSITIF", Display: "dispositif médical", System: "1.2.250.1.213.1.1.4.6"}},
			}},
			LegalAuthenticator: xdm.Person{
				ID: "801234567890", System: "1.2.250.1.71.4.2.1", Family: "DURANT", Given: "Romuald",
				Raw: "801234567890^DURANT^Romuald^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS",
			},
			Created: xdm.Time{Raw: "20210104124700", At: utc(2021, 1, 4, 12, 47)},
			Start:   xdm.Time{Raw: "20210103", At: utc(2021, 1, 3, 0, 0)}, Stop: xdm.Time{Raw: "yesterday"},
			Hash: "abcdef0123456789abcdef0123456789abcdef01", Size: 1234,
			ReferenceIDs: []string{"A1^^^&1.9&ISO^urn:ihe:iti:xds:2013:accession"},
			URI:          "DOC0001.XML", Replaces: []string{"urn:uuid:old"}, Warnings: []string{"xdm-time-unread"},
		}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(xdm.Set{}, xdm.Entry{})); diff != "" {
		t.Error(diff)
	}
	if len(warnings) != 0 {
		t.Errorf("warnings: %v", warnings)
	}
}

// TestMetadataIsJudged gives what is refused, or taken with a warning of the file.
func TestMetadataIsJudged(t *testing.T) {
	t.Parallel()
	entry := entryXML("1", "DOC0001.XML", somebody, []byte(text))
	package1 := `<RegistryPackage id="s"><Classification classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/></RegistryPackage>`
	for name, row := range map[string]struct {
		raw     string
		warning string
		want    string
	}{
		"one entry":         {string(request(entry + package1)), "", ""},
		"no set":            {string(request(entry)), "xdm-no-submission-set", ""},
		"nothing":           {string(request("")), "xdm-no-submission-set", ""},
		"inside another":    {`<p:ProvideAndRegister xmlns:p="urn:ihe:iti:xds-b:2007">` + strings.TrimPrefix(string(request(package1)), `<?xml version="1.0" encoding="UTF-8"?>`) + `</p:ProvideAndRegister>`, "", ""},
		"ebRIM 2.1":         {`<rs:SubmitObjectsRequest xmlns:rs="urn:oasis:names:tc:ebxml-regrep:registry:xsd:2.1" xmlns="urn:oasis:names:tc:ebxml-regrep:rim:xsd:2.1"><LeafRegistryObjectList>` + package1 + `</LeafRegistryObjectList></rs:SubmitObjectsRequest>`, "", ""},
		"on demand":         {string(request(package1 + strings.Replace(entry, "7edca82f-054d-47f2-a032-9b2a5b5186c1", "34268E47-fdf5-41a6-ba33-82133c465248", 1))), "xdm-object-ignored", ""},
		"bare ampersand":    {string(request(package1 + strings.ReplaceAll(entry, "&amp;", "&"))), "xdm-ampersand-bare", ""},
		"ampersand in text": {string(request(package1 + `<!-- & --><?x & ?><Slot name="a"><ValueList><Value>R&D <![CDATA[ & ]]></Value></ValueList></Slot>`)), "xdm-ampersand-bare", ""},

		"another request":   {`<AdhocQueryRequest xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"/>`, "", "xdm-metadata-malformed"},
		"another namespace": {`<SubmitObjectsRequest xmlns="urn:example"/>`, "", "xdm-metadata-malformed"},
		"two sets":          {string(request(package1 + package1)), "", "xdm-metadata-malformed"},
		"two requests":      {`<a xmlns:l="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"><l:SubmitObjectsRequest/><l:SubmitObjectsRequest/></a>`, "", "xdm-metadata-malformed"},
		"one id twice":      {string(request(entry + entry + package1)), "", "xdm-metadata-malformed"},
		"endless value":     {string(request(`<Slot name="a"><ValueList><Value>` + strings.Repeat("x", 2<<20) + `</Value></ValueList></Slot>`)), "", "xdm-metadata-malformed"},
		"endless file":      {string(request(strings.Repeat("<!-- blah -->", 1<<20))), "", "xml-malformed"},
		"endless elements":  {string(request(strings.Repeat("<Name/>", 1<<18))), "", "xml-too-large"},
		"entity":            {string(request(package1 + "&e;")), "", "xml-malformed"},
		"entity of digits":  {string(request(package1 + "&#xZ;")), "", "xml-malformed"},
		"DTD":               {`<!DOCTYPE a><a/>`, "", "xml-dtd"},
		"UTF-16":            {"\xff\xfe<\x00a\x00/\x00>\x00", "", "xml-encoding"},
		"cut":               {string(request(package1))[:300], "", "xml-malformed"},
		"empty":             {"", "", "xml-malformed"},
	} {
		_, warnings, err := xdm.ReadMetadata(strings.NewReader(row.raw))
		if err != nil || row.want != "" {
			if got := fault.Reason(err); got != row.want || !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v, want %q", name, err, row.want)
			}
			continue
		}
		if got := strings.Join(warnings, " "); got != row.warning {
			t.Errorf("%s: warnings %q, want %q", name, got, row.warning)
		}
	}
	_, _, err := xdm.ReadMetadata(failingReader{})
	if !errors.Is(err, errSource) {
		t.Errorf("an error of the source became %v", err)
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errSource }

// TestPackagesOfSeveralDocuments matches documents with entries, and patients.
func TestPackagesOfSeveralDocuments(t *testing.T) {
	t.Parallel()
	const dir = "IHE_XDM/SUBSET01/"
	one, two := []byte("<a>one</a>"), []byte("<a>two</a>")
	entry := func(id, uri string, content []byte) string { return entryXML(id, uri, somebody, content) }
	bare := func(id string, content []byte) string {
		return strings.Replace(entry(id, "", content), "<Value></Value>", "", 1)
	}
	doc := func(name string, content []byte) part { return part{name: dir + name, data: content} }
	meta := func(folder string, entries ...string) part {
		return part{name: folder + "METADATA.XML", data: request(strings.Join(entries, ""))}
	}
	sourced := func(lines string) string {
		return strings.Replace(entry("2", "B.XML", two), `<Slot name="URI">`, lines+`<Slot name="URI">`, 1)
	}
	for name, row := range map[string]struct {
		parts []part
		want  string
	}{
		"by name":                {[]part{doc("A.XML", one), doc("B.XML", two), meta(dir, entry("1", "A.XML", one), entry("2", "B.XML", two))}, ""},
		"by name, other case":    {[]part{doc("Doc A.xml", one), meta("ihe_xdm/Subset01/", entry("1", "DOC%20A.XML", one))}, ""},
		"in a folder":            {[]part{doc("DOCS/A.XML", one), meta(dir, entry("1", `.\DOCS\A.XML`, one))}, ""},
		"at the top":             {[]part{{name: "A.XML", data: one}, meta("", entry("1", "A.XML", one))}, ""},
		"without URI, by hash":   {[]part{doc("A.XML", one), doc("B.XML", two), meta(dir, bare("2", two), bare("1", one))}, ""},
		"without URI, only one":  {[]part{doc("A.XML", one), doc("B.XML", two), meta(dir, bare("2", two), entry("1", "A.XML", one))}, ""},
		"without URI, no hash":   {[]part{doc("A.XML", one), doc("B.XML", two), meta(dir, strings.ReplaceAll(bare("1", one)+bare("2", two), `name="hash"`, `name="mash"`))}, "xdm-document-missing"},
		"without URI, none left": {[]part{meta(dir, bare("1", one))}, "xdm-document-missing"},
		"two sets":               {[]part{doc("A.XML", one), meta(dir, entry("1", "A.XML", one)), {name: "IHE_XDM/S2/B.XML", data: two}, meta("IHE_XDM/S2/", entry("1", "B.XML", two))}, ""},
		"one document twice":     {[]part{doc("A.XML", one), meta(dir, entry("1", "A.XML", one), entry("2", "a.xml", one))}, "xdm-uri"},
		"the metadata":           {[]part{meta(dir, entry("1", "METADATA.XML", one))}, "xdm-uri"},
		"litter":                 {[]part{doc(".A.XML", one), meta(dir, entry("1", ".A.XML", one))}, "xdm-document-missing"},
		"a folder":               {[]part{{name: dir + "A/"}, meta(dir, entry("1", "A", one))}, "xdm-document-missing"},
		"up and down":            {[]part{doc("A.XML", one), meta(dir, entry("1", "../SUBSET01/A.XML", one))}, "xdm-uri"},
		"up, disguised":          {[]part{doc("A.XML", one), meta(dir, entry("1", "%2e%2e/SUBSET01/A.XML", one))}, "xdm-uri"},
		"absolute":               {[]part{doc("A.XML", one), meta(dir, entry("1", "/IHE_XDM/SUBSET01/A.XML", one))}, "xdm-uri"},
		"another host":           {[]part{doc("A.XML", one), meta(dir, entry("1", "//host/A.XML", one))}, "xdm-uri"},
		"file scheme":            {[]part{doc("A.XML", one), meta(dir, entry("1", "file:A.XML", one))}, "xdm-uri"},
		"no metadata":            {[]part{doc("A.XML", one)}, "xdm-no-metadata"},
		"metadata as litter":     {[]part{{name: "__MACOSX/" + dir + "METADATA.XML", data: request("")}}, "xdm-no-metadata"},

		"two patients":                {[]part{doc("A.XML", one), doc("B.XML", two), meta(dir, entry("1", "A.XML", one), entryXML("2", "B.XML", somebodyElse, two))}, "xdm-two-patients"},
		"two patients in two sets":    {[]part{doc("A.XML", one), meta(dir, entry("1", "A.XML", one)), {name: "IHE_XDM/S2/B.XML", data: two}, meta("IHE_XDM/S2/", entryXML("1", "B.XML", somebodyElse, two))}, "xdm-two-patients"},
		"two patients, one unread":    {[]part{doc("A.XML", one), doc("B.XML", two), meta(dir, entry("1", "A.XML", one), entryXML("2", "B.XML", "nobody", two))}, ""},
		"another source patient":      {[]part{doc("A.XML", one), doc("B.XML", two), meta(dir, entry("1", "A.XML", one), sourced(`<Slot name="sourcePatientId"><ValueList><Value>`+somebodyElse+`</Value></ValueList></Slot>`))}, "xdm-two-patients"},
		"another PID-3":               {[]part{doc("A.XML", one), doc("B.XML", two), meta(dir, entry("1", "A.XML", one), sourced(`<Slot name="sourcePatientInfo"><ValueList><Value>PID-3|`+somebodyElse+`</Value></ValueList></Slot>`))}, "xdm-two-patients"},
		"another local identity":      {[]part{doc("A.XML", one), doc("B.XML", two), meta(dir, entry("1", "A.XML", one), sourced(`<Slot name="sourcePatientId"><ValueList><Value>12^^^&amp;1.2.3&amp;ISO</Value></ValueList></Slot>`))}, ""},
		"the same with a blank":       {[]part{doc("A.XML", one), doc("B.XML", two), meta(dir, entry("1", "A.XML", one), entryXML("2", "B.XML", "279035121518989&#9;^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH", two))}, "xdm-two-patients"},
		"one number, two authorities": {[]part{doc("A.XML", one), doc("B.XML", two), meta(dir, entry("1", "A.XML", one), entryXML("2", "B.XML", "279035121518989^^^&amp;1.2.250.1.213.1.4.8&amp;ISO^NH", two))}, "xdm-two-patients"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := open(t, pack(row.parts, nil, nil))
			if err == nil && row.want == "" {
				for _, e := range p.Documents() {
					content, err := read(p, e)
					if err != nil || bytes.Equal(content, one) != (e.UniqueID == "1.2.3.1" && !strings.Contains(e.Name, "S2")) {
						t.Errorf("%s has the octets %q, %v", e.UniqueID, content, err)
					}
				}
				return
			}
			if got := fault.Reason(err); got != row.want || !fault.Is(err, fault.Invalid) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}
