package mailbox

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/vaguemestre/vaguemestre/store"
)

// SetFlags changes the flags of the letters of a set that exist. It returns those
// that changed, as they are now, and the UIDs that were left alone because their
// MODSEQ is above unchangedSince (RFC 7162 3.1.3; zero is no condition). Letters
// whose flags stay the same keep their MODSEQ. All that change get the same new
// one. It fails with fault.NotFound "folder-unknown".
func SetFlags(tx *store.Tx, id FolderID, set Set, op Op, flags Flags, unchangedSince ModSeq) (changed []Row, failed []UID, err error) {
	f, err := lockFolder(tx, id)
	if err != nil {
		return nil, nil, err
	}
	flags &= AllFlags
	modseq := f.ModSeq + 1
	var t tally
	err = eachRow(tx, id, set, `SELECT uid, flags, modseq, size`, func(row scanner) error {
		var r Row
		var size int64
		if err := row.Scan(&r.UID, &r.Flags, &r.ModSeq, &size); err != nil {
			return err
		}
		if unchangedSince > 0 && r.ModSeq > unchangedSince {
			failed = append(failed, r.UID)
			return nil
		}
		if next := op.apply(r.Flags, flags); next != r.Flags {
			t.count(-1, r.Flags, size)
			t.count(1, next, size)
			changed = append(changed, Row{r.UID, next, modseq})
		}
		return nil
	})
	if err != nil || len(changed) == 0 {
		return nil, failed, err
	}
	if err := writeFlags(tx, id, changed, op, flags); err != nil {
		return nil, nil, fmt.Errorf("set flags in folder %s: %w", id, err)
	}
	t.modseqs = 1
	if err := t.addTo(tx, id); err != nil {
		return nil, nil, err
	}
	tx.Changed(id.Topic())
	return changed, failed, nil
}

// writeFlags writes the rows that SetFlags decided on, one statement per chunk.
func writeFlags(tx *store.Tx, id FolderID, changed []Row, op Op, flags Flags) error {
	number, err := id.number()
	if err != nil {
		return err
	}
	expr := `$4`
	switch op {
	case Add:
		expr = `flags | $4`
	case Remove:
		expr, flags = `flags & $4`, AllFlags&^flags
	case Replace:
	}
	uids := make([]UID, len(changed))
	for i, r := range changed {
		uids[i] = r.UID
	}
	for _, c := range SetOf(uids...).chunks(5) {
		_, err := tx.Exec(`UPDATE message SET flags = `+expr+`, modseq = $3 WHERE box_id = $1 AND folder = $2 AND `+c.where,
			append([]any{string(id.Box()), number, int64(changed[0].ModSeq), int64(flags)}, c.args...)...)
		if err != nil {
			return err
		}
	}
	slices.SortFunc(changed, func(a, b Row) int { return cmp.Compare(a.UID, b.UID) })
	return nil
}
