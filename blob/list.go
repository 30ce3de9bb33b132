package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// defaultPage is the size of a listing's page when none is asked for.
const defaultPage = 1000

// List implements Store. A page reads the folders that it takes its keys from, and
// one before.
func (s *FS) List(ctx context.Context, after Key, limit int) ([]Info, error) {
	var fromOuter, fromInner string
	if after != "" {
		if err := after.Valid(); err != nil {
			return nil, err
		}
		fromOuter, fromInner = shard(after)
	}
	if limit <= 0 {
		limit = defaultPage
	}
	outers, err := names(s.root, fromOuter)
	if err != nil {
		return nil, err
	}
	var page []Info
	for _, outer := range outers {
		from := ""
		if outer == fromOuter {
			from = fromInner
		}
		inners, err := names(filepath.Join(s.root, outer), from)
		if err != nil {
			return nil, err
		}
		for _, inner := range inners {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			page, err = appendFolder(page, filepath.Join(s.root, outer, inner), after, limit)
			if err != nil || len(page) == limit {
				return page, err
			}
		}
	}
	return page, nil
}

// appendFolder adds a folder's bodies above after, until the page is full.
func appendFolder(page []Info, path string, after Key, limit int) ([]Info, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return page, fmt.Errorf("list blobs: %w", err)
	}
	for _, entry := range entries {
		if len(page) == limit {
			break
		}
		key := Key(entry.Name())
		if key <= after || key.Valid() != nil {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return page, fmt.Errorf("list blobs: %w", err)
		}
		if info.Mode().IsRegular() {
			page = append(page, Info{Key: key, Size: info.Size(), Modified: info.ModTime().UTC()})
		}
	}
	return page, nil
}

// names returns the shard folders of a folder from a name on, in order.
func names(path, from string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("list blobs: %w", err)
	}
	var out []string
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") && entry.Name() >= from {
			out = append(out, entry.Name())
		}
	}
	return out, nil
}
