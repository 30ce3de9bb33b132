package mailbox

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

const selectBox = `SELECT b.box_id, b.space_id, b.kind, b.state, b.inbox, s.letters_key,
	b.bytes, b.quota, b.letters, b.letter_limit, b.record
	FROM box b JOIN space s ON s.space_id = b.space_id WHERE `

// Find returns the box of an address. It fails with fault.NotFound
// "box-unknown". A closed box is found too: its state says so.
func Find(tx *store.Tx, w *seal.Works, addr identity.Address) (Box, error) {
	return scanBox(tx.QueryRow(selectBox+`b.address_mac = $1`, addressMAC(w, addr)), w)
}

// ByID returns a box. With nil works, Address and Name stay empty. It fails with
// fault.NotFound "box-unknown".
func ByID(tx *store.Tx, w *seal.Works, id BoxID) (Box, error) {
	return scanBox(tx.QueryRow(selectBox+`b.box_id = $1`, string(id)), w)
}

// scanner is a row: *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// scanBox reads a row of selectBox and opens its record.
func scanBox(row scanner, w *seal.Works) (Box, error) {
	var b Box
	var id, space, kind, state string
	var inbox int64
	var sealed []byte
	err := row.Scan(&id, &space, &kind, &state, &inbox, &b.LettersKey, &b.Bytes, &b.Quota, &b.Letters, &b.MaxLetters, &sealed)
	if errors.Is(err, store.ErrNoRows) {
		return Box{}, fault.New(fault.NotFound, "box-unknown")
	}
	if err != nil {
		return Box{}, err
	}
	b.ID, b.Space, b.Kind, b.State = BoxID(id), SpaceID(space), Kind(kind), State(state)
	b.Inbox = folderID(b.ID, inbox)
	if w == nil {
		return b, nil
	}
	plain, err := w.Open("box", id, sealed)
	if err != nil {
		return Box{}, fmt.Errorf("open the record of box %s: %w", id, err)
	}
	var r boxRecord
	if err := json.Unmarshal(plain, &r); err != nil {
		return Box{}, fmt.Errorf("record of box %s: %w", id, err)
	}
	b.Name = r.Name
	if b.Address, err = identity.ParseAddress(r.Address); err != nil {
		return Box{}, fmt.Errorf("record of box %s: %w", id, err)
	}
	return b, nil
}

// Boxes calls fn with every box in the order in which they were made, without
// opening their records: for operators' counts and timed work, never on a hot
// path. fn must not use tx.
func Boxes(tx *store.Tx, fn func(Box) error) error {
	rows, err := tx.Query(selectBox + `1 = 1 ORDER BY b.box_id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		b, err := scanBox(rows, nil)
		if err != nil {
			return err
		}
		if err := fn(b); err != nil {
			return err
		}
	}
	return rows.Err()
}
