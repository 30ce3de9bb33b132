package mailbox

import (
	"fmt"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Copied tells which letter became which (RFC 4315 COPYUID): From[i] is now, or
// is now also, To[i]. Both ascend.
type Copied struct {
	UIDValidity UIDValidity
	From, To    []UID
}

// taken are rows read under their folder's lock, about to be copied, moved or erased.
type taken struct {
	tally
	uids   []UID
	bodies map[BodyID]int64
}

// take reads the rows of a set, those with all the flags of want only.
func take(tx *store.Tx, id FolderID, set Set, want Flags) (taken, error) {
	t := taken{bodies: map[BodyID]int64{}}
	err := eachRow(tx, id, set, `SELECT uid, flags, size, body_id`, func(row scanner) error {
		var uid UID
		var flags Flags
		var size int64
		var body string
		if err := row.Scan(&uid, &flags, &size, &body); err != nil {
			return err
		}
		if flags.Has(want) {
			t.uids = append(t.uids, uid)
			t.bodies[BodyID(body)]++
			t.count(1, flags, size)
		}
		return nil
	})
	return t, err
}

// minus returns the tally that takes t away again.
func (t tally) minus() tally {
	return tally{messages: -t.messages, unseen: -t.unseen, deleted: -t.deleted, bytes: -t.bytes}
}

// lockFolders locks two folders of one box in ascending order.
func lockFolders(tx *store.Tx, a, b FolderID) (fa, fb Folder, err error) {
	if a.Box() != b.Box() {
		return Folder{}, Folder{}, fault.New(fault.Denied, "folder-elsewhere")
	}
	na, errA := a.number()
	nb, errB := b.number()
	if errA != nil || errB != nil {
		return Folder{}, Folder{}, fault.New(fault.NotFound, "folder-unknown")
	}
	if na <= nb {
		if fa, err = lockFolder(tx, a); err == nil {
			fb, err = lockFolder(tx, b)
		}
		return fa, fb, err
	}
	if fb, err = lockFolder(tx, b); err == nil {
		fa, err = lockFolder(tx, a)
	}
	return fa, fb, err
}

// Copy copies the letters of a set that exist into another folder of the box, or
// the same one. The rows are copied as they are: same id, key, record, flags and
// INTERNALDATE; the body counts one reference more. It fails with fault.NotFound
// "folder-unknown", fault.Denied "folder-elsewhere", and as Deliver does when the
// box has no room; then nothing is copied.
func Copy(tx *store.Tx, from, to FolderID, set Set) (Copied, error) {
	box, err := lockBoxOf(tx, from)
	if err != nil {
		return Copied{}, err
	}
	_, dst, err := lockFolders(tx, from, to)
	if err != nil {
		return Copied{}, err
	}
	rows, err := take(tx, from, set, 0)
	if err != nil || len(rows.uids) == 0 {
		return Copied{UIDValidity: dst.UIDValidity}, err
	}
	if err := box.roomFor(rows.bytes, rows.messages); err != nil {
		return Copied{}, err
	}
	if dst.UIDNext > lastUID-UID(len(rows.uids)) {
		return Copied{}, fault.New(fault.OverQuota, "folder-full")
	}
	if err := copyRows(tx, from, dst, rows.uids); err != nil {
		return Copied{}, fmt.Errorf("copy to folder %s: %w", to, err)
	}
	if err := referBodies(tx, rows.bodies); err != nil {
		return Copied{}, err
	}
	if err := charge(tx, box.ID, rows.bytes, rows.messages); err != nil {
		return Copied{}, err
	}
	rows.tally.uids, rows.modseqs = rows.messages, 1
	if err := rows.addTo(tx, to); err != nil {
		return Copied{}, err
	}
	tx.Changed(to.Topic())
	return copied(dst, rows.uids), nil
}

// roomFor is what the box answers to more letters of its holder's own making: a
// suspended box may still be tidied.
func (b Box) roomFor(bytes, letters int64) error {
	if b.Letters+letters > b.MaxLetters {
		return fault.New(fault.OverQuota, "letters-limit")
	}
	if b.Bytes+bytes > b.Quota {
		return fault.New(fault.OverQuota, "box-full")
	}
	return nil
}

// copied pairs the UIDs with those that dst gives next.
func copied(dst Folder, uids []UID) Copied {
	c := Copied{UIDValidity: dst.UIDValidity, From: uids, To: make([]UID, len(uids))}
	for i := range uids {
		c.To[i] = dst.UIDNext + UID(i)
	}
	return c
}

// copyRows inserts the rows again under dst's next UIDs, in order. A copy is not
// what a repeated letter would be: replay stays with the original.
func copyRows(tx *store.Tx, from FolderID, dst Folder, uids []UID) error {
	src, err := from.number()
	if err != nil {
		return err
	}
	to, err := dst.ID.number()
	if err != nil {
		return err
	}
	next := int64(dst.UIDNext)
	for _, c := range SetOf(uids...).chunks(6) {
		n, err := tx.Exec(`INSERT INTO message (box_id, folder, uid, modseq, flags, size, internal, key_form, id, body_id,
			outcome, replay, wrapped, record)
			SELECT box_id, CAST($3 AS BIGINT), CAST($4 AS BIGINT) - 1 + row_number() OVER (ORDER BY uid), CAST($5 AS BIGINT),
			flags, size, internal, key_form, id, body_id, outcome, NULL, wrapped, record
			FROM message WHERE box_id = $1 AND folder = $2 AND `+c.where,
			append([]any{string(from.Box()), src, to, next, int64(dst.ModSeq + 1)}, c.args...)...)
		if err != nil {
			return err
		}
		next += n
	}
	return nil
}
