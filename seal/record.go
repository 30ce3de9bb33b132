package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"github.com/vaguemestre/vaguemestre/fault"
)

const (
	// keySize is the size of every symmetric key here, in bytes (AES-256).
	keySize = 32
	// recordVersion is the first byte of every record.
	recordVersion = 1
	// RecordOverhead is what sealing adds to a record, in bytes: version, nonce, tag.
	RecordOverhead = 1 + 12 + 16
)

// domain separates the uses of one secret: no record of one domain opens in another.
type domain string

const (
	domainRecord   domain = "vaguemestre record 1"
	domainRewrap   domain = "vaguemestre rewrap 1"
	domainPlatform domain = "vaguemestre platform 1"
	domainMAC      domain = "vaguemestre mac 1"
)

// label joins domain, purpose and id without ambiguity: each part is preceded by
// its length.
func label(d domain, purpose, id string) []byte {
	out := make([]byte, 0, len(d)+len(purpose)+len(id)+6)
	for _, part := range [...]string{string(d), purpose, id} {
		out = binary.AppendUvarint(out, uint64(len(part)))
		out = append(out, part...)
	}
	return out
}

// recordCipher returns the AEAD of one record: its key is derived for the label
// alone, so that random nonces never meet under one key (NIST SP 800-38D 8.3:
// at most 2^32 of them).
func recordCipher(secret, label []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, string(label), keySize)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "seal-cipher", err)
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "seal-cipher", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "seal-cipher", err)
	}
	return aead, nil
}

// sealRecord returns version | nonce | ciphertext | tag, bound to the label.
func sealRecord(secret []byte, d domain, purpose, id string, plain []byte) ([]byte, error) {
	bound := label(d, purpose, id)
	aead, err := recordCipher(secret, bound)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 1, len(plain)+RecordOverhead)
	out[0] = recordVersion
	return aead.Seal(out, nil, plain, bound), nil
}

// openRecord undoes sealRecord. Anything else than what was sealed under the same
// secret, domain, purpose and id is fault.Internal "record-broken".
func openRecord(secret []byte, d domain, purpose, id string, sealed []byte) ([]byte, error) {
	if len(sealed) < RecordOverhead || sealed[0] != recordVersion {
		return nil, fault.New(fault.Internal, "record-broken")
	}
	bound := label(d, purpose, id)
	aead, err := recordCipher(secret, bound)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, sealed[1:], bound)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "record-broken", err)
	}
	return plain, nil
}
