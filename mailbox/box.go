package mailbox

import (
	"encoding/json"
	"fmt"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Limits of a box that gives none of its own. Our choice.
const (
	DefaultQuota   = 2 << 30 // octets
	DefaultLetters = 100_000
)

// Box is a mailbox (BAL).
type Box struct {
	ID    BoxID
	Space SpaceID
	Kind  Kind
	State State
	// Inbox is where letters go.
	Inbox FolderID
	// LettersKey is the public key that bodies' session keys are wrapped to.
	LettersKey []byte
	// Bytes and Letters are what the box holds; Quota and MaxLetters what it may.
	Bytes, Quota        int64
	Letters, MaxLetters int64
	// Address and Name are opened from the sealed record, when works were given.
	Address identity.Address
	Name    string
}

// NewBox is what a box is made from.
type NewBox struct {
	Kind    Kind
	Address identity.Address
	// Name is the display name (libellé, spec mssante 3.5).
	Name string
	// State is the first state; empty is Active.
	State State
	// Quota (octets) and MaxLetters are the limits; zero is the default.
	Quota, MaxLetters int64
	// Keys come from [NewKeys].
	Keys SpaceKeys
}

// boxRecord is what the sealed record of a box holds.
type boxRecord struct {
	Address string `json:"a"`
	Name    string `json:"n"`
}

// addressMAC is the keyed hash by which a box is found.
func addressMAC(w *seal.Works, a identity.Address) []byte {
	return w.MAC("box-address", []byte(a.Key()))
}

// Create makes a box with its keys and its first folders. It fails with
// fault.Conflict "box-exists" when the address has or had a box, and with
// fault.Invalid "box-malformed".
func Create(tx *store.Tx, w *seal.Works, b NewBox) (Box, error) {
	if !b.Kind.Valid() || b.Address.IsZero() || b.Keys.Ring == nil || b.Quota < 0 || b.MaxLetters < 0 {
		return Box{}, fault.New(fault.Invalid, "box-malformed")
	}
	if b.State == "" {
		b.State = Active
	}
	if !b.State.Valid() {
		return Box{}, fault.New(fault.Invalid, "box-malformed")
	}
	if b.Quota == 0 {
		b.Quota = DefaultQuota
	}
	if b.MaxLetters == 0 {
		b.MaxLetters = DefaultLetters
	}
	id := BoxID(identity.NewID())
	record, err := sealBox(w, id, boxRecord{b.Address.String(), b.Name})
	if err != nil {
		return Box{}, err
	}
	made, err := tx.Exec(`INSERT INTO box (box_id, space_id, kind, state, bytes, quota, letters, letter_limit,
		inbox, folder_next, created, address_mac, record)
		VALUES ($1, $2, $3, $4, 0, $5, 0, $6, 1, 1, $7, $8, $9)
		ON CONFLICT (address_mac) DO NOTHING`,
		string(id), string(b.Keys.ID), string(b.Kind), string(b.State), b.Quota, b.MaxLetters,
		store.Micros(tx.Now()), addressMAC(w, b.Address), record)
	if err != nil {
		return Box{}, fmt.Errorf("make a box: %w", err)
	}
	if made == 0 {
		return Box{}, fault.New(fault.Conflict, "box-exists")
	}
	if err := insertSpace(tx, b.Keys, b.Kind); err != nil {
		return Box{}, fmt.Errorf("make a space: %w", err)
	}
	for _, f := range firstFolders() {
		if _, err := insertFolder(tx, b.Keys.Ring, id, f.name, f.role); err != nil {
			return Box{}, err
		}
	}
	return ByID(tx, w, id)
}

// sealBox seals a box's record under works.
func sealBox(w *seal.Works, id BoxID, r boxRecord) ([]byte, error) {
	plain, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	sealed, err := w.Seal("box", string(id), plain)
	if err != nil {
		return nil, fmt.Errorf("seal the record of box %s: %w", id, err)
	}
	return sealed, nil
}
