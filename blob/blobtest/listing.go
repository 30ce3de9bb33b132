package blobtest

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/fault"
)

// pages lists everything, limit keys at a time.
func pages(t *testing.T, s blob.Store, limit int) []blob.Info {
	t.Helper()
	var all []blob.Info
	for after := blob.Key(""); ; {
		page, err := s.List(t.Context(), after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		if limit > 0 && len(page) > limit {
			t.Fatalf("a page of %d, want at most %d", len(page), limit)
		}
		all = append(all, page...)
		after = page[len(page)-1].Key
	}
}

func listing(t *testing.T, open Opener) {
	s := open(t, t.TempDir())
	// Keys that share beginnings, that are each other's beginning, and that sort by
	// bytes, not by letters.
	keys := []blob.Key{
		"a", "ab", "abc", "abcd", "abcd-", "abcd-x", "abcd0", "abcde", "abcdef", "abcdeg", "abcdef-1", "abcdef01",
		"Zz", "zz", "z-", "z_", "0", "00000000", "-", "--------", "__", "b-b-b-b-b", "abce",
	}
	for range 20 {
		keys = append(keys, newKey())
	}
	for _, key := range keys {
		put(t, s, key, []byte(key))
	}
	slices.Sort(keys)
	for _, limit := range []int{1, 2, 7, len(keys), len(keys) + 1, 0, -1} {
		all := pages(t, s, limit)
		var got []blob.Key
		for _, info := range all {
			got = append(got, info.Key)
			if info.Size != int64(len(info.Key)) {
				t.Errorf("%s: size %d, want %d", info.Key, info.Size, len(info.Key))
			}
			if age := time.Since(info.Modified); age < -time.Minute || age > time.Hour {
				t.Errorf("%s: modified %v ago", info.Key, age)
			}
		}
		if !slices.Equal(got, keys) {
			t.Errorf("pages of %d:\n got %v\nwant %v", limit, got, keys)
		}
	}
	// A start that is no body's key.
	page, err := s.List(t.Context(), "abcde0", 2)
	if err != nil || len(page) != 2 || page[0].Key != "abcdef" || page[1].Key != "abcdef-1" {
		t.Errorf("from between two keys: %v, %v", page, err)
	}
}

func listingWhileDeleting(t *testing.T, open Opener) {
	s := open(t, t.TempDir())
	const bodies = 30
	for range bodies {
		put(t, s, newKey(), []byte("x"))
	}
	seen := 0
	for after := blob.Key(""); ; {
		page, err := s.List(t.Context(), after, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, info := range page {
			seen++
			if err := s.Delete(t.Context(), info.Key); err != nil {
				t.Fatal(err)
			}
		}
		after = page[len(page)-1].Key
	}
	if left := pages(t, s, 0); seen != bodies || len(left) != 0 {
		t.Errorf("collected %d of %d, %d left", seen, bodies, len(left))
	}
}

func concurrentReaders(t *testing.T, open Opener) {
	s, key := open(t, t.TempDir()), newKey()
	body := make([]byte, 256<<10)
	for i := range body {
		body[i] = byte(i / 256)
	}
	put(t, s, key, body)
	r, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			p := make([]byte, 1000)
			for off := g * 997; off+len(p) < len(body); off += 7919 {
				if _, err := r.ReadAt(p, int64(off)); err != nil || !bytes.Equal(p, body[off:off+len(p)]) {
					t.Errorf("at %d: other bytes (%v)", off, err)
				}
			}
		})
	}
	wg.Wait()
}

func concurrentWriters(t *testing.T, open Opener) {
	s := open(t, t.TempDir())
	const writers, each = 8, 5
	var wg sync.WaitGroup
	keys := make([][]blob.Key, writers)
	for g := range writers {
		wg.Go(func() {
			for i := range each {
				key := newKey()
				w, err := s.Create(t.Context(), key)
				if err != nil {
					t.Error(err)
					return
				}
				_, err = fmt.Fprintf(w, "writer %d body %d", g, i)
				if err == nil {
					err = w.Commit(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
				keys[g] = append(keys[g], key)
			}
		})
	}
	wg.Wait()
	for g := range writers {
		for i, key := range keys[g] {
			if got, want := string(get(t, s, key)), fmt.Sprintf("writer %d body %d", g, i); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	}
	if got := len(pages(t, s, 11)); got != writers*each {
		t.Errorf("%d bodies listed, want %d", got, writers*each)
	}
}

func concurrentWritersOfOneKey(t *testing.T, open Opener) {
	s, key := open(t, t.TempDir()), newKey()
	const writers = 8
	results := make([]error, writers)
	var wg sync.WaitGroup
	for g := range writers {
		wg.Go(func() {
			w, err := s.Create(t.Context(), key)
			if err == nil {
				_, _ = fmt.Fprintf(w, "%d", g)
				err = w.Commit(t.Context())
			}
			results[g] = err
		})
	}
	wg.Wait()
	won := -1
	for g, err := range results {
		switch {
		case err == nil && won < 0:
			won = g
		case err == nil:
			t.Errorf("writers %d and %d both committed", won, g)
		case fault.Reason(err) != "blob-exists":
			t.Errorf("writer %d: %v", g, err)
		}
	}
	if won < 0 {
		t.Fatal("nobody committed")
	}
	if got, want := string(get(t, s, key)), fmt.Sprint(won); got != want {
		t.Errorf("the body is of writer %s, writer %s committed", got, want)
	}
}
