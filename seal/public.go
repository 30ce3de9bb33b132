package seal

import (
	"bytes"
	"encoding/hex"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/vaguemestre/vaguemestre/fault"
)

const (
	// tagPublicSubkey is the first byte of a public subkey packet (RFC 9580 5.5.1.2).
	tagPublicSubkey = 0xC0 | 14
	// publicKeySize is the size of a v6 X25519 subkey packet, in bytes (RFC 9580
	// 5.5.2.3, 5.5.5.7): header 2, version 1, time 4, algorithm 1, count 4, point 32.
	publicKeySize = 44
	// bindPurpose is the purpose of the empty record that binds a wrap to its body.
	bindPurpose = "wrap"
)

// PublicKey is the encryption half of a key pair: enough to wrap a session key for
// its holder, and nothing else. It is safe for concurrent use.
type PublicKey struct {
	key *packet.PublicKey
	raw []byte
}

// ParsePublicKey parses what Bytes returns: one OpenPGP v6 X25519 public subkey
// packet of 44 bytes. It verifies no signature: the row it comes from is ours.
// Anything else is fault.Invalid "public-key-malformed".
func ParsePublicKey(raw []byte) (*PublicKey, error) {
	if len(raw) != publicKeySize || raw[0] != tagPublicSubkey {
		return nil, fault.New(fault.Invalid, "public-key-malformed")
	}
	p, err := packet.Read(bytes.NewReader(raw))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "public-key-malformed", err)
	}
	key, ok := p.(*packet.PublicKey)
	if !ok || key.Version != 6 || key.PubKeyAlgo != packet.PubKeyAlgoX25519 {
		return nil, fault.New(fault.Invalid, "public-key-malformed")
	}
	public, err := newPublicKey(key)
	if err != nil {
		return nil, err
	}
	// The library overlooks a wrong length in the packet: one key, one form.
	if !bytes.Equal(public.raw, raw) {
		return nil, fault.New(fault.Invalid, "public-key-malformed")
	}
	return public, nil
}

// newPublicKey keeps a parsed key beside its canonical form.
func newPublicKey(key *packet.PublicKey) (*PublicKey, error) {
	var raw bytes.Buffer
	if err := key.Serialize(&raw); err != nil {
		return nil, fault.Wrap(fault.Internal, "public-key-malformed", err)
	}
	return &PublicKey{key: key, raw: raw.Bytes()}, nil
}

// Bytes returns the form that a row keeps.
func (p *PublicKey) Bytes() []byte { return bytes.Clone(p.raw) }

// String returns the first eight bytes of the key's fingerprint, in hex.
func (p *PublicKey) String() string { return hex.EncodeToString(p.key.Fingerprint[:8]) }

// Wrap wraps a session key for the holder of the private half: an OpenPGP v6
// PKESK packet (RFC 9580 5.1.2), then an empty record under the session key that
// binds the wrap to the body, because OpenPGP carries no associated data.
func (p *PublicKey) Wrap(k SessionKey, bodyID string) ([]byte, error) {
	b, err := k.use()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Grow(160)
	err = packet.SerializeEncryptedKeyAEAD(&out, p.key, packet.CipherAES256, true, b, nil)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "key-wrap-failed", err)
	}
	bind, err := k.SealRecord(bindPurpose, bodyID, nil)
	if err != nil {
		return nil, err
	}
	out.Write(bind)
	return out.Bytes(), nil
}
