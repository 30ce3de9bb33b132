package seal_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/vaguemestre/vaguemestre/seal"
)

const (
	large = 64 << 20
	// maxLive is the live heap that sealing or opening a large body may add: one
	// segment, buffers, and what the libraries hold.
	maxLive = 2 << 20
	// maxPerMiB is what may be allocated per MiB of plaintext in all.
	maxPerMiB = 512 << 10
)

// heap watches the live heap while something runs.
type heap struct {
	base, most  uint64
	total       uint64
	next, every int64
}

func watchHeap() *heap {
	h := &heap{every: 8 << 20}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	h.base, h.total = m.HeapAlloc, m.TotalAlloc
	return h
}

// at looks at the live heap once every few MiB.
func (h *heap) at(n int64) {
	if n < h.next {
		return
	}
	h.next = n + h.every
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	h.most = max(h.most, m.HeapAlloc)
}

func (h *heap) check(t *testing.T, what string) {
	t.Helper()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	live, perMiB := int64(h.most-h.base), int64(m.TotalAlloc-h.total)/(large>>20)
	t.Logf("%s of 64 MiB: %d KiB live, %d KiB allocated per MiB", what, live>>10, perMiB>>10)
	if live > maxLive {
		t.Errorf("%s holds %d bytes, want at most %d", what, live, maxLive)
	}
	if perMiB > maxPerMiB {
		t.Errorf("%s allocates %d bytes per MiB, want at most %d", what, perMiB, maxPerMiB)
	}
}

// TestMemoryIsBounded is not parallel: it measures the heap of the process.
func TestMemoryIsBounded(t *testing.T) { //nolint:paralleltest // measures the process
	f, err := os.Create(filepath.Join(t.TempDir(), "body"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	k, piece := seal.NewSessionKey(), letterOf(48_000)

	h := watchHeap()
	w := seal.NewBodyWriter(f, k, "body")
	for w.Plain() < large {
		if _, err := w.Write(piece[:min(large-w.Plain(), int64(len(piece)))]); err != nil {
			t.Fatal(err)
		}
		h.at(w.Plain())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	h.check(t, "sealing")

	h = watchHeap()
	r, err := seal.NewBodyReader(f, w.Sealed(), w.Plain(), k, "body")
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 32<<10)
	for off := int64(0); off < large; off += int64(len(buf)) {
		if _, err := r.ReadAt(buf, off); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		h.at(off)
	}
	h.check(t, "opening")
	runtime.KeepAlive(w)
}
