package delivery_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/fault"
)

func TestMain(m *testing.M) { deliverytest.Main(m) }

// Boxes of the tests; bob's operator is another one.
const (
	anne  = "anne@" + deliverytest.Hospital
	paul  = "paul@" + deliverytest.Hospital
	zoe   = "zoe@" + deliverytest.Hospital
	bob   = "bob@" + deliverytest.City
	marie = "marie@" + deliverytest.Patients
	jean  = "jean@" + deliverytest.Patients
)

// reason is the reason id of an error, "" for none.
func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Reason(err)
}

// wantReason fails the test when err has another reason.
func wantReason(t *testing.T, what string, err error, want string) {
	t.Helper()
	if got := reason(err); got != want {
		t.Errorf("%s: got reason %q (%v), want %q", what, got, err, want)
	}
}

// contains fails the test when a text lacks one of the pieces.
func contains(t *testing.T, text string, pieces ...string) {
	t.Helper()
	for _, p := range pieces {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}

// nothingKept fails the test when anything of a letter is left.
func nothingKept(t *testing.T, op *deliverytest.Operator) {
	t.Helper()
	for _, table := range []string{"body", "message", "queue_job", "outcome_letter", "blob_garbage"} {
		if n := op.Count(table); n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
	if files := op.Files(); len(files) != 0 {
		t.Errorf("%d files in the blob folder", len(files))
	}
	for _, act := range []string{"letter.receive", "letter.submit", "letter.report"} {
		if leaves := op.Leaves(act); len(leaves) != 0 {
			t.Errorf("leaves: %s", leaves)
		}
	}
}

// bodies returns the bodies of letters.
func bodies(letters []deliverytest.Letter) (out []string) {
	for _, l := range letters {
		out = append(out, l.Body)
	}
	slices.Sort(out)
	return out
}
