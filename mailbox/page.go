package mailbox

import (
	"errors"
	"fmt"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Place is where a letter lies in its box.
type Place struct {
	Folder FolderID
	UID    UID
}

// Locate returns where a letter of a box lies; of several copies the one that came
// first. A letter of another box is as unknown as one that never was:
// fault.NotFound "letter-unknown".
func Locate(tx *store.Tx, box BoxID, id MessageID) (Place, error) {
	var number, uid int64
	err := tx.QueryRow(`SELECT folder, uid FROM message WHERE box_id = $1 AND id = $2 ORDER BY folder, uid LIMIT 1`,
		string(box), string(id)).Scan(&number, &uid)
	if errors.Is(err, store.ErrNoRows) {
		return Place{}, fault.New(fault.NotFound, "letter-unknown")
	}
	if err != nil {
		return Place{}, fmt.Errorf("locate a letter in box %s: %w", box, err)
	}
	return Place{folderID(box, number), UID(uid)}, nil
}

// Page calls fn with the newest letters of a folder below a UID, the newest first,
// at most limit of them; a zero before begins at the newest. It costs what it
// returns, however many letters the folder holds. fn must not use tx.
func Page(tx *store.Tx, id FolderID, before UID, limit int, fn func(Message) error) error {
	number, err := id.number()
	if err != nil {
		return err
	}
	if before == 0 {
		before = lastUID
	}
	rows, err := tx.Query(`SELECT uid, flags, modseq, id, size, internal, outcome, body_id, key_form, wrapped, record
		FROM message WHERE box_id = $1 AND folder = $2 AND uid < $3 ORDER BY uid DESC LIMIT $4`,
		string(id.Box()), number, int64(before), int64(limit))
	if err != nil {
		return fmt.Errorf("read a page of folder %s: %w", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		var m Message
		var body string
		if m.Facts, err = scanFacts(rows, &body, &m.KeyForm, &m.Key, &m.Record); err != nil {
			return err
		}
		m.Body = BodyID(body)
		if err := fn(m); err != nil {
			return err
		}
	}
	return rows.Err()
}
