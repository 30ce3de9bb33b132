package seal_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
)

const segment = seal.SegmentSize

// letterOf returns size bytes that differ everywhere.
func letterOf(size int) []byte {
	out := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(out)
	return out
}

// sizes are the plaintext sizes at which something changes.
var sizes = []int{
	0, 1, 100, 191, 192, 2048, 4095, 4096, 4097, 8191, 8192, 50_000,
	segment - 1, segment, segment + 1, 2 * segment, 3*segment + 777,
}

func TestBodyComesBack(t *testing.T) {
	t.Parallel()
	for _, size := range sizes {
		k, plain := seal.NewSessionKey(), letterOf(size)
		sealed := sealBytes(t, k, "body", plain)
		if got, want := int64(len(sealed)), seal.BodySize(int64(size)); got != want {
			t.Errorf("%d bytes: sealed size %d, BodySize %d", size, got, want)
		}
		r := openBytes(t, k, "body", sealed, size)
		got, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: other bytes came back (%v)", size, err)
		}
		if size > 16 && bytes.Contains(sealed, plain[:16]) {
			t.Errorf("%d bytes: plaintext shows", size)
		}
	}
}

func TestEverySizeHasTheSizeThatBodySizeSays(t *testing.T) {
	t.Parallel()
	k, plain := seal.NewSessionKey(), letterOf(20_000)
	for size := 0; size < len(plain); size += 37 {
		if got, want := len(sealBytes(t, k, "body", plain[:size])), seal.BodySize(int64(size)); int64(got) != want {
			t.Fatalf("%d bytes: sealed size %d, BodySize %d", size, got, want)
		}
	}
	// The package doc states it, and stored bodies depend on it.
	if got, want := seal.SegmentBytes(segment), int64(263_449); got != want {
		t.Errorf("a full segment takes %d bytes, not %d", got, want)
	}
}

func TestWritesOfAnySizeMakeTheSameBody(t *testing.T) {
	t.Parallel()
	plain := letterOf(2*segment + 5000)
	for _, step := range []int{1, 999, 4096, segment - 1, segment, segment + 1, len(plain)} {
		k := seal.NewSessionKey()
		var out bytes.Buffer
		w := seal.NewBodyWriter(&out, k, "body")
		src := io.Reader(bytes.NewReader(plain))
		if step == 1 {
			src = iotest.OneByteReader(src)
		}
		for {
			if _, err := io.CopyN(struct{ io.Writer }{w}, src, int64(step)); err != nil {
				break
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got, want := w.Plain(), int64(len(plain)); got != want {
			t.Errorf("step %d: Plain %d, want %d", step, got, want)
		}
		if got, want := w.Sealed(), int64(out.Len()); got != want || got != seal.BodySize(w.Plain()) {
			t.Errorf("step %d: Sealed %d, %d bytes written", step, got, want)
		}
		if w.Digest() != sha256.Sum256(out.Bytes()) {
			t.Errorf("step %d: digest is of other bytes", step)
		}
		r := openBytes(t, k, "body", out.Bytes(), len(plain))
		if got, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size())); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("step %d: other bytes came back (%v)", step, err)
		}
	}
}

func TestReadAtReadsAnywhere(t *testing.T) {
	t.Parallel()
	k, plain := seal.NewSessionKey(), letterOf(3*segment+777)
	r := openBytes(t, k, "body", sealBytes(t, k, "body", plain), len(plain))
	ref := bytes.NewReader(plain)
	rapid.Check(t, func(t *rapid.T) {
		off := rapid.Int64Range(0, int64(len(plain))+10).Draw(t, "off")
		p := make([]byte, rapid.IntRange(0, segment+10).Draw(t, "len"))
		q := make([]byte, len(p))
		n, err := r.ReadAt(p, off)
		m, refErr := ref.ReadAt(q, off)
		if len(p) == 0 { // both answers are allowed there
			err, refErr = nil, nil
		}
		if n != m || !errors.Is(err, refErr) || !bytes.Equal(p[:n], q[:m]) {
			t.Fatalf("ReadAt(%d bytes, %d) = %d, %v; want %d, %v", len(p), off, n, err, m, refErr)
		}
	})
	if _, err := r.ReadAt(make([]byte, 1), -1); !fault.Is(err, fault.Invalid) {
		t.Errorf("negative offset: %v", err)
	}
}

