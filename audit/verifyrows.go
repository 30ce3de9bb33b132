package audit

import (
	"golang.org/x/mod/sumdb/tlog"

	"github.com/vaguemestre/vaguemestre/store"
)

// storedNote is a row of audit_checkpoint.
type storedNote struct {
	no, size int64
	msg      []byte
}

// storedLeaf is a row of audit_leaf.
type storedLeaf struct {
	at   int64
	leaf []byte
}

func readLeaves(tx *store.Tx, from, to int64) (map[int64]storedLeaf, error) {
	rows, err := tx.Query(`SELECT seq, at, leaf FROM audit_leaf WHERE seq >= $1 AND seq < $2`, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	leaves := map[int64]storedLeaf{}
	for rows.Next() {
		var seq int64
		var l storedLeaf
		if err := rows.Scan(&seq, &l.at, &l.leaf); err != nil {
			return nil, err
		}
		leaves[seq] = l
	}
	return leaves, rows.Err()
}

// lowTiles holds the lowest level's stored tiles by number.
type lowTiles map[int64][]byte

// at returns the stored hash of a leaf.
func (t lowTiles) at(seq int64) (tlog.Hash, bool) {
	b, i := t[seq/tileWidth], int(seq%tileWidth)*tlog.HashSize
	if len(b) < i+tlog.HashSize {
		return tlog.Hash{}, false
	}
	return tlog.Hash(b[i : i+tlog.HashSize]), true
}

func readLowTiles(tx *store.Tx, from, to int64) (lowTiles, error) {
	rows, err := tx.Query(`SELECT n, hashes FROM audit_tile WHERE level = 0 AND n >= $1 AND n < $2`, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tiles := lowTiles{}
	for rows.Next() {
		var n int64
		var b []byte
		if err := rows.Scan(&n, &b); err != nil {
			return nil, err
		}
		tiles[n] = b
	}
	return tiles, rows.Err()
}

// readNotes reads the checkpoints after a number, up to a size.
func readNotes(tx *store.Tx, after, size int64) ([]storedNote, error) {
	rows, err := tx.Query(`SELECT no, size, note FROM audit_checkpoint WHERE no > $1 AND size <= $2 ORDER BY no`, after, size)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var notes []storedNote
	for rows.Next() {
		var n storedNote
		if err := rows.Scan(&n.no, &n.size, &n.msg); err != nil {
			return nil, err
		}
		notes = append(notes, n)
	}
	return notes, rows.Err()
}
