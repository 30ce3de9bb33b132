package dmp_test

import (
	"encoding/csv"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/dmp"
)

// Every type has a class, a category that is shown, and labels in both languages.
func TestTypesAreClassified(t *testing.T) {
	t.Parallel()
	for code, want := range map[string][2]string{
		"11490-0":  {"10", "CPT_REND"},
		"11502-2":  {"10", "BIOLOGIE"},
		"18748-4":  {"31", "RADIO_SC"},
		"60591-5":  {"11", "SYNTHESE"},
		"57833-6":  {"42", "ORD_SOIN"},
		"60593-1":  {"43", "ORD_SOIN"},
		"75492-9":  {"10", "DEPISTAG"},
		"87273-9":  {"52", "DEPISTAG"},
		"89601-9":  {"52", "CERT_MED"},
		"EXPPAT_3": {"90", "DIR_ANT"},
		"REMB":     {"60", "REMB"},
		"DOCPAT09": {"95", "DOC_ADM"},
	} {
		k, ok := dmp.Classify(" " + code)
		if !ok || k.Class.Code != want[0] || string(k.Category) != want[1] || k.Label.FR == "" || k.Label.EN == "" {
			t.Errorf("%s: %v, class %s, category %s, %q, %q", code, ok, k.Class.Code, k.Category, k.Label.FR, k.Label.EN)
		}
	}
	k, ok := dmp.Classify("99999-9")
	if ok || k.Category != dmp.Other || k.Class.Code != "" {
		t.Errorf("an unknown type: %v, class %q, category %s", ok, k.Class.Code, k.Category)
	}
}

