package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// Opener opens the store that lives at a place. The place is a fresh folder, or a
// name to derive one from; opening it again is what happens after a crash.
type Opener func(t *testing.T, place string) blob.Store

// Run holds a store to the contract.
func Run(t *testing.T, open Opener) {
	for name, test := range map[string]func(*testing.T, Opener){
		"a committed body comes back":       comesBack,
		"a body is invisible before commit": invisible,
		"an aborted body never was":         aborted,
		"commit and abort happen once":      once,
		"a body is never replaced":          neverReplaced,
		"a missing body is not found":       missing,
		"a deleted body is gone":            deleted,
		"bad keys are refused":              badKeys,
		"a caller that left is not served":  cancelled,
		"a restart keeps what is committed": restart,
		"listing is ordered and paged":      listing,
		"listing survives deletion":         listingWhileDeleting,
		"readers share a body":              concurrentReaders,
		"writers do not disturb each other": concurrentWriters,
		"writers of one key: one wins":      concurrentWritersOfOneKey,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

// newKey returns a key as delivery makes them.
func newKey() blob.Key { return blob.Key(identity.NewID()) }

// put commits a body.
func put(t *testing.T, s blob.Store, key blob.Key, body []byte) {
	t.Helper()
	w, err := s.Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// get reads a whole body.
func get(t *testing.T, s blob.Store, key blob.Key) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	body := make([]byte, r.Size())
	if n, err := r.ReadAt(body, 0); n != len(body) || err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("read %d of %d bytes: %v", n, len(body), err)
	}
	return body
}

// mustMiss wants a key to name nothing.
func mustMiss(t *testing.T, s blob.Store, key blob.Key) {
	t.Helper()
	if _, err := s.Open(t.Context(), key); !fault.Is(err, fault.NotFound) || fault.Reason(err) != "blob-missing" {
		t.Errorf("open: %v, want blob-missing", err)
	}
	page, err := s.List(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range page {
		if info.Key == key {
			t.Error("the listing shows it")
		}
	}
}

func comesBack(t *testing.T, open Opener) {
	s := open(t, t.TempDir())
	for _, size := range []int{0, 1, 4096, 1<<20 + 17} {
		key, body := newKey(), bytes.Repeat([]byte("0123456789abcdef~"), size/17+1)[:size]
		put(t, s, key, body)
		if !bytes.Equal(get(t, s, key), body) {
			t.Errorf("%d bytes: others came back", size)
		}
		r, err := s.Open(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Size(); got != int64(size) {
			t.Errorf("Size %d, want %d", got, size)
		}
		if n, err := r.ReadAt(make([]byte, 1), int64(size)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("past the end: %d, %v", n, err)
		}
		if size > 100 {
			p := make([]byte, 50)
			if _, err := r.ReadAt(p, int64(size/2)); err != nil || !bytes.Equal(p, body[size/2:size/2+50]) {
				t.Errorf("in the middle: %q, %v", p, err)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func invisible(t *testing.T, open Opener) {
	s, key := open(t, t.TempDir()), newKey()
	w, err := s.Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	mustMiss(t, s, key)
	if _, err := w.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	mustMiss(t, s, key)
}

func aborted(t *testing.T, open Opener) {
	s, key := open(t, t.TempDir()), newKey()
	w, err := s.Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("body")); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	w.Abort()
	if err := w.Commit(t.Context()); err == nil {
		t.Error("commit after abort works")
	}
	if _, err := w.Write([]byte("more")); err == nil {
		t.Error("write after abort works")
	}
	mustMiss(t, s, key)
	put(t, s, key, []byte("second try"))
}

func once(t *testing.T, open Opener) {
	s, key := open(t, t.TempDir()), newKey()
	w, err := s.Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("body")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Commit(t.Context()), w.Commit(t.Context())); err != nil {
		t.Errorf("committing twice: %v", err)
	}
	w.Abort()
	if _, err := w.Write([]byte("more")); err == nil {
		t.Error("write after commit works")
	}
	if err := w.Commit(t.Context()); err != nil {
		t.Errorf("commit after a refused write: %v", err)
	}
	if got := get(t, s, key); string(got) != "body" {
		t.Errorf("got %q", got)
	}
}

func neverReplaced(t *testing.T, open Opener) {
	s, key := open(t, t.TempDir()), newKey()
	late, err := s.Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	put(t, s, key, []byte("first"))
	for range 2 {
		if err := late.Commit(t.Context()); !fault.Is(err, fault.Conflict) || fault.Reason(err) != "blob-exists" {
			t.Errorf("late commit: %v", err)
		}
	}
	late.Abort()
	if _, err := s.Create(t.Context(), key); !fault.Is(err, fault.Conflict) || fault.Reason(err) != "blob-exists" {
		t.Errorf("create of an existing key: %v", err)
	}
	if got := get(t, s, key); string(got) != "first" {
		t.Errorf("got %q", got)
	}
}

func missing(t *testing.T, open Opener) {
	s := open(t, t.TempDir())
	mustMiss(t, s, newKey())
	mustMiss(t, s, "a")
	if err := s.Delete(t.Context(), newKey()); err != nil {
		t.Errorf("deleting what is not there: %v", err)
	}
}

func deleted(t *testing.T, open Opener) {
	s, key := open(t, t.TempDir()), newKey()
	put(t, s, key, []byte("body"))
	for range 2 {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		mustMiss(t, s, key)
	}
	put(t, s, key, []byte("again"))
	if got := get(t, s, key); string(got) != "again" {
		t.Errorf("got %q", got)
	}
}

func badKeys(t *testing.T, open Opener) {
	s := open(t, t.TempDir())
	long := blob.Key(bytes.Repeat([]byte("a"), blob.MaxKey+1))
	for _, key := range []blob.Key{"", ".", "..", "../x", "/etc/passwd", "a/b", "a\\b", "a.b", ".tmp", "a\x00b", "é", "a b", long} {
		_, e1 := s.Create(t.Context(), key)
		_, e2 := s.Open(t.Context(), key)
		e3 := s.Delete(t.Context(), key)
		errs := []error{e1, e2, e3}
		if key != "" { // the listing's beginning
			_, e4 := s.List(t.Context(), key, 0)
			errs = append(errs, e4)
		}
		for i, err := range errs {
			if !fault.Is(err, fault.Invalid) || fault.Reason(err) != "blob-key" {
				t.Errorf("key %.20q, call %d: %v", key, i+1, err)
			}
		}
	}
	for _, key := range []blob.Key{"a", "-", "_Z9", "abcd", "abcdef", long[:blob.MaxKey]} {
		put(t, s, key, []byte(key))
		if got := get(t, s, key); string(got) != string(key) {
			t.Errorf("key %q: got %q", key, got)
		}
	}
}

func cancelled(t *testing.T, open Opener) {
	s, key := open(t, t.TempDir()), newKey()
	ctx, cancel := context.WithCancel(t.Context())
	w, err := s.Create(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	put(t, s, newKey(), []byte("other"))
	cancel()
	_, e1 := s.Create(ctx, newKey())
	_, e2 := s.Open(ctx, key)
	_, e3 := s.List(ctx, "", 0)
	for i, err := range []error{w.Commit(ctx), e1, e2, e3, s.Delete(ctx, key)} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("call %d: %v", i+1, err)
		}
	}
	mustMiss(t, s, key)
}

func restart(t *testing.T, open Opener) {
	place, key, lost := t.TempDir(), newKey(), newKey()
	s := open(t, place)
	put(t, s, key, []byte("body"))
	w, err := s.Create(t.Context(), lost)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("never committed")); err != nil {
		t.Fatal(err)
	}
	again := open(t, place) // the first one crashed: nobody called Abort
	if got := get(t, again, key); string(got) != "body" {
		t.Errorf("got %q", got)
	}
	mustMiss(t, again, lost)
	put(t, again, lost, []byte("retried"))
	if got := get(t, again, lost); string(got) != "retried" {
		t.Errorf("got %q", got)
	}
}
