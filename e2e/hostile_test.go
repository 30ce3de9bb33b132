package e2e_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestHostileSMTPVectorsBreakNothing runs the corpus of hostile SMTP scripts with
// the program of make hostile.
func TestHostileSMTPVectorsBreakNothing(t *testing.T) {
	short(t)
	dir := corpus(t, "hostile")
	name, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "run", "./hostile", "--server", name, "--dir", dir, "--kinds", "smtp").CombinedOutput()
	for line := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
		if strings.HasPrefix(line, "broken ") {
			t.Error(line)
		} else {
			t.Log(line)
		}
	}
	if err != nil {
		t.Error(err)
	}
}
