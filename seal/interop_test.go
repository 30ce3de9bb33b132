package seal_test

import (
	"bytes"
	"io"
	"testing"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/vaguemestre/vaguemestre/seal"
)

// TestOtherProgramsReadOurBodies gives the packets of a row and a body to an OpenPGP
// reader that knows nothing of us: the space's exported key, the row's wrap, and a
// segment make an OpenPGP message (RFC 9580 10.3).
func TestOtherProgramsReadOurBodies(t *testing.T) {
	t.Parallel()
	ring, err := seal.NewSpace("space", false)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := openpgp.ReadKeyRing(bytes.NewReader(ring.SecretKeyPackets()))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 2048, segment, 2*segment + 5} {
		k, plain := seal.NewSessionKey(), letterOf(size)
		sealed := sealBytes(t, k, "body", plain)
		wrapped, err := ring.Letters().Wrap(k, "body")
		if err != nil {
			t.Fatal(err)
		}
		pkesk := wrapped[:len(wrapped)-seal.RecordOverhead]
		message := io.MultiReader(bytes.NewReader(pkesk), bytes.NewReader(sealedSegments(sealed)[0]))
		read, err := openpgp.ReadMessage(message, keys, nil, nil)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		got, err := io.ReadAll(read.UnverifiedBody)
		if err != nil || !bytes.Equal(got, plain[:min(size, segment)]) {
			t.Errorf("%d bytes: other bytes came back (%v)", size, err)
		}
		want := "00000000.body"
		if size > segment {
			want = "00000000+body"
		}
		if name := read.LiteralData.FileName; len(name) != 73 || name[:len(want)] != want {
			t.Errorf("%d bytes: literal name %q, want %s///", size, name, want)
		}
	}
}
