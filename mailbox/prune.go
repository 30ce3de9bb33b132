package mailbox

import (
	"errors"
	"fmt"
	"time"

	"github.com/vaguemestre/vaguemestre/store"
)

// PruneTombstones forgets all but about the newest keep expunged UIDs of a folder
// and raises its floor; it returns how many went. UIDs expunged by one act stay
// or go together.
func PruneTombstones(tx *store.Tx, id FolderID, keep int) (int64, error) {
	number, err := id.number()
	if err != nil {
		return 0, err
	}
	if _, err := lockFolder(tx, id); err != nil {
		return 0, err
	}
	box := string(id.Box())
	var floor int64
	err = tx.QueryRow(`SELECT modseq FROM expunged WHERE box_id = $1 AND folder = $2
		ORDER BY modseq DESC, uid DESC LIMIT 1 OFFSET $3`, box, number, int64(keep)).Scan(&floor)
	if errors.Is(err, store.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	gone, err := tx.Exec(`DELETE FROM expunged WHERE box_id = $1 AND folder = $2 AND modseq <= $3`, box, number, floor)
	if err != nil {
		return 0, fmt.Errorf("prune folder %s: %w", id, err)
	}
	_, err = tx.Exec(`UPDATE folder SET floor = $3 WHERE box_id = $1 AND folder = $2`, box, number, floor)
	return gone, err
}

// Answered ends the time in which the letters with these replay hashes could be
// repeated: their sender went on after its final dot, so it has its 250.
func Answered(tx *store.Tx, box BoxID, replays [][]byte) error {
	for len(replays) > 0 {
		n := min(len(replays), maxList)
		_, err := tx.Exec(`UPDATE message SET replay = NULL WHERE box_id = $1 AND replay IN `+placeholders(2, padded(n)),
			append([]any{string(box)}, padArgs(replays[:n])...)...)
		if err != nil {
			return fmt.Errorf("close the replay window of box %s: %w", box, err)
		}
		replays = replays[n:]
	}
	return nil
}

// ForgetReplays ends that time for letters received before a moment, at most
// limit of them, and returns how many: 5 days after (DESIGN 2). Called by timed
// work until it returns less than limit.
func ForgetReplays(tx *store.Tx, before time.Time, limit int) (int64, error) {
	return tx.Exec(`UPDATE message SET replay = NULL WHERE (box_id, folder, uid) IN (
		SELECT box_id, folder, uid FROM message WHERE replay IS NOT NULL AND internal < $1 LIMIT $2)`,
		store.Micros(before), int64(limit))
}
