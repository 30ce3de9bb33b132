package blob_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/fault"
)

func TestASinkMovesToABlobWhenItOutgrowsItsRow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		size, inline int
		blob         bool
	}{{0, 8, false}, {8, 8, false}, {9, 8, true}, {1, -1, true}, {5000, 8, true}} {
		store, err := blob.OpenFS(t.TempDir(), blob.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := blob.NewSink(t.Context(), store, "corps", c.inline)
		want := bytes.Repeat([]byte("x"), c.size)
		for part := range bytes.SplitAfterSeq(want, nil) { // octet by octet
			if _, err := s.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, key := s.Kept()
		if (key != "") != c.blob {
			t.Errorf("%d octets with room for %d: key %q", c.size, c.inline, key)
		}
		if c.blob {
			r, err := s.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got, err = io.ReadAll(io.NewSectionReader(r, 0, r.Size())); err != nil {
				t.Fatal(err)
			}
			_ = r.Close()
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d octets with room for %d came back as %d", c.size, c.inline, len(got))
		}
		s.Abort() // after Commit it takes nothing back
		if c.blob {
			if _, err := store.Open(t.Context(), key); err != nil {
				t.Errorf("abort after commit: %v", err)
			}
			s.Remove(t.Context())
			if _, err := store.Open(t.Context(), key); !fault.Is(err, fault.NotFound) {
				t.Errorf("removed: %v", err)
			}
		}
		_ = store.Close()
	}
}
