package seal

import (
	"bytes"
	"errors"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/ProtonMail/go-crypto/openpgp/x25519"

	"github.com/vaguemestre/vaguemestre/fault"
)

const (
	// tagPrivateSubkey is the packet type of a private subkey (RFC 9580 5.5.1.4).
	tagPrivateSubkey = 7
	// headPKESK is how our PKESK packets begin (RFC 9580 5.1.1): type 1, length 109,
	// version 6, 33 bytes of key version 6 and fingerprint. The library does not
	// look at all of it.
	headPKESK = "\xc1\x6d\x06\x21\x06"
)

// pair is one OpenPGP v6 key pair: Ed25519 primary key, X25519 subkey. In memory
// it holds the subkey alone; the whole transferable secret key stays beside it in
// its serialised form, so that an export gives the holder a key other programs take.
type pair struct {
	private *packet.PrivateKey
	public  *PublicKey
	raw     []byte
}

// cipherConfig names every algorithm: the library's defaults are RSA keys, OCB and
// chunks of 256 KiB.
func cipherConfig() *packet.Config {
	return &packet.Config{
		V6Keys:        true,
		Algorithm:     packet.PubKeyAlgoEd25519,
		DefaultCipher: packet.CipherAES256,
		AEADConfig:    &packet.AEADConfig{DefaultMode: packet.AEADModeGCM, ChunkSize: chunkSize},
	}
}

// newPair makes a key pair (about 0.2 ms) from a source of randomness; nil is the
// system's.
func newPair(random io.Reader) (*pair, error) {
	config := cipherConfig()
	config.Rand = random
	entity, err := openpgp.NewEntityWithoutId(config)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "key-pair-failed", err)
	}
	var raw bytes.Buffer
	raw.Grow(1024) // so that no grown-out-of buffer keeps a copy
	if err := entity.SerializePrivateWithoutSigning(&raw, nil); err != nil {
		return nil, fault.Wrap(fault.Internal, "key-pair-failed", err)
	}
	return parsePair(raw.Bytes())
}

// parsePair takes a transferable secret key over and finds its X25519 subkey. It
// verifies no signature: the bytes come out of an authenticated wrap.
func parsePair(raw []byte) (*pair, error) {
	packets := packet.NewOpaqueReader(bytes.NewReader(raw))
	for {
		o, err := packets.Next()
		if errors.Is(err, io.EOF) {
			return nil, fault.New(fault.Internal, "key-pair-broken")
		}
		if err != nil {
			return nil, fault.Wrap(fault.Internal, "key-pair-broken", err)
		}
		if o.Tag != tagPrivateSubkey {
			clear(o.Contents)
			continue
		}
		p, err := o.Parse()
		clear(o.Contents)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, "key-pair-broken", err)
		}
		private, ok := p.(*packet.PrivateKey)
		if !ok || private.Version != 6 || private.PubKeyAlgo != packet.PubKeyAlgoX25519 || private.Encrypted {
			return nil, fault.New(fault.Internal, "key-pair-broken")
		}
		public, err := newPublicKey(&private.PublicKey)
		if err != nil {
			return nil, err
		}
		return &pair{private: private, public: public, raw: raw}, nil
	}
}

// unwrap opens what PublicKey.Wrap made for this pair and this body. A wrap for
// another key or another body, or a damaged one, is fault.Internal "key-wrap-broken".
func (p *pair) unwrap(wrapped []byte, bodyID string) (SessionKey, error) {
	if !bytes.HasPrefix(wrapped, []byte(headPKESK)) {
		return SessionKey{}, fault.New(fault.Internal, "key-wrap-broken")
	}
	r := bytes.NewReader(wrapped)
	read, err := packet.Read(r)
	if err != nil {
		return SessionKey{}, fault.Wrap(fault.Internal, "key-wrap-broken", err)
	}
	e, ok := read.(*packet.EncryptedKey)
	if !ok || e.Version != 6 || e.KeyVersion != 6 || e.Algo != packet.PubKeyAlgoX25519 {
		return SessionKey{}, fault.New(fault.Internal, "key-wrap-broken")
	}
	if err := e.Decrypt(p.private, nil); err != nil {
		return SessionKey{}, fault.Wrap(fault.Internal, "key-wrap-broken", err)
	}
	k, err := sessionKeyOf(e.Key)
	if err != nil {
		return SessionKey{}, err
	}
	if _, err := k.OpenRecord(bindPurpose, bodyID, wrapped[len(wrapped)-r.Len():]); err != nil {
		k.Zero()
		return SessionKey{}, fault.Wrap(fault.Internal, "key-wrap-broken", err)
	}
	return k, nil
}

// zero wipes the private half, parsed and serialised.
func (p *pair) zero() {
	if p == nil {
		return
	}
	clear(p.raw)
	if secret, ok := p.private.PrivateKey.(*x25519.PrivateKey); ok {
		clear(secret.Secret)
	}
}
