package identity_test

import (
	"errors"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// malformed holds an error to a reason, and to what package fault makes of it.
func malformed(t *testing.T, what string, err error, want string) {
	t.Helper()
	var m identity.Malformed
	if !errors.As(err, &m) || string(m) != want {
		t.Errorf("%q: got %v, want %s", what, err, want)
	}
	if !fault.Is(err, fault.Invalid) || fault.Reason(err) != want {
		t.Errorf("%q: fault reads %v, %s", what, fault.KindOf(err), fault.Reason(err))
	}
}
