package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

func TestKindAndReasonComeThroughWraps(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk on fire")
	for _, row := range []struct {
		err    error
		kind   fault.Kind
		reason string
	}{
		{fault.New(fault.Denied, "no"), fault.Denied, "no"},
		{fmt.Errorf("at the door: %w", fault.Wrap(fault.Transient, "store-away", cause)), fault.Transient, "store-away"},
		{errors.Join(cause, fault.New(fault.NotFound, "gone")), fault.NotFound, "gone"},
		{fmt.Errorf("parse: %w", identity.Malformed("address-malformed")), fault.Invalid, "address-malformed"},
		{cause, fault.Internal, "internal"},
	} {
		if got := fault.KindOf(row.err); got != row.kind {
			t.Errorf("%v: kind %v, want %v", row.err, got, row.kind)
		}
		if got := fault.Reason(row.err); got != row.reason {
			t.Errorf("%v: reason %q, want %q", row.err, got, row.reason)
		}
		if !fault.Is(row.err, row.kind) {
			t.Errorf("%v: Is(%v) is false", row.err, row.kind)
		}
	}
	if fault.Is(nil, fault.Internal) {
		t.Error("no error is of a kind")
	}
	if !errors.Is(fault.Wrap(fault.Internal, "x", cause), cause) {
		t.Error("the cause is lost")
	}
}
