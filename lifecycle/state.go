package lifecycle

import (
	"context"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// State moves a box to another state, or leaves it when want is empty, and
// returns the box. It fails with fault.NotFound "box-unknown" and fault.Invalid
// "box-malformed" for a state that does not exist.
func (r *Registrar) State(ctx context.Context, address identity.Address, want mailbox.State) (box mailbox.Box, err error) {
	err = r.db.Write(ctx, func(tx *store.Tx) error {
		if box, err = mailbox.Find(tx, r.works, address); err != nil || want == "" {
			return err
		}
		if err := mailbox.SetState(tx, box.ID, want); err != nil {
			return err
		}
		box.State = want
		return audit.Append(tx, audit.Leaf{
			Role: "operator", Act: "box.state", Object: "box:" + string(box.ID), Purpose: string(want), Result: audit.Done,
		})
	})
	return box, err
}
