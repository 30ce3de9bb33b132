package seal_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
)

func newSpool(t *testing.T, dir string) *seal.Spool {
	t.Helper()
	s, err := seal.NewSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSpoolIsReadAnywhere(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 65_536, 300_000} {
		s, plain := newSpool(t, t.TempDir()), letterOf(size)
		if _, err := io.Copy(struct{ io.Writer }{s}, bytes.NewReader(plain)); err != nil {
			t.Fatal(err)
		}
		if got, want := s.Size(), int64(size); got != want {
			t.Errorf("Size %d, want %d", got, want)
		}
		var wg sync.WaitGroup
		for i := range 4 { // concurrent readers
			wg.Go(func() {
				off := i * size / 4
				got, err := io.ReadAll(io.NewSectionReader(s, int64(off), int64(size-off)))
				if err != nil || !bytes.Equal(got, plain[off:]) {
					t.Errorf("%d bytes from %d: other bytes came back (%v)", size, off, err)
				}
			})
		}
		wg.Wait()
		if _, err := s.ReadAt(make([]byte, 1), int64(size)); !errors.Is(err, io.EOF) {
			t.Errorf("past the end: %v", err)
		}
		if _, err := s.Write([]byte("x")); !fault.Is(err, fault.Conflict) || fault.Reason(err) != "spool-read" {
			t.Errorf("writing after a read: %v", err)
		}
	}
}

func TestSpoolLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := newSpool(t, dir)
	if _, err := s.Write(letterOf(200_000)); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("the folder shows %v (%v) while the spool is open", left, err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	_, e1 := s.Write([]byte("x"))
	_, e2 := s.ReadAt(make([]byte, 1), 0)
	if !errors.Is(e1, os.ErrClosed) || !errors.Is(e2, os.ErrClosed) {
		t.Errorf("after Close: %v, %v", e1, e2)
	}
	if _, err := seal.NewSpool(dir + "/missing"); err == nil {
		t.Error("a spool in a missing folder opens")
	}
}
