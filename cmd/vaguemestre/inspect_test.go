package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/letter"
)

// TestEveryReasonHasASentence looks for the reason ids in the packages that read what
// inspect reads: each has its sentence.
func TestEveryReasonHasASentence(t *testing.T) {
	t.Parallel()
	reasons := map[string]string{}
	for _, a := range letter.AmbiguityReasons() {
		reasons[a] = "letter"
	}
	said := regexp.MustCompile(`(?:fault\.(?:New|Newf|Wrap)\(fault\.(?:Invalid|Denied|OverQuota), ?|invalid\(|warn\((?:d, )?|warning\(|reason\w* += |warning\w+ += )"([a-z0-9]+(?:-[a-z0-9]+)+)"`)
	for _, dir := range []string{"xdm", "cda", "markup", "filing"} {
		files, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		found := 0
		for _, file := range files {
			// What goes wrong with a job is not about a file.
			if strings.HasSuffix(file, "_test.go") || strings.HasSuffix(file, "job.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range said.FindAllSubmatch(source, -1) {
				reasons[string(m[1])] = dir
				found++
			}
		}
		if found == 0 {
			t.Errorf("%s: no reason was seen: does the pattern still find them?", dir)
		}
	}
	missing := sentence("no-such-reason")
	for reason, dir := range reasons {
		if sentence(reason) == missing {
			t.Errorf("%s of package %s has no sentence in inspect_reasons.txt", reason, dir)
		}
	}
}

// TestSentences holds the list in its form.
func TestSentences(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for line := range strings.Lines(reasonSentences) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, text, _ := strings.Cut(line, " ")
		text = strings.TrimSpace(text)
		if seen[id] || !strings.HasSuffix(text, ".") || strings.ToUpper(text[:1]) != text[:1] {
			t.Errorf("%q: written twice, or no sentence", line)
		}
		seen[id] = true
	}
}

// TestRecognise tells files by their first octets.
func TestRecognise(t *testing.T) {
	t.Parallel()
	for first, want := range map[string]string{
		"PK\x03\x04\x14":                       kindXDM,
		"%PDF-1.7":                             kindPDF,
		"<?xml version='1.0'?>":                kindCDA,
		"\xef\xbb\xbf\r\n <ClinicalDocument/>": kindCDA,
		"\xff\xfe<\x00?\x00":                   kindCDA,
		"BEGIN:VCALENDAR\r\nVERSION:2.0":       kindCalendar,
		"\xef\xbb\xbfbegin:vcalendar\r\n":      kindCalendar,
		"From: a@b.example\r\n":                kindLetter,
		"X-Odd :  x\n":                         kindLetter,
		"From a@b Mon Nov  2\nReceived: x\n":   kindLetter,
		"BEGIN:VEVENT\r\n":                     kindCalendar,
		"\xef\xbb\xbfFrom: a@b.example\r\n":    kindLetter,
		"\xef\xbb\xbf\xef\xbb\xbf<?xml":        kindCDA,
		"\x00<\x00?\x00x":                      kindCDA,
		"%PDF-1.7 PK\x01\x02 PK\x05\x06":       kindXDM,
		"Dear colleague: hello":                kindUnknown,
		"MZ\x90\x00":                           kindUnknown,
		":":                                    kindUnknown,
		"":                                     kindUnknown,
	} {
		if got := recognise([]byte(first), []byte(first)); got != want {
			t.Errorf("%q is %s, want %s", first, got, want)
		}
	}
}
