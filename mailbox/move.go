package mailbox

import (
	"fmt"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Move moves the letters of a set that exist into another folder of the box in
// one act: the rows stay, with another folder and UID. Within one folder they
// get new UIDs. It fails with fault.NotFound "folder-unknown", fault.Denied
// "folder-elsewhere" and fault.OverQuota "folder-full".
func Move(tx *store.Tx, from, to FolderID, set Set) (Copied, error) {
	src, dst, err := lockFolders(tx, from, to)
	if err != nil {
		return Copied{}, err
	}
	rows, err := take(tx, from, set, 0)
	if err != nil || len(rows.uids) == 0 {
		return Copied{UIDValidity: dst.UIDValidity}, err
	}
	if dst.UIDNext > lastUID-UID(len(rows.uids)) {
		return Copied{}, fault.New(fault.OverQuota, "folder-full")
	}
	if err := moveRows(tx, src, dst, rows.uids); err != nil {
		return Copied{}, fmt.Errorf("move to folder %s: %w", to, err)
	}
	out := rows.minus()
	out.modseqs = 1
	if from == to {
		// One act, one MODSEQ: tombstones and new rows share it.
		out.modseqs = 0
	}
	if err := out.addTo(tx, from); err != nil {
		return Copied{}, err
	}
	rows.tally.uids, rows.modseqs = rows.messages, 1
	if err := rows.addTo(tx, to); err != nil {
		return Copied{}, err
	}
	tx.Changed(from.Topic(), to.Topic())
	return copied(dst, rows.uids), nil
}

// moveRows leaves tombstones in src and gives the rows their place in dst.
func moveRows(tx *store.Tx, src, dst Folder, uids []UID) error {
	from, err := src.ID.number()
	if err != nil {
		return err
	}
	to, err := dst.ID.number()
	if err != nil {
		return err
	}
	box, next := string(src.ID.Box()), int64(dst.UIDNext)
	if err := bury(tx, src, uids); err != nil {
		return err
	}
	for _, c := range SetOf(uids...).chunks(6) {
		n, err := tx.Exec(`UPDATE message SET folder = $3, uid = moved.place, modseq = $5 FROM (
			SELECT uid AS was, CAST($4 AS BIGINT) - 1 + row_number() OVER (ORDER BY uid) AS place
			FROM message WHERE box_id = $1 AND folder = $2 AND `+c.where+`) AS moved
			WHERE message.box_id = $1 AND message.folder = $2 AND message.uid = moved.was`,
			append([]any{box, from, to, next, int64(dst.ModSeq + 1)}, c.args...)...)
		if err != nil {
			return err
		}
		next += n
	}
	return nil
}
