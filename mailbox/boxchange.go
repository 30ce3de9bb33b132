package mailbox

import (
	"fmt"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Takes reports whether a letter of size octets would be taken now; Deliver
// decides again. It returns nil or fault.Denied "box-closed", "box-suspended" or
// "box-opposed", fault.Transient "box-announced", fault.OverQuota "box-full" or
// "letters-limit".
func (b Box) Takes(size int64) error {
	if err := stateTakes(b.State); err != nil {
		return err
	}
	if b.Letters >= b.MaxLetters {
		return fault.New(fault.OverQuota, "letters-limit")
	}
	if b.Bytes+size > b.Quota {
		return fault.New(fault.OverQuota, "box-full")
	}
	return nil
}

// SetState moves a box to another state. It fails with fault.NotFound
// "box-unknown" and fault.Invalid "box-malformed".
func SetState(tx *store.Tx, id BoxID, s State) error {
	if !s.Valid() {
		return fault.New(fault.Invalid, "box-malformed")
	}
	return changeBox(tx, id, `UPDATE box SET state = $2 WHERE box_id = $1`, string(s))
}

// SetLimits gives a box another quota (octets) and number of letters. Letters
// beyond them stay. It fails with fault.NotFound "box-unknown" and fault.Invalid "box-malformed".
func SetLimits(tx *store.Tx, id BoxID, quota, letters int64) error {
	if quota <= 0 || letters <= 0 {
		return fault.New(fault.Invalid, "box-malformed")
	}
	return changeBox(tx, id, `UPDATE box SET quota = $2, letter_limit = $3 WHERE box_id = $1`, quota, letters)
}

// changeBox runs an UPDATE of one box; $1 is its id.
func changeBox(tx *store.Tx, id BoxID, query string, args ...any) error {
	n, err := tx.Exec(query, append([]any{string(id)}, args...)...)
	if err != nil {
		return fmt.Errorf("change box %s: %w", id, err)
	}
	if n == 0 {
		return fault.New(fault.NotFound, "box-unknown")
	}
	return nil
}

// lockBox takes the box's row lock until the transaction ends and returns the
// box as it is now. Lock order everywhere: box, then its folders in ascending
// order, then bodies; several boxes in ascending order.
func lockBox(tx *store.Tx, id BoxID) (Box, error) {
	if err := changeBox(tx, id, `UPDATE box SET bytes = bytes WHERE box_id = $1`); err != nil {
		return Box{}, err
	}
	return ByID(tx, nil, id)
}

// lockBoxOf locks the box of a folder. A box that is not there is fault.NotFound
// "folder-unknown": the caller named a folder.
func lockBoxOf(tx *store.Tx, id FolderID) (Box, error) {
	b, err := lockBox(tx, id.Box())
	if fault.Is(err, fault.NotFound) {
		return Box{}, fault.New(fault.NotFound, "folder-unknown")
	}
	return b, err
}

// charge adds to what the box holds; negative values give back.
func charge(tx *store.Tx, id BoxID, bytes, letters int64) error {
	return changeBox(tx, id, `UPDATE box SET bytes = bytes + $2, letters = letters + $3 WHERE box_id = $1`, bytes, letters)
}
