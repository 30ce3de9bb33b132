package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"

	"github.com/vaguemestre/vaguemestre/fault"
)

// worksLabel is the platform label of an operator's works key.
const worksLabel = "works"

// Works is the operator's own key: it seals the rows that the operator must read
// without a person (queue, outcome, addresses of boxes), and makes the keyed hashes
// by which rows are looked up. It is safe for concurrent use.
type Works struct {
	redacted

	// mu guards what follows.
	mu     sync.RWMutex
	zeroed bool
	key    [keySize]byte
	mac    [keySize]byte
}

// NewWorks makes a works key, and its form under the platform key for the database.
func NewWorks(p Platform) (*Works, []byte, error) {
	var key [keySize]byte
	defer clear(key[:])
	_, _ = rand.Read(key[:])
	wrapped, err := p.Wrap(worksLabel, key[:])
	if err != nil {
		return nil, nil, err
	}
	w, err := worksOf(key[:])
	return w, wrapped, err
}

// OpenWorks opens a wrapped works key.
func OpenWorks(p Platform, wrapped []byte) (*Works, error) {
	key, err := p.Unwrap(worksLabel, wrapped)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	return worksOf(key)
}

func worksOf(key []byte) (*Works, error) {
	if len(key) != keySize {
		return nil, fault.New(fault.Internal, "works-broken")
	}
	mac, err := hkdf.Key(sha256.New, key, nil, string(domainMAC), keySize)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "works-broken", err)
	}
	defer clear(mac)
	w := new(Works)
	copy(w.key[:], key)
	copy(w.mac[:], mac)
	return w, nil
}

// Seal seals one operator row, bound to (purpose, id).
func (w *Works) Seal(purpose, id string, plain []byte) ([]byte, error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.zeroed {
		return nil, errLocked()
	}
	return sealRecord(w.key[:], domainRecord, purpose, id, plain)
}

// Open opens what Seal made under the same purpose and id; anything else is
// fault.Internal "record-broken".
func (w *Works) Open(purpose, id string, sealed []byte) ([]byte, error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.zeroed {
		return nil, errLocked()
	}
	return openRecord(w.key[:], domainRecord, purpose, id, sealed)
}

// MAC returns the 32-byte HMAC-SHA-256 of the data for one purpose; purpose and
// pieces are each preceded by their length, so that ("ab","c") and ("a","bc")
// differ. After Zero it panics: a keyed hash under no key would find nobody's row
// and reveal everybody's.
func (w *Works) MAC(purpose string, data ...[]byte) []byte {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.zeroed {
		panic("seal: MAC after Zero")
	}
	h := hmac.New(sha256.New, w.mac[:])
	var size [8]byte
	part := func(b []byte) {
		binary.BigEndian.PutUint64(size[:], uint64(len(b)))
		h.Write(size[:])
		h.Write(b)
	}
	part([]byte(purpose))
	for _, d := range data {
		part(d)
	}
	return h.Sum(nil)
}

// Zero wipes the key; every later use fails.
func (w *Works) Zero() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.zeroed = true
	clear(w.key[:])
	clear(w.mac[:])
}
