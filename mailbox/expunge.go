package mailbox

import (
	"fmt"

	"github.com/vaguemestre/vaguemestre/store"
)

// Expunge erases the letters of a set that are flagged \Deleted (RFC 9051 6.4.3;
// with a part of the folder, UID EXPUNGE of RFC 4315) and returns their UIDs,
// ascending. It fails with fault.NotFound "folder-unknown".
func Expunge(tx *store.Tx, id FolderID, set Set) ([]UID, error) {
	f, err := Status(tx, nil, id)
	if err != nil || f.Deleted == 0 {
		return nil, err
	}
	return erase(tx, id, set, FlagDeleted)
}

// Erase erases the letters of a set whatever their flags and returns their UIDs,
// ascending: what an act of the house does, not an IMAP client. It fails with
// fault.NotFound "folder-unknown".
func Erase(tx *store.Tx, id FolderID, set Set) ([]UID, error) {
	return erase(tx, id, set, 0)
}

// erase deletes rows, and with each row the only wrapped key of its reader: the
// letter is gone, backups of bodies included. Tombstones, counters, references
// and garbage are written in the same transaction.
func erase(tx *store.Tx, id FolderID, set Set, want Flags) ([]UID, error) {
	if _, err := lockBoxOf(tx, id); err != nil {
		return nil, err
	}
	f, err := lockFolder(tx, id)
	if err != nil {
		return nil, err
	}
	rows, err := take(tx, id, set, want)
	if err != nil || len(rows.uids) == 0 {
		return nil, err
	}
	if err := bury(tx, f, rows.uids); err != nil {
		return nil, fmt.Errorf("expunge folder %s: %w", id, err)
	}
	number, err := id.number()
	if err != nil {
		return nil, err
	}
	for _, c := range SetOf(rows.uids...).chunks(3) {
		_, err := tx.Exec(`DELETE FROM message WHERE box_id = $1 AND folder = $2 AND `+c.where,
			append([]any{string(id.Box()), number}, c.args...)...)
		if err != nil {
			return nil, fmt.Errorf("expunge folder %s: %w", id, err)
		}
	}
	out := rows.minus()
	out.modseqs = 1
	if err := out.addTo(tx, id); err != nil {
		return nil, err
	}
	if err := charge(tx, id.Box(), -rows.bytes, -rows.messages); err != nil {
		return nil, err
	}
	if err := dropBodies(tx, rows.bodies); err != nil {
		return nil, err
	}
	tx.Changed(id.Topic())
	return rows.uids, nil
}

// bury writes the tombstones of rows that are about to leave f, under its next MODSEQ.
func bury(tx *store.Tx, f Folder, uids []UID) error {
	number, err := f.ID.number()
	if err != nil {
		return err
	}
	for _, c := range SetOf(uids...).chunks(4) {
		_, err := tx.Exec(`INSERT INTO expunged (box_id, folder, modseq, uid)
			SELECT box_id, folder, CAST($3 AS BIGINT), uid FROM message WHERE box_id = $1 AND folder = $2 AND `+c.where,
			append([]any{string(f.ID.Box()), number, int64(f.ModSeq + 1)}, c.args...)...)
		if err != nil {
			return err
		}
	}
	return nil
}
