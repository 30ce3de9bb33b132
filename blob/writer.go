package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vaguemestre/vaguemestre/fault"
)

// fileWriter writes one body beside its final place.
type fileWriter struct {
	store *FS
	key   Key
	file  *os.File
	err   error // the first failure; what Commit and Write answer from then on
	done  bool
}

// Create implements Store.
func (s *FS) Create(ctx context.Context, key Key) (Writer, error) {
	if err := ready(ctx, key); err != nil {
		return nil, err
	}
	if err := s.usable(); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(s.path(key)); err == nil {
		return nil, fault.New(fault.Conflict, "blob-exists")
	}
	// CreateTemp opens with O_EXCL and mode 0600.
	f, err := os.CreateTemp(filepath.Join(s.root, tmpName), string(key)+"-*")
	if err != nil {
		return nil, fmt.Errorf("create blob: %w", noRoom(err))
	}
	return &fileWriter{store: s, key: key, file: f}, nil
}

// Write implements io.Writer.
func (w *fileWriter) Write(p []byte) (int, error) {
	if w.done {
		return 0, fault.New(fault.Internal, "blob-writer-closed")
	}
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.store.disk.Write(w.file, p)
	if err != nil {
		w.err = fmt.Errorf("write blob: %w", noRoom(err))
	}
	return n, w.err
}

// Commit implements Writer.
func (w *fileWriter) Commit(ctx context.Context) error {
	if w.done {
		return w.err
	}
	if w.err == nil {
		w.err = ctx.Err()
	}
	if w.err == nil {
		w.err = w.commit()
	}
	w.end()
	return w.err
}

// Abort implements Writer.
func (w *fileWriter) Abort() {
	if w.done {
		return
	}
	if w.err == nil {
		w.err = fault.New(fault.Internal, "blob-writer-closed")
	}
	w.end()
}

// end closes the file and removes its temporary name; the committed one stays.
func (w *fileWriter) end() {
	w.done = true
	// After Commit the bytes are flushed, after Abort they are not wanted: an error
	// changes nothing, and a leftover is removed at the next start.
	_ = w.file.Close()
	_ = os.Remove(w.file.Name())
}

// commit flushes the bytes, gives them their name, and flushes the name.
func (w *fileWriter) commit() error {
	s := w.store
	if err := s.usable(); err != nil {
		return err
	}
	if err := s.flush(w.file); err != nil {
		return err
	}
	folder, err := s.folderOf(w.key)
	if err != nil {
		return fmt.Errorf("commit blob: %w", err)
	}
	err = os.Link(w.file.Name(), s.path(w.key))
	if errors.Is(err, fs.ErrExist) {
		return fault.New(fault.Conflict, "blob-exists")
	}
	if err != nil {
		return fmt.Errorf("commit blob: %w", noRoom(err))
	}
	return folder.sync(s)
}
