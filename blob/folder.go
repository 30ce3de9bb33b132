package blob

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const (
	// outerLen and innerLen are the characters of a key that name its two folders.
	// Of an identity.NewID the first four change every 12 days, six every 17 minutes.
	outerLen = 4
	innerLen = 2
)

// shard returns the names of a key's two folders. A short key is filled with '-', the
// lowest character of a key, so that folders sort as their keys do.
func shard(key Key) (outer, inner string) {
	name := string(key)
	if missing := outerLen + innerLen - len(name); missing > 0 {
		name += strings.Repeat("-", missing)
	}
	return name[:outerLen], name[outerLen : outerLen+innerLen]
}

// path returns where a body lies; the key is valid.
func (s *FS) path(key Key) string {
	outer, inner := shard(key)
	return filepath.Join(s.root, outer, inner, string(key))
}

// folder is one inner folder. Commits that want it durable at the same time share
// an fsync: one that starts after a link covers that link.
type folder struct {
	path string

	// making guards made, and is held while the folder is being made: nobody links
	// into it before its own entry is durable.
	making sync.Mutex
	made   bool

	// flushing is held during an fsync.
	flushing sync.Mutex
	// mu guards next, the fsync that has not begun.
	mu   sync.Mutex
	next *flight
}

// flight is one fsync and those who wait for it.
type flight struct {
	done chan struct{}
	err  error
}

// folderOf returns the durable folder of a key, made if needed.
func (s *FS) folderOf(key Key) (*folder, error) {
	path := filepath.Dir(s.path(key))
	s.mu.Lock()
	f := s.folders[path]
	if f == nil {
		if len(s.folders) >= maxFolders {
			clear(s.folders) // they are made durable again when they are next used
		}
		f = &folder{path: path}
		s.folders[path] = f
	}
	s.mu.Unlock()

	f.making.Lock()
	defer f.making.Unlock()
	if f.made {
		return f, nil
	}
	// The folders may stand there from another process, or from before a crash,
	// without their entries having been flushed: the first use here flushes them.
	outer := filepath.Dir(path)
	for _, dir := range []string{outer, path} {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, noRoom(err)
		}
		if err := s.syncFolder(filepath.Dir(dir)); err != nil {
			return nil, err
		}
	}
	f.made = true
	return f, nil
}

// sync makes the folder's entries of this moment durable.
func (f *folder) sync(s *FS) error {
	f.mu.Lock()
	mine, lead := f.next, false
	if mine == nil {
		mine, lead = &flight{done: make(chan struct{})}, true
		f.next = mine
	}
	f.mu.Unlock()
	if !lead {
		<-mine.done
		return mine.err
	}
	f.flushing.Lock()
	defer f.flushing.Unlock()
	f.mu.Lock()
	f.next = nil // who comes from here on may have linked too late for this one
	f.mu.Unlock()
	mine.err = s.syncFolder(f.path)
	close(mine.done)
	return mine.err
}

// syncFolder fsyncs a folder.
func (s *FS) syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(s.flush(d), d.Close())
}
