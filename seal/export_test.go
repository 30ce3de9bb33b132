package seal

import (
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/x25519"
)

// SegmentBytes is the sealed size of a segment of n bytes.
func SegmentBytes(n int64) int64 { return segmentSize(n) }

// FixedSessionKey returns the session key of known bytes.
func FixedSessionKey(b [32]byte) SessionKey {
	k, err := sessionKeyOf(b[:])
	if err != nil {
		panic(err)
	}
	return k
}

// FixedSpace returns a space whose letters pair comes from r: the same in every
// process of a fuzz run.
func FixedSpace(id string, r io.Reader) (*Keyring, error) {
	p, err := newPair(r)
	if err != nil {
		return nil, err
	}
	return &Keyring{id: id, letters: p}, nil
}

// SecretKeyPackets returns the transferable secret key of the letters pair.
func (r *Keyring) SecretKeyPackets() []byte { return r.letters.raw }

// Secrets returns the memory that Zero must wipe.
func (r *Keyring) Secrets() [][]byte {
	out := [][]byte{r.sym[:]}
	for _, p := range []*pair{r.letters, r.vault} {
		if p != nil {
			out = append(out, p.secrets()...)
		}
	}
	return out
}

// Secrets returns the memory that Zero must wipe.
func (t *TransitKey) Secrets() [][]byte { return t.pair.secrets() }

// Secrets returns the memory that Zero must wipe.
func (w *Works) Secrets() [][]byte { return [][]byte{w.key[:], w.mac[:]} }

// Secrets returns the memory that Zero must wipe.
func (k SessionKey) Secrets() [][]byte { return [][]byte{k.secret.bytes[:]} }

func (p *pair) secrets() [][]byte {
	return [][]byte{p.raw, p.private.PrivateKey.(*x25519.PrivateKey).Secret}
}