// The tables agree with the published ones, code by code.
func TestTablesHoldThePublishedCodes(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("CORPUS_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	raw, err := os.Open(filepath.Join(dir, "codes", "typeCode_J07.csv"))
	if err != nil {
		if os.Getenv("CORPUS") == "required" {
			t.Fatal(err)
		}
		t.Skip("no corpus")
	}
	defer raw.Close()
	rows, err := csv.NewReader(raw).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	shown := map[dmp.Category]bool{}
	for _, s := range dmp.Categories() {
		shown[s.Category] = true
	}
	for _, row := range rows[1:] {
		k, ok := dmp.Classify(row[0])
		if !ok || !shown[k.Category] || k.Label.FR == "" || k.Label.EN == "" || k.Label.FR == k.Label.EN {
			t.Errorf("%s: %v, category %q, labels %q, %q", row[0], ok, k.Category, k.Label.FR, k.Label.EN)
		}
		if system := row[1]; system != "ASTM" && k.Type.System != system {
			t.Errorf("%s: system %q, want %q", row[0], k.Type.System, system)
		}
		if row[3] != "" && k.Class.Code != row[3] || k.Class.Display == "" {
			t.Errorf("%s: class %q, want %q", row[0], k.Class.Code, row[3])
		}
	}
	var classes struct {
		Codes map[string]string `json:"codes"`
	}
	var byMedia, byTemplate struct {
		Map map[string]string `json:"map"`
	}
	for name, into := range map[string]any{
		"classCode_J06.json": &classes, "formatCode_from_mediaType_A12.json": &byMedia, "formatCode_from_templateId_A11.json": &byTemplate,
	} {
		raw, err := os.ReadFile(filepath.Join(dir, "codes", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	for code := range classes.Codes {
		if c, ok := dmp.Class(code); !ok || c.Display == "" {
			t.Errorf("class %s is missing", code)
		}
	}
	for media, want := range byMedia.Map {
		if f, ok := dmp.FormatOf(nil, media+"; charset=utf-8"); !ok || f.Code != want {
			t.Errorf("%s: format %q, want %q", media, f.Code, want)
		}
	}
	for template, want := range byTemplate.Map {
		if f, ok := dmp.FormatOf([]string{"1.2.3", template, "4.5.6"}, ""); !ok || f.Code != want {
			t.Errorf("%s: format %q, want %q", template, f.Code, want)
		}
	}
}

// The last known template decides; the media type only for what is unstructured.
func TestTheFormatOfADocument(t *testing.T) {
	t.Parallel()
	const unstructured, imaging, summary = "1.3.6.1.4.1.19376.1.2.20", "1.2.250.1.213.1.1.1.45", "1.2.250.1.213.1.1.1.13"
	for _, c := range []struct {
		templates []string
		media     string
		want      string
		system    string
	}{
		{[]string{imaging, summary}, "", "urn:asip:ci-sis:vsm:2012", ""},
		{[]string{summary, imaging}, "", "urn:ihe:rad:CDA:ImagingReportStructuredHeadings:2013", "1.3.6.1.4.1.19376.1.2.3"},
		{[]string{"1.2.3", unstructured}, "application/pdf", "urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3"},
		{[]string{unstructured}, "image/jpeg", "urn:ihe:iti-fr:xds-sd:jpeg:2010", ""},
		{nil, "application/pdf", "urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3"},
		{[]string{"1.2.3"}, "application/pdf", "", ""},
		{nil, "video/mp4", "", ""},
		{nil, ";;", "", ""},
	} {
		f, ok := dmp.FormatOf(c.templates, c.media)
		if f.Code != c.want || f.System != c.system || ok != (c.want != "") {
			t.Errorf("%v %q: got %q %q %v, want %q", c.templates, c.media, f.Code, f.System, ok, c.want)
		}
	}
}

// Categories are shown in one order, each with a tint, an icon and both labels.
func TestCategoriesAreShown(t *testing.T) {
	t.Parallel()
	main := 0
	for _, s := range dmp.Categories() {
		if s.Label.In("fr") == "" || s.Label.In("en-GB") == "" || !strings.HasPrefix(s.Tint, "k-") || !strings.HasPrefix(s.Icon, "i-") {
			t.Errorf("%s: %q, %q, tint %q, icon %q", s.Category, s.Label.FR, s.Label.EN, s.Tint, s.Icon)
		}
		if !s.Special {
			main++
		}
		if dmp.ShelfOf(s.Category) != s {
			t.Errorf("%s is not its own shelf", s.Category)
		}
	}
	if main != 9 {
		t.Errorf("%d families, want nine", main)
	}
	if dmp.ShelfOf("NOWHERE").Category != dmp.Other {
		t.Error("an unknown category is not shown among the others")
	}
	if got := dmp.ShelfOf("RADIO_SC").Label.In("de"); got != "Radio, écho, scanner, IRM" {
		t.Errorf("an unknown language: %q", got)
	}
}

// Each table says which issue it is.
func TestTablesAreDated(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, table := range dmp.Tables() {
		if _, err := time.Parse(time.DateOnly, table.Date); err != nil || table.Version == "" || table.Source == "" {
			t.Errorf("table %q: version %q, date %q, source %q", table.Name, table.Version, table.Date, table.Source)
		}
		names[table.Name] = true
	}
	if len(names) != 4 {
		t.Errorf("%d tables", len(names))
	}
}

// The same octets have the same identifier: an OID of a version 8 UUID.
func TestDerivedIDs(t *testing.T) {
	t.Parallel()
	a, b := dmp.DerivedID(sumOf("a")), dmp.DerivedID(sumOf("b"))
	if a == b || a != dmp.DerivedID(sumOf("a")) {
		t.Errorf("%s, %s", a, b)
	}
	// SHA-256("a") begins ca978112ca1bbdcafac231b39a23dc4d.
	want, _ := new(big.Int).SetString("ca978112ca1b8dcabac231b39a23dc4d", 16)
	if a != "2.25."+want.String() {
		t.Errorf("got %s, want 2.25.%s", a, want)
	}
	if len(a) > 64 { // IHE ITI TF-3 4.2.3.2.26
		t.Errorf("%d octets are no OID of XDS", len(a))
	}
}