// TestRandomReadTouchesItsSegmentOnly counts the sealed bytes that a read costs.
func TestRandomReadTouchesItsSegmentOnly(t *testing.T) {
	t.Parallel()
	k, plain := seal.NewSessionKey(), letterOf(10*segment)
	sealed := sealBytes(t, k, "body", plain)
	src := &meter{r: bytes.NewReader(sealed)}
	r, err := seal.NewBodyReader(src, int64(len(sealed)), int64(len(plain)), k, "body")
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := r.ReadAt(make([]byte, 10), 7*segment+12345); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := src.n, seal.SegmentBytes(segment); got != want {
		t.Errorf("read %d sealed bytes, want one segment (%d)", got, want)
	}
}

type meter struct {
	r io.ReaderAt
	n int64
}

func (m *meter) ReadAt(p []byte, off int64) (int, error) {
	n, err := m.r.ReadAt(p, off)
	m.n += int64(n)
	return n, err
}

func TestAStorageErrorIsNoBrokenBody(t *testing.T) {
	t.Parallel()
	k := seal.NewSessionKey()
	down := fault.New(fault.Transient, "store-down")
	r, err := seal.NewBodyReader(failing{down}, seal.BodySize(5), 5, k, "body")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadAt(make([]byte, 5), 0); !errors.Is(err, down) || !fault.Is(err, fault.Transient) {
		t.Errorf("got %v, want the store's own fault", err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }
func (f failing) Write([]byte) (int, error)         { return 0, f.err }

func TestBodyWriterRefuses(t *testing.T) {
	t.Parallel()
	k := seal.NewSessionKey()
	for _, id := range []string{"", "a/b", "é", "a b", string(make([]byte, 65))} {
		w := seal.NewBodyWriter(io.Discard, k, id)
		if _, err := w.Write([]byte("x")); !fault.Is(err, fault.Invalid) {
			t.Errorf("id %q: write gives %v", id, err)
		}
		if err := w.Close(); fault.Reason(err) != "body-id-malformed" {
			t.Errorf("id %q: close gives %v", id, err)
		}
		if _, err := seal.NewBodyReader(bytes.NewReader(nil), seal.BodySize(0), 0, k, id); !fault.Is(err, fault.Invalid) {
			t.Errorf("id %q: reader gives %v", id, err)
		}
	}

	full := fault.New(fault.OverQuota, "blob-full")
	w := seal.NewBodyWriter(failing{full}, k, "body")
	_, err := w.Write(make([]byte, 2*segment))
	if !errors.Is(err, full) || !errors.Is(w.Close(), full) {
		t.Errorf("a full disk is reported as %v, then %v", err, w.Close())
	}

	w = seal.NewBodyWriter(io.Discard, k, "body")
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	w.Abort()
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("a closed writer takes bytes")
	}

	spent := seal.NewSessionKey()
	w = seal.NewBodyWriter(io.Discard, spent, "body")
	spent.Zero()
	if err := w.Close(); fault.Reason(err) != "session-key-spent" {
		t.Errorf("sealing under a wiped key: %v", err)
	}
}

func TestAbortSealsNothing(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := seal.NewBodyWriter(&out, seal.NewSessionKey(), "body")
	if _, err := w.Write([]byte("secret")); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if err := w.Close(); err != nil || out.Len() != 0 {
		t.Errorf("after Abort %d bytes were written (%v)", out.Len(), err)
	}
}
