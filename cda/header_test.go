package cda_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/fault"
)

func TestHeaderFacts(t *testing.T) {
	t.Parallel()
	d := mustRead(t, fixture(t))
	patient := cda.Patient{
		IDs:       []cda.II{{Root: "1.2.250.1.213.1.4.8", Extension: "262087503203977"}, {Root: "1.2.3.4", Extension: "IPP-7"}},
		BirthName: "NESSI", BirthGiven: "RUTH", BirthGivens: "RUTH ISABELLE",
		UsedName: "DECOURCY", UsedGiven: "Isa", BirthDate: "1962-08-17", Sex: "F", BirthPlace: "75115",
	}
	if diff := cmp.Diff(patient, d.Patient); diff != "" {
		t.Error(diff)
	}
	authors := []cda.Author{
		{
			ID:     cda.II{Root: "1.2.250.1.71.4.2.1", Extension: "801234534765"},
			Person: "Dr Paul SORT", Family: "SORT", Given: "Paul",
			Role: cda.Code{Code: "ATTPHYS"}, Specialty: cda.Code{Code: "G15_10/SM03", Display: "Médecin - Biologie"},
			Institution: cda.Organization{ID: cda.II{Root: "1.2.250.1.71.4.2.2", Extension: "1060021920"}, Name: "Laboratoire"},
		},
		{ID: cda.II{Root: "1.2.9"}, Person: "SGL", Device: true},
	}
	for i := range authors {
		authors[i].Time = cda.Time{Raw: "20260301", Time: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Digits: 8}
	}
	if diff := cmp.Diff(authors, d.Authors); diff != "" {
		t.Error(diff)
	}
	main, _ := d.MainService()
	got := []any{
		d.UniqueID(), d.SetID.String(), d.Version, d.Title, d.Language, d.Type.Display, d.Confidentiality.Code,
		d.Level(), d.Format(), d.Custodian.Name, d.Orders, d.Replaces, d.Encounter.Facility.Code, d.Encounter.Low.Digits,
		main.Code.Code, main.Performer.Practice.Code, main.Low.Digits, len(d.Services), d.Warnings,
		d.Effective.Time.UTC().Format(time.RFC3339),
	}
	want := []any{
		"1.2.250.1.999.1^doc-1", "1.2.250.1.999.2", "2", "Compte rendu", "fr-FR", "CR d'examens biologiques", "N",
		cda.N3, "urn:ihe:lab:xd-lab:2008", "Hôpital",
		[]cda.II{{Root: "1.2.6", Extension: "P1"}},
		[]cda.II{{Root: "1.2.250.1.999.1", Extension: "doc-0"}},
		"SA25", 4,
		"B", "AMBULATOIRE", 12, 2, []string(nil), "2026-03-01T09:15:00Z",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNamesInOtherForms(t *testing.T) {
	t.Parallel()
	const name = `<name>
      <family qualifier="BR">NESSI</family><family qualifier="CL">DECOURCY</family>
      <given>RUTH ISABELLE</given><given qualifier="BR">RUTH</given><given qualifier="CL">Isa</given>
    </name>`
	for _, row := range []struct {
		name string
		want cda.Patient
	}{
		{
			"<name><family>TEST</family><given>FICTIF</given></name>",
			cda.Patient{BirthName: "TEST", BirthGiven: "FICTIF", BirthGivens: "FICTIF"},
		},
		{ // older samples: the given names without qualifier are the others
			`<name><given qualifier="BR">RUTH</given><given>ISABELLE</given><family qualifier="BR">NESSI</family><family qualifier="SP">DECOURCY</family></name>`,
			cda.Patient{BirthName: "NESSI", UsedName: "DECOURCY", BirthGiven: "RUTH", BirthGivens: "RUTH ISABELLE"},
		},
		{ // C-CDA: two names
			`<name><given>Eve</given><family qualifier="SP">Betterhalf</family></name><name><given>Eve</given><family qualifier="BR">Everywoman</family></name>`,
			cda.Patient{BirthName: "Everywoman", UsedName: "Betterhalf", BirthGiven: "Eve", BirthGivens: "Eve"},
		},
		{"<name nullFlavor='UNK'/>", cda.Patient{}},
	} {
		got := mustRead(t, fixture(t, name, row.name)).Patient
		row.want.IDs, row.want.BirthDate, row.want.Sex, row.want.BirthPlace = got.IDs, got.BirthDate, got.Sex, got.BirthPlace
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Error(row.name, diff)
		}
	}
}

func TestAmbiguousDocumentsAreRefused(t *testing.T) {
	t.Parallel()
	const id = `<id root="1.2.250.1.999.1" extension="doc-1"/>`
	for _, row := range []struct{ old, fresh, reason string }{
		{id, "", "cda-id-missing"},
		{id, `<id nullFlavor="UNK"/>`, "cda-id-missing"},
		{id, id + id, "cda-malformed"},
		{"<author><functionCode", "<recordTarget><patientRole/></recordTarget><author><functionCode", "cda-two-patients"},
		{"</patientRole>", "</patientRole><patientRole/>", "cda-two-patients"},
		{"</patient>", "</patient><patient/>", "cda-two-patients"},
		{`<id root="1.2.3.4" extension="IPP-7"/>`, `<id root="1.2.250.1.213.1.4.8" extension="1"/>`, "cda-ins-split"},
		{`<id root="1.2.3.4" extension="IPP-7"/>`, `<id root="1.2.250.1.213.1.4.9" extension="262087503203977"/>`, "cda-ins-split"},
		{`<birthTime value="19620817"/>`, `<birthTime value="19620817"/><birthTime value="19620818"/>`, "cda-malformed"},
		{"<title>Compte", "<title>x</title><title>Compte", "cda-malformed"},
		{"<structuredBody>", "<nonXMLBody/><structuredBody>", "cda-malformed"},
		{"<component><structuredBody>", "<component/><component><structuredBody>", "cda-malformed"},
		{`xmlns="urn:hl7-org:v3"`, `xmlns="urn:hl7-org:v2"`, "cda-not-cda"},
		{`xmlns="urn:hl7-org:v3" `, "", "cda-not-cda"},
	} {
		_, err := read(fixture(t, row.old, row.fresh))
		if fault.Reason(err) != row.reason || !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want %s", row.fresh, err, row.reason)
		}
	}
}

