package seal

import (
	"context"
	"fmt"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Release opens a space's keys, and writes down that it does before it does it:
// record appends the audit leaf and returns when the leaf is durable. An error of
// record is an error of the release, and no key is opened. The caller bounds the
// release in time and ends it with Keyring.Zero.
func Release(ctx context.Context, record func(ctx context.Context) error, p Platform, id string, wrapped []byte) (*Keyring, error) {
	if record == nil {
		return nil, fault.New(fault.Internal, "release-unrecorded")
	}
	if err := record(ctx); err != nil {
		return nil, fmt.Errorf("record release: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Transient, "release-abandoned", err)
	}
	return OpenSpace(p, id, wrapped)
}
