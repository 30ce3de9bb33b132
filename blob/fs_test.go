package blob_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/blob/blobtest"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

func TestContract(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T, place string) blob.Store {
		t.Helper()
		s, err := blob.Open("file:"+place, options(t))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// options fails the test where the default would end the process.
func options(t *testing.T) blob.Options {
	return blob.Options{Fatal: func(err error) { t.Errorf("fatal: %v", err) }}
}

// trial is a disk that records its flushes and fails on demand.
type trial struct {
	blob.RealDisk
	mu     sync.Mutex
	synced []string
	sync   func(f *os.File) error
	write  func(f *os.File, p []byte) (int, error)
}

func (d *trial) Sync(f *os.File) error {
	d.mu.Lock()
	d.synced = append(d.synced, f.Name())
	d.mu.Unlock()
	if d.sync != nil {
		return d.sync(f)
	}
	return d.RealDisk.Sync(f)
}

func (d *trial) Write(f *os.File, p []byte) (int, error) {
	if d.write != nil {
		return d.write(f, p)
	}
	return d.RealDisk.Write(f, p)
}

func openOn(t *testing.T, dir string, o blob.Options, d blob.Disk) *blob.FS {
	t.Helper()
	s, err := blob.OpenFSOn(dir, o, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// put writes one body and returns what went wrong.
func put(t *testing.T, s blob.Store, key blob.Key) error {
	t.Helper()
	w, err := s.Create(t.Context(), key)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write([]byte("body")); err != nil {
		return err
	}
	return w.Commit(t.Context())
}

func TestCommitFlushesFileThenFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	final := filepath.Join(dir, "01k2", "m3", "01k2m3p4")
	d := &trial{}
	s := openOn(t, dir, options(t), d)
	d.sync = func(f *os.File) error {
		_, err := os.Stat(final)
		named := err == nil
		if inTmp := strings.Contains(f.Name(), ".tmp"); inTmp && named {
			t.Error("the body has its name before its bytes are flushed")
		}
		if f.Name() == filepath.Dir(final) && !named {
			t.Error("the folder is flushed before the body has its name")
		}
		return nil
	}
	d.synced = nil
	before := s.Flushes()
	if err := put(t, s, "01k2m3p4"); err != nil {
		t.Fatal(err)
	}
	outer := filepath.Join(dir, "01k2")
	inner := filepath.Join(outer, "m3")
	got := d.synced[1:]
	// Two new folders, each flushed into its parent, then the body's own.
	if want := []string{dir, outer, inner}; !slices.Equal(got, want) {
		t.Errorf("flushed %v after the file, want %v", got, want)
	}
	if got, want := s.Flushes()-before, int64(4); got != want {
		t.Errorf("%d flushes counted, want %d", got, want)
	}
	d.sync, before = nil, s.Flushes()
	if err := put(t, s, "01k2m3p5"); err != nil {
		t.Fatal(err)
	}
	if got := s.Flushes() - before; got != 2 {
		t.Errorf("a body in a known folder costs %d flushes, want 2", got)
	}
}

// TestAFolderFromBeforeACrashIsFlushedAgain restarts on folders whose entries may
// never have been flushed.
func TestAFolderFromBeforeACrashIsFlushedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "01k2", "m3"), 0o700); err != nil {
		t.Fatal(err)
	}
	d := &trial{}
	s := openOn(t, dir, options(t), d)
	d.synced = nil
	if err := put(t, s, "01k2m3p4"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{dir, filepath.Join(dir, "01k2"), filepath.Join(dir, "01k2", "m3")} {
		if !slices.Contains(d.synced, want) {
			t.Errorf("%s was not flushed", want)
		}
	}
}

func TestAFailedFlushEndsTheStore(t *testing.T) {
	t.Parallel()
	eio := &os.PathError{Op: "sync", Path: "x", Err: syscall.EIO}
	for n := 1; n <= 4; n++ { // each flush of the first commit fails once
		t.Run(fmt.Sprintf("flush %d", n), func(t *testing.T) {
			t.Parallel()
			var fatal []error
			d := &trial{}
			s := openOn(t, t.TempDir(), blob.Options{Fatal: func(err error) { fatal = append(fatal, err) }}, d)
			count := 0
			d.sync = func(*os.File) error {
				if count++; count == n {
					return eio
				}
				return nil
			}
			err := put(t, s, "01k2m3p4")
			if !fault.Is(err, fault.Internal) || !errors.Is(err, syscall.EIO) {
				t.Errorf("commit: %v", err)
			}
			if len(fatal) != 1 || !errors.Is(fatal[0], syscall.EIO) {
				t.Errorf("fatal errors %v, want one EIO", fatal)
			}
			if err := put(t, s, "01k2m3p5"); fault.Reason(err) != "blob-store-failed" {
				t.Errorf("the store goes on: %v", err)
			}
			if len(fatal) != 1 || count != n {
				t.Errorf("after the failure: %d fatal errors, %d flushes more", len(fatal), count-n)
			}
		})
	}
}