func TestWhatIsMissingIsAWarning(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ old, fresh, warning string }{
		{`<id root="1.2.250.1.213.1.4.8" extension="262087503203977"/>`, "", "ins-missing"},
		{`203977"`, `203978"`, "ins-key-wrong"},
		{`203977"`, `203977&#9;"`, "ins-key-wrong"}, // an identity is not repaired
		{`"262087503203977"`, `"2 62 08 75 032 039 77"`, "ins-key-wrong"},
		{"1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.10", "ins-test"},
		{"19620817", "1962", "birth-date-missing"},
		{`<effectiveTime value="20260301101500+0100"/>`, `<effectiveTime value="soon"/>`, "date-missing"},
		{"<title>Compte\n    rendu</title>", "", "title-missing"},
		{`<code code="11502-2"`, `<code`, "type-missing"},
		{"<structuredBody>", "<structuredBody><x/></structuredBody></component></ClinicalDocument><!--", "body-missing"},
		{"<text>ok</text>", "<text>\u202E001\u202C mg</text>", "bidi-override"},
		{"rendu</title>", "\u2066rendu</title>", "bidi-override"},
	} {
		doc := string(fixture(t, row.old, row.fresh))
		if row.warning == "body-missing" {
			doc += "-->"
		}
		if got := mustRead(t, []byte(doc)).Warnings; !cmp.Equal(got, []string{row.warning}) {
			t.Errorf("%s: %v, want %s", row.fresh, got, row.warning)
		}
	}
	d := mustRead(t, []byte(`<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2"/></ClinicalDocument>`))
	want := []string{"patient-missing", "type-missing", "title-missing", "date-missing", "author-missing", "body-missing"}
	if diff := cmp.Diff(want, d.Warnings); diff != "" {
		t.Error(diff)
	}
	if _, _, ok := d.Patient.INS(); ok {
		t.Error("an INS of nobody")
	}
}

func TestMatriculeKeys(t *testing.T) {
	t.Parallel()
	// spec of the INS: key = 97 - N mod 97; the first four are of the official texts.
	for matricule, want := range map[string]bool{
		"262087503203977": true, "163127847704294": true, "279035121518989": true, "277076322082910": true,
		"262087503203978": false, "26208750320397": false, "2620875032039": false, "": false,
		"26208750320397x": false, "x62087503203977": false,
		// Corsica, 2A counts as 19 and 2B as 18.
		"262082A03203937": true, "262082B03203964": true, "262082a03203937": true, "262082C03203937": false,
	} {
		if got := cda.ValidMatricule(matricule); got != want {
			t.Errorf("%s: %v, want %v", matricule, got, want)
		}
	}
}

func TestTimesAreReadAsWritten(t *testing.T) {
	t.Parallel()
	paris := time.FixedZone("Paris", 3600)
	for _, row := range []struct {
		raw, want string
		digits    int
	}{
		{"2026", "2025-12-31T23:00:00Z", 4},
		{"202603", "2026-02-28T23:00:00Z", 6},
		{"20260301", "2026-02-28T23:00:00Z", 8},
		{"20260301+0500", "2026-02-28T23:00:00Z", 8},
		{"202603011015", "2026-03-01T09:15:00Z", 12},
		{"20260301101500.123-0200", "2026-03-01T12:15:00Z", 14},
		{"20261301", "0001-01-01T00:00:00Z", 0},
		{"demain", "0001-01-01T00:00:00Z", 0},
	} {
		doc := fixture(t, "20260301101500+0100", row.raw)
		d, err := cda.Read(reader(doc), int64(len(doc)), cda.Limits{Zone: paris})
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Effective; got.Raw != row.raw || got.Digits != row.digits || got.Time.UTC().Format(time.RFC3339) != row.want {
			t.Errorf("%s: %+v, want %s, %d digits", row.raw, got, row.want, row.digits)
		}
	}
}
