package seal

import (
	"crypto/rand"
	"crypto/subtle"

	"github.com/vaguemestre/vaguemestre/fault"
)

// SessionKey is the key of one body and of everything that belongs to it: 32
// random bytes. Copies share the bytes, so that one Zero ends them all.
//
// A SessionKey is used by one goroutine at a time.
type SessionKey struct {
	redacted
	secret *secret
}

// secret is 32 bytes that can be spent.
type secret struct {
	bytes [keySize]byte
	spent bool
}

// NewSessionKey returns a fresh key.
func NewSessionKey() SessionKey {
	s := new(secret)
	// crypto/rand.Read never fails: it ends the process instead.
	_, _ = rand.Read(s.bytes[:])
	return SessionKey{secret: s}
}

// sessionKeyOf takes 32 bytes over and wipes their source.
func sessionKeyOf(b []byte) (SessionKey, error) {
	defer clear(b)
	if len(b) != keySize {
		return SessionKey{}, fault.New(fault.Internal, "key-wrap-broken")
	}
	s := new(secret)
	copy(s.bytes[:], b)
	return SessionKey{secret: s}, nil
}

// use returns the key's bytes; after Zero, and for the zero value, it refuses:
// sealing under a wiped key would be sealing under no key.
func (k SessionKey) use() ([]byte, error) {
	if k.secret == nil || k.secret.spent {
		return nil, fault.New(fault.Internal, "session-key-spent")
	}
	return k.secret.bytes[:], nil
}

// Equal reports, in constant time, whether both are the same living key.
func (k SessionKey) Equal(other SessionKey) bool {
	a, err := k.use()
	if err != nil {
		return false
	}
	b, err := other.use()
	return err == nil && subtle.ConstantTimeCompare(a, b) == 1
}

// Zero wipes the key and all its copies; every later use fails with
// fault.Internal "session-key-spent".
func (k SessionKey) Zero() {
	if k.secret == nil {
		return
	}
	clear(k.secret.bytes[:])
	k.secret.spent = true
}

// SealRecord seals a small record that belongs to the key's item: AES-256-GCM
// under a key derived for (purpose, id), which are also authenticated. The result
// is RecordOverhead bytes longer than plain.
func (k SessionKey) SealRecord(purpose, id string, plain []byte) ([]byte, error) {
	b, err := k.use()
	if err != nil {
		return nil, err
	}
	return sealRecord(b, domainRecord, purpose, id, plain)
}

// OpenRecord opens what SealRecord made under the same key, purpose and id;
// anything else is fault.Internal "record-broken".
func (k SessionKey) OpenRecord(purpose, id string, sealed []byte) ([]byte, error) {
	b, err := k.use()
	if err != nil {
		return nil, err
	}
	return openRecord(b, domainRecord, purpose, id, sealed)
}
