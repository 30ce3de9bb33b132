package blob

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/vaguemestre/vaguemestre/fault"
)

const (
	// lockName and tmpName start with a dot, which no key may contain.
	lockName = ".lock"
	tmpName  = ".tmp"
	// maxFolders bounds the folders that are remembered as durable; with time-ordered
	// keys two are in use at a time.
	maxFolders = 1024
)

// FS is the store on a file system. Of the processes that have it open, the first
// removes what a crash left.
type FS struct {
	root    string
	disk    disk
	log     *slog.Logger
	fatal   func(error)
	lock    *os.File
	flushes atomic.Int64
	broken  atomic.Bool

	// mu guards folders, which are known to be durable or about to be.
	mu      sync.Mutex
	folders map[string]*folder
}

// disk is what the store asks of the system where a test wants it to fail.
type disk interface {
	Write(f *os.File, p []byte) (int, error)
	Sync(f *os.File) error
}

// realDisk is the disk itself.
type realDisk struct{}

func (realDisk) Write(f *os.File, p []byte) (int, error) { return f.Write(p) }
func (realDisk) Sync(f *os.File) error                   { return f.Sync() }

// OpenFS opens the store in a folder, which is made when missing.
func OpenFS(dir string, o Options) (*FS, error) { return openFS(dir, o, realDisk{}) }

func openFS(dir string, o Options, d disk) (*FS, error) {
	if dir == "" {
		return nil, fault.New(fault.Invalid, "blob-folder-missing")
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s := &FS{
		root: root, disk: d, fatal: o.Fatal, folders: map[string]*folder{},
		log: cmp.Or(o.Logger, slog.New(slog.DiscardHandler)).With("component", "blob"),
	}
	if s.fatal == nil {
		s.fatal = func(error) { os.Exit(1) }
	}
	if err := s.makeFolder(root); err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	if err := s.enter(); err != nil {
		return nil, errors.Join(fmt.Errorf("open blob store: %w", err), s.Close())
	}
	return s, nil
}

// makeFolder makes a folder and those above it, each durable before the next.
func (s *FS) makeFolder(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.makeFolder(filepath.Dir(path)); err != nil {
			return err
		}
		err = os.Mkdir(path, 0o700)
	}
	switch {
	case err == nil:
		return s.syncFolder(filepath.Dir(path))
	case errors.Is(err, fs.ErrExist):
		return nil
	default:
		return noRoom(err)
	}
}

// enter takes the store's lock, and removes leftovers if nobody else is in.
func (s *FS) enter() error {
	var err error
	if s.lock, err = os.OpenFile(filepath.Join(s.root, lockName), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	tmp := filepath.Join(s.root, tmpName)
	if err := syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
		left, _ := os.ReadDir(tmp)
		if err := os.RemoveAll(tmp); err != nil {
			return err
		}
		if len(left) > 0 {
			s.log.Info("blob.leftovers-removed", "count", len(left))
		}
	}
	if err := os.Mkdir(tmp, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return noRoom(err)
	}
	return syscall.Flock(int(s.lock.Fd()), syscall.LOCK_SH)
}

// Close lets go of the store's lock; the process's end does it too.
func (s *FS) Close() error {
	if s.lock == nil {
		return nil
	}
	return s.lock.Close()
}

// Flushes returns the number of fsyncs so far.
func (s *FS) Flushes() int64 { return s.flushes.Load() }

// Open implements Store.
func (s *FS) Open(ctx context.Context, key Key) (Reader, error) {
	if err := ready(ctx, key); err != nil {
		return nil, err
	}
	f, err := os.Open(s.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "blob-missing")
	}
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open blob: %w", err), f.Close())
	}
	return &fileReader{File: f, size: info.Size()}, nil
}

// Delete implements Store.
func (s *FS) Delete(ctx context.Context, key Key) error {
	if err := ready(ctx, key); err != nil {
		return err
	}
	if err := os.Remove(s.path(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil
}

// fileReader is an open body. It stays readable after a Delete.
type fileReader struct {
	*os.File
	size int64
}

// Size implements Reader.
func (r *fileReader) Size() int64 { return r.size }

func ready(ctx context.Context, key Key) error {
	if err := key.Valid(); err != nil {
		return err
	}
	return ctx.Err()
}

// flush fsyncs an open file or folder. A failure ends the store.
func (s *FS) flush(f *os.File) error {
	s.flushes.Add(1)
	err := s.disk.Sync(f)
	if err == nil {
		return nil
	}
	err = fault.Wrap(fault.Internal, "blob-fsync-failed", err)
	if s.broken.CompareAndSwap(false, true) {
		s.log.Error("blob.fsync-failed", "err", err)
		s.fatal(err)
	}
	return err
}

// usable refuses work after a failed fsync.
func (s *FS) usable() error {
	if s.broken.Load() {
		return fault.New(fault.Internal, "blob-store-failed")
	}
	return nil
}

// noRoom turns a full disk or quota into fault.OverQuota "blob-full".
func noRoom(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fault.Wrap(fault.OverQuota, "blob-full", err)
	}
	return err
}
