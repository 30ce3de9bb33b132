package vaguemestre_test

import (
	"os"
	"regexp"
	"testing"
)

// TestDocsNameFilesThatExist holds every file name in the pages that a newcomer
// reads first.
func TestDocsNameFilesThatExist(t *testing.T) {
	t.Parallel()
	file := regexp.MustCompile(`\b[a-z0-9]+(?:/[a-z0-9_]+)*/[a-z0-9_]+\.(?:go|toml|md)\b`)
	seen := 0
	for _, page := range []string{"README.md", "CONTRIBUTING.md", "docs/path.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range file.FindAllString(string(text), -1) {
			seen++
			if _, err := os.Stat(name); err != nil {
				t.Errorf("%s names %s, which is not there", page, name)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d file names found: does the pattern still match?", seen)
	}
}