func TestAWriterOpenAtAFailedFlushDoesNotCommit(t *testing.T) {
	t.Parallel()
	d := &trial{}
	s := openOn(t, t.TempDir(), blob.Options{Fatal: func(error) {}}, d)
	w, err := s.Create(t.Context(), "early")
	if err != nil {
		t.Fatal(err)
	}
	d.sync = func(*os.File) error { return syscall.EIO }
	if err := put(t, s, "failing"); err == nil {
		t.Fatal("a failed flush is not reported")
	}
	d.sync = nil
	if err := w.Commit(t.Context()); fault.Reason(err) != "blob-store-failed" {
		t.Errorf("commit after another's failed flush: %v", err)
	}
}

func TestAFullDiskIsOverQuota(t *testing.T) {
	t.Parallel()
	for _, errno := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		dir := t.TempDir()
		d := &trial{write: func(f *os.File, p []byte) (int, error) {
			n, _ := f.Write(p[:len(p)/2])
			return n, &os.PathError{Op: "write", Path: f.Name(), Err: errno}
		}}
		s := openOn(t, dir, options(t), d)
		w, err := s.Create(t.Context(), "key")
		if err != nil {
			t.Fatal(err)
		}
		n, err := w.Write([]byte("body"))
		if n != 2 || !fault.Is(err, fault.OverQuota) || fault.Reason(err) != "blob-full" {
			t.Errorf("write: %d, %v", n, err)
		}
		if err := w.Commit(t.Context()); fault.Reason(err) != "blob-full" {
			t.Errorf("commit after a failed write: %v", err)
		}
		if left, err := os.ReadDir(filepath.Join(dir, ".tmp")); err != nil || len(left) != 0 {
			t.Errorf("the failed body still takes room: %v, %v", left, err)
		}
		d.write = nil
		if err := put(t, s, "key"); err != nil {
			t.Errorf("when there is room again: %v", err)
		}
	}
}

func TestLeftoversOfACrashAreRemovedByTheFirstAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	leftover := filepath.Join(dir, ".tmp", "01k2m3p4-123")
	if err := os.MkdirAll(filepath.Dir(leftover), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(leftover, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	first := openOn(t, dir, options(t), &trial{})
	if _, err := os.Stat(leftover); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the leftover is still there: %v", err)
	}
	w, err := first.Create(t.Context(), "running")
	if err != nil {
		t.Fatal(err)
	}
	second := openOn(t, dir, options(t), &trial{}) // another process, while the first works
	if _, err := w.Write([]byte("body")); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context()); err != nil {
		t.Errorf("the second to open removed what the first was writing: %v", err)
	}
	if r, err := second.Open(t.Context(), "running"); err != nil || r.Size() != 4 {
		t.Errorf("the second does not see the first's body: %v", err)
	}
}

func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := openOn(t, dir, options(t), &trial{})
	if err := put(t, s, blob.Key(identity.NewID())); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		want := os.FileMode(0o700)
		if !info.IsDir() {
			want, files = 0o600, files+1
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
		return nil
	})
	if err != nil || files != 2 { // the lock and the body
		t.Errorf("%d files, %v", files, err)
	}
}

// TestCommitsShareFolderFlushes lets many commits wait for one slow folder.
func TestCommitsShareFolderFlushes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := &trial{}
	s := openOn(t, dir, options(t), d)
	if err := put(t, s, "01k2m3-first"); err != nil {
		t.Fatal(err)
	}
	folder, flushes := filepath.Join(dir, "01k2", "m3"), 0
	d.sync = func(f *os.File) error {
		if f.Name() == folder {
			d.mu.Lock()
			flushes++
			d.mu.Unlock()
			time.Sleep(20 * time.Millisecond) // a disk
		}
		return nil
	}
	const writers = 32
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			if err := put(t, s, blob.Key(fmt.Sprintf("01k2m3-%d", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if flushes >= writers {
		t.Errorf("%d commits took %d flushes of their folder", writers, flushes)
	}
}

func TestOpenNamesItsScheme(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"s3://bucket/prefix": "blob-scheme-not-built", "s3:": "blob-scheme-not-built",
		"http://x": "blob-scheme-unknown", "": "blob-scheme-unknown", "file": "blob-folder-missing", "file:": "blob-folder-missing",
	} {
		if s, err := blob.Open(url, blob.Options{}); !fault.Is(err, fault.Invalid) || fault.Reason(err) != want || s != nil {
			t.Errorf("%q: %v, %v; want %s", url, s, err, want)
		}
	}
	for _, form := range []string{"file:", "file://"} {
		dir := filepath.Join(t.TempDir(), "blob")
		if _, err := blob.Open(form+dir, options(t)); err != nil {
			t.Errorf("%s%s: %v", form, dir, err)
		}
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := blob.Open("file:"+file, options(t)); err == nil {
		t.Error("a file opens as a store")
	}
}
