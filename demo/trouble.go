package demo

import (
	"context"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// slowAnswer is how long slow@ thinks.
const slowAnswer = 3 * time.Second

// trouble makes some recipients fail, so that a sender can see what failures look
// like: tempfail@ is busy for ever, closed@ is closed, slow@ takes its time and
// does not exist either.
func trouble(ctx context.Context, to identity.Address) error {
	switch to.Local() {
	case "tempfail":
		return fault.New(fault.Transient, "box-busy")
	case "closed":
		return fault.New(fault.Denied, "box-closed")
	case "slow":
		select {
		case <-ctx.Done():
		case <-time.After(slowAnswer):
		}
	}
	return nil
}
