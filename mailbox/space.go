package mailbox

import (
	"errors"
	"fmt"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// SpaceKeys are the keys of a box that is about to be made. Making them is slow,
// so it happens before the transaction.
type SpaceKeys struct {
	// ID names the space.
	ID SpaceID
	// Ring holds the private halves: the folders' names are sealed with it. The
	// caller zeroes it when the box is made.
	Ring *seal.Keyring
	// Wrapped is Ring under the platform key, as the row keeps it.
	Wrapped []byte
}

// NewKeys makes the keys of a box: one pair for letters, for a patient a second
// one for the vault, and a symmetric key.
func NewKeys(p seal.Platform, kind Kind) (SpaceKeys, error) {
	id := identity.NewID()
	ring, err := seal.NewSpace(id, kind == Patient)
	if err != nil {
		return SpaceKeys{}, fmt.Errorf("make the keys of a space: %w", err)
	}
	wrapped, err := ring.Wrapped(p)
	if err != nil {
		ring.Zero()
		return SpaceKeys{}, fmt.Errorf("wrap the keys of a space: %w", err)
	}
	return SpaceKeys{ID: SpaceID(id), Ring: ring, Wrapped: wrapped}, nil
}

// insertSpace keeps the keys of a new box.
func insertSpace(tx *store.Tx, k SpaceKeys, kind Kind) error {
	vault := []byte{}
	if v := k.Ring.Vault(); v != nil {
		vault = v.Bytes()
	}
	_, err := tx.Exec(`INSERT INTO space (space_id, kind, letters_key, vault_key, wrapped, created)
		VALUES ($1, $2, $3, $4, $5, $6)`,
		string(k.ID), string(kind), k.Ring.Letters().Bytes(), vault, k.Wrapped, store.Micros(tx.Now()))
	return err
}

// Keys returns the wrapped keyring of a space, for a release (package seal). It
// fails with fault.NotFound "space-unknown".
func Keys(tx *store.Tx, space SpaceID) ([]byte, error) {
	var wrapped []byte
	err := tx.QueryRow(`SELECT wrapped FROM space WHERE space_id = $1`, string(space)).Scan(&wrapped)
	if errors.Is(err, store.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "space-unknown")
	}
	return wrapped, err
}

// VaultKey returns the public half of a patient's vault pair, empty for a
// professional. It fails with fault.NotFound "space-unknown".
func VaultKey(tx *store.Tx, space SpaceID) ([]byte, error) {
	var key []byte
	err := tx.QueryRow(`SELECT vault_key FROM space WHERE space_id = $1`, string(space)).Scan(&key)
	if errors.Is(err, store.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "space-unknown")
	}
	return key, err
}
