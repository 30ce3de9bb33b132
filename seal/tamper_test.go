package seal_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
)

// sealedSegments cuts a sealed body at its segments.
func sealedSegments(sealed []byte) [][]byte {
	var out [][]byte
	for full := int(seal.SegmentBytes(segment)); len(sealed) > 0; {
		n := min(full, len(sealed))
		out = append(out, sealed[:n:n])
		sealed = sealed[n:]
	}
	return out
}

// mustBreak reads a whole body and wants it refused.
func mustBreak(t *testing.T, k seal.SessionKey, id string, sealed []byte, plain int) {
	t.Helper()
	r, err := seal.NewBodyReader(bytes.NewReader(sealed), int64(len(sealed)), int64(plain), k, id)
	if err == nil {
		_, err = io.Copy(io.Discard, io.NewSectionReader(r, 0, int64(max(plain, 1))))
	}
	if !fault.Is(err, fault.Internal) || fault.Reason(err) != "body-broken" {
		t.Errorf("got %v, want body-broken", err)
	}
}

func TestReorderedSegmentsAreFound(t *testing.T) {
	t.Parallel()
	k := seal.NewSessionKey()
	s := sealedSegments(sealBytes(t, k, "body", letterOf(3*segment)))
	mustBreak(t, k, "body", bytes.Join([][]byte{s[1], s[0], s[2]}, nil), 3*segment)
	mustBreak(t, k, "body", bytes.Join([][]byte{s[0], s[0], s[2]}, nil), 3*segment)
}

func TestTruncationIsFound(t *testing.T) {
	t.Parallel()
	k := seal.NewSessionKey()
	const plain = 2*segment + 1000
	sealed := sealBytes(t, k, "body", letterOf(plain))
	s := sealedSegments(sealed)
	t.Run("sizes untouched", func(t *testing.T) {
		r, err := seal.NewBodyReader(bytes.NewReader(sealed[:len(sealed)-1]), int64(len(sealed)), plain, k, "body")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.ReadAt(make([]byte, 1), plain-1); fault.Reason(err) != "body-broken" {
			t.Errorf("got %v, want body-broken", err)
		}
	})
	t.Run("one size adjusted", func(t *testing.T) { mustBreak(t, k, "body", sealed[:len(sealed)-1], plain) })
	t.Run("both sizes adjusted", func(t *testing.T) {
		mustBreak(t, k, "body", bytes.Join(s[:2], nil), 2*segment)
		mustBreak(t, k, "body", s[0], segment)
		mustBreak(t, k, "body", sealed[:seal.BodySize(500)], 500)
	})
	t.Run("a shorter plaintext claimed", func(t *testing.T) {
		small := sealBytes(t, k, "small", letterOf(1000))
		mustBreak(t, k, "small", small, 999)
	})
	t.Run("nothing left", func(t *testing.T) { mustBreak(t, k, "body", nil, 0) })
}

func TestAppendedSegmentsAreFound(t *testing.T) {
	t.Parallel()
	k := seal.NewSessionKey()
	s := sealedSegments(sealBytes(t, k, "body", letterOf(2*segment)))
	more := sealedSegments(sealBytes(t, k, "body", letterOf(4*segment)))
	// A second body under the same key and id: each segment is genuine, and the
	// end of the first body shows.
	mustBreak(t, k, "body", bytes.Join([][]byte{s[0], s[1], more[2], more[3]}, nil), 4*segment)
	mustBreak(t, k, "body", bytes.Join([][]byte{s[0], s[1], s[1]}, nil), 3*segment)
	small := sealBytes(t, k, "small", letterOf(1000))
	mustBreak(t, k, "small", append(bytes.Clone(small), small...), 1000)
	mustBreak(t, k, "small", append(bytes.Clone(small), 0), 1000)
}

func TestSegmentsOfAnotherBodyAreFound(t *testing.T) {
	t.Parallel()
	k := seal.NewSessionKey()
	a := sealedSegments(sealBytes(t, k, "body-a", letterOf(2*segment)))
	b := sealedSegments(sealBytes(t, k, "body-b", letterOf(2*segment)))
	mustBreak(t, k, "body-a", bytes.Join([][]byte{a[0], b[1]}, nil), 2*segment)
	mustBreak(t, k, "body-b", bytes.Join(a, nil), 2*segment)
	other := seal.NewSessionKey()
	mustBreak(t, other, "body-a", bytes.Join(a, nil), 2*segment)
	// Ids that are each other's beginning are different names.
	mustBreak(t, k, "body-", bytes.Join(a, nil), 2*segment)
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	t.Parallel()
	k := seal.NewSessionKey()
	for _, size := range []int{0, 1000} {
		sealed := sealBytes(t, k, "body", letterOf(size))
		for i := range 8 * len(sealed) {
			broken := bytes.Clone(sealed)
			broken[i/8] ^= 1 << (i % 8)
			mustBreak(t, k, "body", broken, size)
		}
	}
	const big = 2*segment + 5000
	sealed := sealBytes(t, k, "body", letterOf(big))
	for i := 0; i < len(sealed); i += 9973 {
		broken := bytes.Clone(sealed)
		broken[i] ^= 0x80
		mustBreak(t, k, "body", broken, big)
	}
}

// TestABrokenSegmentSpoilsOnlyItself reads on both sides of one.
func TestABrokenSegmentSpoilsOnlyItself(t *testing.T) {
	t.Parallel()
	k, plain := seal.NewSessionKey(), letterOf(3*segment)
	sealed := sealBytes(t, k, "body", plain)
	sealed[seal.SegmentBytes(segment)+5000] ^= 1
	r := openBytes(t, k, "body", sealed, len(plain))
	for i, want := range []bool{true, false, true} {
		p := make([]byte, segment)
		_, err := r.ReadAt(p, int64(i*segment))
		if got := err == nil && bytes.Equal(p, plain[i*segment:(i+1)*segment]); got != want {
			t.Errorf("segment %d readable: %v, want %v (%v)", i, got, want, err)
		}
		if err != nil && bytes.Contains(p, plain[i*segment:i*segment+64]) {
			t.Errorf("segment %d: unauthenticated plaintext was handed out", i)
		}
	}
}
