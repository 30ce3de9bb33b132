package e2e_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// hostile runs the program of make hostile over kinds of vectors.
func hostile(t *testing.T, kinds string) {
	t.Helper()
	short(t)
	dir := corpus(t, "hostile")
	name, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	runner := filepath.Join(t.TempDir(), "hostile")
	if out, err := exec.Command("go", "build", "-o", runner, "./hostile").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(runner, "--server", name, "--dir", dir, "--kinds", kinds).CombinedOutput()
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

// TestHostileVectorsBreakNothing runs the corpora of hostile SMTP scripts, packages,
// documents and invitations, and the cases for the web. Memory and processor time are
// measured, so it is not beside others.
func TestHostileVectorsBreakNothing(t *testing.T) {
	hostile(t, "smtp,zip,xml,ics,web")
}
