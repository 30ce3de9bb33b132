package audit

import (
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// tileHeight makes tiles of 256 hashes (C2SP tlog-tiles).
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// tree is the right edge of a Merkle tree: for each level of tiles the last one,
// not yet full. It is all that is needed to append and to know the root.
type tree struct {
	size   int64
	levels [][]tlog.Hash
}

// tile is one row of audit_tile.
type tile struct {
	level, n int64
	hashes   []tlog.Hash
}

// clone returns a copy that can grow without touching t.
func (t *tree) clone() *tree {
	c := &tree{size: t.size, levels: make([][]tlog.Hash, len(t.levels))}
	for i, l := range t.levels {
		c.levels[i] = slices.Clone(l)
	}
	return c
}

// add appends the hash of a record, and calls full for each tile that this fills.
func (t *tree) add(h tlog.Hash, full func(tile)) {
	t.size++
	for level := 0; ; level++ {
		if level == len(t.levels) {
			t.levels = append(t.levels, make([]tlog.Hash, 0, tileWidth))
		}
		t.levels[level] = append(t.levels[level], h)
		if len(t.levels[level]) < tileWidth {
			return
		}
		done := t.levels[level]
		t.levels[level] = make([]tlog.Hash, 0, tileWidth)
		full(tile{int64(level), t.size>>(tileHeight*(level+1)) - 1, done})
		h = perfect(done)
	}
}

// edge returns the tiles that are not full, lowest level first.
func (t *tree) edge() []tile {
	var edge []tile
	for level, hashes := range t.levels {
		if len(hashes) > 0 {
			edge = append(edge, tile{int64(level), t.size >> (tileHeight * (level + 1)), hashes})
		}
	}
	return edge
}

// root returns the tree's hash (RFC 6962 2.1): the perfect subtrees that the bits
// of the size name, joined from the right.
func (t *tree) root() tlog.Hash {
	var parts []tlog.Hash
	for level := len(t.levels) - 1; level >= 0; level-- {
		rest := t.levels[level]
		for width := tileWidth / 2; width > 0; width /= 2 {
			if len(rest)&width == 0 {
				continue
			}
			at := len(rest) &^ (2*width - 1)
			parts = append(parts, perfect(rest[at:at+width]))
		}
	}
	if len(parts) == 0 {
		return emptyRoot()
	}
	h := parts[len(parts)-1]
	for _, left := range slices.Backward(parts[:len(parts)-1]) {
		h = tlog.NodeHash(left, h)
	}
	return h
}

// emptyRoot is the hash of the tree without leaves, as tlog has it: SHA-256 of nothing.
func emptyRoot() tlog.Hash {
	h, err := tlog.TreeHash(0, nil)
	if err != nil {
		panic(err) // the empty tree reads no hash
	}
	return h
}

// perfect returns the root of a perfect subtree over a power of two of hashes.
func perfect(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return tlog.NodeHash(perfect(hashes[:half]), perfect(hashes[half:]))
}

// packHashes lays hashes end to end.
func packHashes(hashes []tlog.Hash) []byte {
	b := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

// unpackHashes is the inverse of packHashes; a rest that is no whole hash is left out.
func unpackHashes(b []byte) []tlog.Hash {
	hashes := make([]tlog.Hash, 0, tileWidth)
	for ; len(b) >= tlog.HashSize; b = b[tlog.HashSize:] {
		hashes = append(hashes, tlog.Hash(b))
	}
	return hashes
}
