package dmp

import (
	"errors"
	"fmt"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Erase erases a document: its key goes with its row, so that no copy of its octets
// or metadata can be read again; the blob is found through [Unknown]. A document that
// it replaced stays deprecated. Filed again, it is a new document. It fails with
// fault.NotFound "document-unknown".
func Erase(tx *store.Tx, space SpaceID, id DocumentID) error {
	if err := lock(tx, space); err != nil {
		return err
	}
	var state string
	var shelf []byte
	err := tx.QueryRow(`DELETE FROM vault_document WHERE space_id = $1 AND document_id = $2 RETURNING state, shelf`,
		string(space), string(id)).Scan(&state, &shelf)
	if errors.Is(err, store.ErrNoRows) {
		return fault.New(fault.NotFound, "document-unknown")
	}
	if err != nil {
		return fmt.Errorf("erase document %s: %w", id, err)
	}
	for _, query := range [...]string{
		`DELETE FROM vault_origin WHERE space_id = $1 AND document_id = $2`,
		`DELETE FROM vault_pending WHERE space_id = $1 AND document_id = $2`,
	} {
		if _, err := tx.Exec(query, string(space), string(id)); err != nil {
			return fmt.Errorf("erase document %s: %w", id, err)
		}
	}
	counts := tally{}
	counts.count(shelf, -1, State(state))
	tx.Changed(space.Topic())
	return counts.add(tx, space)
}
