package xdm_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// corpus returns the files of a folder of the sample data, or skips. With
// CORPUS=required their absence is a failure.
func corpus(t testing.TB, pattern string) []string {
	t.Helper()
	dir := os.Getenv("CORPUS_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		if os.Getenv("CORPUS") == "required" {
			t.Fatalf("no %s in %s", pattern, dir)
		}
		t.Skipf("no %s in %s", pattern, dir)
	}
	return files
}

// TestRealPackages opens the genuine packages, odd ones among them (spec dmp 4.5), and
// reads each document to its end: all of them state the right hash.
func TestRealPackages(t *testing.T) {
	t.Parallel()
	type facts struct {
		Documents []string // path, unique id, warnings
		Patient   string   // authority
		Warnings  []string
	}
	epic := "1.2.840.114350.1.13.252.1.7.2.688879"
	litter, untitled := []string{"xdm-junk-ignored"}, " [xdm-title-missing]"
	want := map[string]facts{
		"C32_Sample2_in_XDM.zip":     {[]string{"IHE_XDM/SUBSET01/C32_SAMPLE2.XML " + epic + ".02004.634308739192149557.1" + untitled}, epic, litter},
		"CCDA_Ambulatory_in_XDM.zip": {[]string{"IHE_XDM/SUBSET01/CCDA_Ambulatory.xml " + epic + ".02004.634308739192149557.1" + untitled}, "2.16.840.1.113883.4.6", litter},
		"CCR_Sample1_in_XDM.zip":     {[]string{"IHE_XDM/SUBSET01/CCR_SAMPLE1.XML " + epic + ".02004.634308739192149557.1" + untitled}, epic, litter},
		"CCR_Sample2_in_XDM.zip":     {[]string{"IHE_XDM/SUBSET01/CCR_SAMPLE2.XML " + epic + ".02004.634308739192149557.1" + untitled}, epic, litter},
		"Ccda.zip": {[]string{
			"Ccda/IHE_XDM/LUCY_0/CCDA_AMBULATORY.XML " + epic + ".Z2004.634308739192149557.1" + untitled,
			"IHE_XDM/LUCY_0/CCDA_AMBULATORY.XML " + epic + ".02004.634308739192149557.1 [xdm-title-missing xdm-document-twice]",
		}, epic, litter},
		"xd-common_src_test_resources_samplexdm.zip": {[]string{
			"samplexdm/IHE_XDM/SUBSET01/Document01.xml 1.3.6.1.4.1.21367.2005.3.9999.32 [xdm-size-missing xdm-patient-unknown xdm-uri-missing]",
		}, "2.16.840.1.113883.4.1", nil},
		"xdm.zip":         {[]string{"IHE_XDM/SUBSET01/DOC0001.XML 1.3.6.1.4.1.21367.2005.3.998.1 []"}, "1.3.6.1.4.1.21367.2005.3.7", nil},
		"xdm_minimal.zip": {[]string{"IHE_XDM/SUBSET/doc.txt 1.2.3.4.5 [xdm-patient-unknown xdm-title-missing xdm-type-missing xdm-time-unread]"}, "", litter},
	}
	got := map[string]facts{}
	for _, file := range corpus(t, "xdm/*.zip") {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		p, err := xdm.Open(bytes.NewReader(raw), int64(len(raw)), xdm.Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f := facts{Patient: p.Patient().OID, Warnings: p.Warnings}
		for _, e := range p.Documents() {
			content, err := read(p, e)
			if err != nil || int64(len(content)) != e.Octets {
				t.Errorf("%s: %s: %d octets of %d, %v", name, e.Name, len(content), e.Octets, err)
			}
			warnings := "["
			for i, w := range e.Warnings {
				if i > 0 {
					warnings += " "
				}
				warnings += w
			}
			f.Documents = append(f.Documents, e.Name+" "+e.UniqueID+" "+warnings+"]")
		}
		got[name] = f
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestRealMetadata reads every metadata file of the XDS test kit, right and wrong ones.
func TestRealMetadata(t *testing.T) {
	t.Parallel()
	refused := map[string]string{
		"src_main_webapp_toolkitx_testkit_tests_11902_metadata.xml": "xdm-metadata-malformed", // a query, no submission
	}
	documents := 0
	for _, file := range corpus(t, "xds-metadata/*.xml") {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		set, _, err := xdm.ReadMetadata(bytes.NewReader(raw))
		if err != nil || refused[name] != "" {
			if got := fault.Reason(err); got != refused[name] {
				t.Errorf("%s: %v, want %q", name, err, refused[name])
			}
			continue
		}
		if set.UniqueID == "" || set.SourceID == "" || set.Submitted.Raw == "" || set.PatientID == "" {
			t.Errorf("%s: the submission set is not read: %+v", name, set)
		}
		documents += len(set.Documents)
		for _, e := range set.Documents {
			if e.UniqueID == "" || e.MIME == "" || e.Class.Code == "" || e.Type.Code == "" || e.Format.Code == "" ||
				e.Facility.Code == "" || e.Practice.Code == "" || len(e.Confidentiality) == 0 || len(e.Authors) == 0 ||
				e.Authors[0].Person.Raw == "" || e.Created.At.IsZero() || e.Language == "" || e.SourcePatient.Family == "" {
				t.Errorf("%s: an entry is not read: %+v", name, e)
			}
			if !slices.ContainsFunc(set.Associations, func(a xdm.Association) bool {
				return a.Type == "HASMEMBER" && a.Target == e.EntryUUID
			}) {
				t.Errorf("%s: no association ties %s to its set", name, e.EntryUUID)
			}
		}
	}
	if documents < 25 {
		t.Errorf("only %d documents were read", documents)
	}
}
