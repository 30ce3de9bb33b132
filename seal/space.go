package seal

import (
	"crypto/rand"
	"encoding/binary"
	"sync"

	"github.com/vaguemestre/vaguemestre/fault"
)

const (
	// keyringVersion is the first byte of a keyring's stored form.
	keyringVersion = 1
	// rewrapPurpose is the purpose of a session key under the space's symmetric key.
	rewrapPurpose = "session-key"
)

// Keyring holds the private keys of one open space: the letters pair, the vault
// pair of a patient, and the symmetric key. It exists between a release and its
// Zero, in memory only. It is safe for concurrent use.
type Keyring struct {
	redacted
	id string

	// mu guards what follows: Zero waits for the operations under way.
	mu      sync.RWMutex
	zeroed  bool
	sym     [keySize]byte
	letters *pair
	vault   *pair // nil for a space without a vault
}

// NewSpace makes the keys of a new space: a letters pair, a vault pair if the
// space is a patient's, and a symmetric key. The caller stores Wrapped, Letters and
// Vault in the space's row, then calls Zero.
func NewSpace(id string, vault bool) (*Keyring, error) {
	r := &Keyring{id: id}
	_, _ = rand.Read(r.sym[:])
	var err error
	if r.letters, err = newPair(nil); err != nil {
		return nil, err
	}
	if vault {
		if r.vault, err = newPair(nil); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// OpenSpace opens the wrapped keys of a space. Only a release calls it: see
// Release, which writes the audit leaf first. A wrap of another space, or a
// damaged one, is fault.Internal.
func OpenSpace(p Platform, id string, wrapped []byte) (*Keyring, error) {
	plain, err := p.Unwrap(spaceLabel(id), wrapped)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	if len(plain) < 1+keySize+4 || plain[0] != keyringVersion {
		return nil, fault.New(fault.Internal, "keyring-broken")
	}
	r := &Keyring{id: id}
	copy(r.sym[:], plain[1:])
	rest := plain[1+keySize:]
	n := uint64(binary.BigEndian.Uint32(rest))
	rest = rest[4:]
	if n > uint64(len(rest)) {
		return nil, fault.New(fault.Internal, "keyring-broken")
	}
	if r.letters, err = parsePair(append([]byte(nil), rest[:n]...)); err != nil {
		return nil, err
	}
	if rest = rest[n:]; len(rest) > 0 {
		if r.vault, err = parsePair(append([]byte(nil), rest...)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func spaceLabel(id string) string { return "space/" + id }

// ID returns the space's id.
func (r *Keyring) ID() string { return r.id }

// Letters returns the public half of the letters pair.
func (r *Keyring) Letters() *PublicKey { return r.letters.public }

// Vault returns the public half of the vault pair, nil if the space has none.
func (r *Keyring) Vault() *PublicKey {
	if r.vault == nil {
		return nil
	}
	return r.vault.public
}

// Wrapped returns the keys under the platform key, bound to the space's id: what
// the database row holds.
func (r *Keyring) Wrapped(p Platform) ([]byte, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.zeroed {
		return nil, errLocked()
	}
	size := 1 + keySize + 4 + len(r.letters.raw)
	if r.vault != nil {
		size += len(r.vault.raw)
	}
	plain := make([]byte, 0, size)
	plain = append(plain, keyringVersion)
	plain = append(plain, r.sym[:]...)
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(r.letters.raw)))
	plain = append(plain, r.letters.raw...)
	if r.vault != nil {
		plain = append(plain, r.vault.raw...)
	}
	defer clear(plain)
	return p.Wrap(spaceLabel(r.id), plain)
}

// Unwrap opens a session key that was wrapped for the letters pair. Faults:
// Internal "key-wrap-broken" for another key, another body or a damaged wrap,
// Denied "space-locked" after Zero.
func (r *Keyring) Unwrap(wrapped []byte, bodyID string) (SessionKey, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.zeroed {
		return SessionKey{}, errLocked()
	}
	return r.letters.unwrap(wrapped, bodyID)
}

// UnwrapVault opens a session key that was wrapped for the vault pair; a space
// without one answers fault.NotFound "vault-missing".
func (r *Keyring) UnwrapVault(wrapped []byte, bodyID string) (SessionKey, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	switch {
	case r.zeroed:
		return SessionKey{}, errLocked()
	case r.vault == nil:
		return SessionKey{}, fault.New(fault.NotFound, "vault-missing")
	}
	return r.vault.unwrap(wrapped, bodyID)
}

// Rewrap wraps a session key under the space's symmetric key, bound to the item:
// done at the first opening, so that later ones cost no public-key operation.
func (r *Keyring) Rewrap(k SessionKey, itemID string) ([]byte, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.zeroed {
		return nil, errLocked()
	}
	b, err := k.use()
	if err != nil {
		return nil, err
	}
	return sealRecord(r.sym[:], domainRewrap, rewrapPurpose, itemID, b)
}

// UnwrapFast opens what Rewrap made for the same item; anything else is
// fault.Internal "record-broken".
func (r *Keyring) UnwrapFast(wrapped []byte, itemID string) (SessionKey, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.zeroed {
		return SessionKey{}, errLocked()
	}
	b, err := openRecord(r.sym[:], domainRewrap, rewrapPurpose, itemID, wrapped)
	if err != nil {
		return SessionKey{}, err
	}
	return sessionKeyOf(b)
}

// SealRecord seals a record of the space itself (folder names, keywords), bound to
// (purpose, id).
func (r *Keyring) SealRecord(purpose, id string, plain []byte) ([]byte, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.zeroed {
		return nil, errLocked()
	}
	return sealRecord(r.sym[:], domainRecord, purpose, id, plain)
}

// OpenRecord opens what SealRecord made under the same purpose and id; anything
// else is fault.Internal "record-broken".
func (r *Keyring) OpenRecord(purpose, id string, sealed []byte) ([]byte, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.zeroed {
		return nil, errLocked()
	}
	return openRecord(r.sym[:], domainRecord, purpose, id, sealed)
}

// Zero wipes the private keys. The public halves stay; every other use fails with
// fault.Denied "space-locked".
func (r *Keyring) Zero() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.zeroed = true
	clear(r.sym[:])
	r.letters.zero()
	r.vault.zero()
}

func errLocked() error { return fault.New(fault.Denied, "space-locked") }
