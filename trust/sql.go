package trust

import (
	"errors"
	"fmt"

	"github.com/vaguemestre/vaguemestre/store"
)

// KnownMark returns the mark of the newest list ever accepted by this operator,
// the zero Mark if there was none.
func KnownMark(tx *store.Tx) (Mark, error) {
	var generated int64
	var digest []byte
	err := tx.QueryRow(`SELECT generated, digest FROM trust_mark WHERE id = 1`).Scan(&generated, &digest)
	if errors.Is(err, store.ErrNoRows) {
		return Mark{}, nil
	}
	if err != nil {
		return Mark{}, fmt.Errorf("mark of the newest list: %w", err)
	}
	m := Mark{Generated: store.Time(generated)}
	copy(m.Digest[:], digest)
	return m, nil
}

// KeepMark notes that a list was accepted; an older one changes nothing, since
// several nodes note what they fetched.
func KeepMark(tx *store.Tx, m Mark) error {
	_, err := tx.Exec(`INSERT INTO trust_mark (id, generated, digest) VALUES (1, $1, $2)
		ON CONFLICT (id) DO UPDATE SET generated = excluded.generated, digest = excluded.digest
		WHERE trust_mark.generated < excluded.generated`, store.Micros(m.Generated), m.Digest[:])
	if err != nil {
		return fmt.Errorf("note the newest list: %w", err)
	}
	return nil
}
