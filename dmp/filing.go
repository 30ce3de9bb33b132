package dmp

import (
	"errors"
	"fmt"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// NoteFiling keeps what became of a letter's attachments, for the letter's reader.
// The record is sealed by the caller with the letter's session key, so that erasing
// the letter erases it. Noted again, the last one holds.
func NoteFiling(tx *store.Tx, space SpaceID, message string, record []byte) error {
	_, err := tx.Exec(`INSERT INTO vault_filing (space_id, message_id, at, record) VALUES ($1, $2, $3, $4)
		ON CONFLICT (space_id, message_id) DO UPDATE SET at = excluded.at, record = excluded.record`,
		string(space), message, store.Micros(tx.Now()), record)
	if err != nil {
		return fmt.Errorf("note the filing of letter %s: %w", message, err)
	}
	tx.Changed(space.Topic())
	return nil
}

// ReadFiling returns what NoteFiling kept. It fails with fault.NotFound
// "filing-unknown": the letter has nothing to file, or is not filed yet.
func ReadFiling(tx *store.Tx, space SpaceID, message string) ([]byte, error) {
	var record []byte
	err := tx.QueryRow(`SELECT record FROM vault_filing WHERE space_id = $1 AND message_id = $2`,
		string(space), message).Scan(&record)
	if errors.Is(err, store.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "filing-unknown")
	}
	if err != nil {
		return nil, fmt.Errorf("read the filing of letter %s: %w", message, err)
	}
	return record, nil
}
