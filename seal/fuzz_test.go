package seal_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
)

// fixedKey is the same in every process of a fuzz run.
func fixedKey() seal.SessionKey { return seal.FixedSessionKey([32]byte{0: 7, 31: 9}) }

// FuzzBodyReader gives damaged bodies to the reader: what it hands out is what was
// sealed, or nothing.
func FuzzBodyReader(f *testing.F) {
	whole := letterOf(segment + 3000)
	for _, size := range []int{0, 1, 2048, 5000, segment + 3000} {
		sealed := sealBytes(f, fixedKey(), "body", whole[:size])
		f.Add(sealed, int64(size))
		f.Add(sealed[:len(sealed)/2], int64(size))
		f.Add(bytes.ReplaceAll(sealed, []byte{0}, []byte{1}), int64(size))
	}
	f.Fuzz(func(t *testing.T, sealed []byte, plain int64) {
		r, err := seal.NewBodyReader(bytes.NewReader(sealed), int64(len(sealed)), plain, fixedKey(), "body")
		if err != nil {
			if !fault.Is(err, fault.Internal) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		got, err := io.ReadAll(io.NewSectionReader(r, 0, plain))
		if !bytes.HasPrefix(whole, got) {
			t.Fatal("bytes came out that nobody sealed")
		}
		if err != nil && fault.Reason(err) != "body-broken" {
			t.Fatalf("refused with %v", err)
		}
		if err == nil && int64(len(got)) != plain {
			t.Fatalf("%d bytes of %d, without an error", len(got), plain)
		}
	})
}

// FuzzParsePublicKey wants one form per key, and a wrap or a fault from each.
func FuzzParsePublicKey(f *testing.F) {
	ring, err := seal.FixedSpace("space", rand.NewChaCha8([32]byte{5}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(ring.Letters().Bytes())
	f.Add(ring.SecretKeyPackets()[:44])
	f.Add([]byte{0xCE, 42, 6})
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := seal.ParsePublicKey(raw)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if !bytes.Equal(p.Bytes(), raw) {
			t.Fatalf("%x comes back as %x", raw, p.Bytes())
		}
		if wrapped, err := p.Wrap(fixedKey(), "body"); err == nil && len(wrapped) != 140 {
			t.Fatalf("a wrap of %d bytes", len(wrapped))
		}
	})
}

// FuzzUnwrap gives damaged wraps to a space: what opens is the key that was wrapped.
func FuzzUnwrap(f *testing.F) {
	ring, err := seal.FixedSpace("space", rand.NewChaCha8([32]byte{5}))
	if err != nil {
		f.Fatal(err)
	}
	wrapped, err := ring.Letters().Wrap(fixedKey(), "body")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wrapped, "body")
	f.Add(wrapped[:111], "body")
	f.Add(bytes.Repeat(wrapped, 2), "")
	f.Add([]byte("\xc1\x6d\x06\x21\x06"), "body")
	f.Fuzz(func(t *testing.T, wrapped []byte, id string) {
		k, err := ring.Unwrap(wrapped, id)
		if err != nil {
			if !fault.Is(err, fault.Internal) || fault.Reason(err) != "key-wrap-broken" {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if id != "body" || !k.Equal(fixedKey()) {
			t.Fatalf("another key comes out, for %q", id)
		}
	})
}
