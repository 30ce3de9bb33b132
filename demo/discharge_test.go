package demo

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/cda"
)

// patientOf is who a document is about, as its reader sees it.
func patientOf(t *testing.T, document []byte) cda.Patient {
	t.Helper()
	d, err := cda.Read(bytes.NewReader(document), int64(len(document)), cda.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return d.Patient
}

func TestTheDischargeReportNamesThePatientOfTheCast(t *testing.T) {
	p := patient("DURAND", "Jeanne", "F", "1951-03-14", "75056", 1)
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	own, err := composed(p, at)
	if err != nil {
		t.Fatal(err)
	}
	documents := map[string][]byte{"composed": own}
	dir := os.Getenv("CORPUS_DIR")
	if data, err := os.ReadFile(filepath.Join(dir, sample)); err == nil {
		documents["rewritten"] = rewritten(data, p, at)
	} else if os.Getenv("CORPUS") == "required" {
		t.Error("the samples are missing: set CORPUS_DIR")
	}
	for name, document := range documents {
		got := patientOf(t, document)
		oid, ins, ok := got.INS()
		if !ok || oid != p.INSOID || ins != p.INS || got.BirthName != p.Family || got.BirthDate != p.BirthDate || got.Sex != p.Sex {
			t.Errorf("%s: about %+v", name, got)
		}
		if idOf(document) == "" {
			t.Errorf("%s: no id", name)
		}
	}
}

func TestTheLettersOfTheWalkAreWellFormed(t *testing.T) {
	from := Person{Address: "a@chu.example", Name: "Système"}
	to := patient("DURAND", "Jeanne", "F", "1951-03-14", "75056", 1)
	to.Address += "@patient.example"
	text, source, err := dischargeLetter(from, to, "marker", time.Now())
	if err != nil || source == "" || !bytes.Contains(text, []byte("IHE_XDM.zip")) {
		t.Fatalf("%q, %v", source, err)
	}
	if _, err := invitationLetter(from, to, time.Now()); err != nil {
		t.Error(err)
	}
}
