package audit

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/vaguemestre/vaguemestre/store"
)

// lowTile checks the length of a tile of the lowest level, once its last leaf was seen.
func (v *verification) lowTile(stored lowTiles, n int64, width int) {
	if len(stored[n]) != width*tlog.HashSize {
		v.found(TileChanged, n)
	}
}

// fullTile compares a higher tile that is now full with its row.
func (v *verification) fullTile(t tile) {
	if t.level > 0 {
		v.compare(t)
	}
}

func (v *verification) compare(t tile) {
	var b []byte
	err := scan(v.tx.QueryRow(`SELECT hashes FROM audit_tile WHERE level = $1 AND n = $2`, t.level, t.n), &b)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		v.errs = errors.Join(v.errs, err)
		return
	}
	if !bytes.Equal(b, packHashes(t.hashes)) {
		v.found(TileChanged, t.n)
	}
}

// details checks the details of a piece's leaves.
func (v *verification) details(commitments map[string]int64) error {
	hexes := make([]string, 0, len(commitments))
	for c := range commitments {
		hexes = append(hexes, c)
	}
	return inChunks(len(hexes), func(from, to int) error {
		args := make([]any, 0, to-from)
		for _, c := range hexes[from:to] {
			sum, err := hex.DecodeString(c)
			if err != nil {
				return err // parseLeaf checked the form
			}
			args = append(args, sum)
		}
		list := strings.Trim(tuples(1, len(args)), "()")
		rows, err := v.tx.Query(`SELECT commitment, salt, details FROM audit_detail WHERE commitment IN (`+list+`)`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var sum, salt, details []byte
			if err := rows.Scan(&sum, &salt, &details); err != nil {
				return err
			}
			name := hex.EncodeToString(sum)
			if len(salt) != saltSize || !bytes.Equal(commit(salt, details), sum) {
				v.found(DetailChanged, commitments[name])
			}
			v.report.Details++
			delete(commitments, name)
		}
		for _, c := range hexes[from:to] {
			if seq, gone := commitments[c]; gone {
				v.missing[c] = seq
			}
		}
		return rows.Err()
	})
}

// end checks what must hold where the log ends, in the snapshot of its last piece.
func (v *verification) end(stored lowTiles) error {
	size := v.tree.size
	if width := size % tileWidth; width > 0 {
		v.lowTile(stored, size/tileWidth, int(width))
	}
	for _, t := range v.tree.edge() {
		if t.level > 0 {
			v.compare(t)
		}
	}
	row, err := readLog(v.tx)
	if err != nil {
		return err
	}
	if row.size != size || size > 0 && (row.at != v.at || row.origin != v.check.Name()) {
		v.found(LogSize, -1)
	}
	if err := v.beyond(size); err != nil {
		return err
	}
	if v.unsigned != 0 && v.waited(store.Time(v.unsigned)) {
		v.found(CheckpointLate, -1)
	}
	for _, c := range v.outer {
		if c.Size > size {
			v.found(SinceBeyond, c.No)
		}
	}
	return v.waiting()
}

// beyond looks for rows that no log of this size has.
func (v *verification) beyond(size int64) error {
	var leaves, tiles, wanted int64
	for level := 0; size>>(tileHeight*level) > 0; level++ {
		wanted += (size>>(tileHeight*level) + tileWidth - 1) / tileWidth
	}
	err := scan(v.tx.QueryRow(`SELECT COUNT(*) FROM audit_leaf WHERE seq >= $1 OR seq < 0`, size), &leaves)
	if err != nil {
		return err
	}
	if err := scan(v.tx.QueryRow(`SELECT COUNT(*) FROM audit_tile`), &tiles); err != nil {
		return err
	}
	if leaves > 0 {
		v.found(LeafBeyond, size)
	}
	if tiles > wanted {
		v.found(TileBeyond, -1)
	}
	rest, err := readNotes(v.tx, v.lastNo, math.MaxInt64)
	for _, n := range rest {
		v.found(CheckpointBeyond, n.no)
		v.lastNo = n.no
	}
	return err
}

// waiting checks the unnumbered leaves, and settles what happened to details.
func (v *verification) waiting() error {
	batch, err := readPending(v.tx, math.MaxInt32)
	if err != nil {
		return err
	}
	commitments := map[string]int64{}
	for _, p := range batch {
		v.report.Pending++
		l, ts, commitment, err := parseLeaf(p.leaf)
		if err != nil {
			v.found(LeafMalformed, -1)
			continue
		}
		if v.waited(ts) {
			v.found(LeafUnnumbered, -1)
		}
		v.follow(-1, l, commitment, commitments)
	}
	if err := v.details(commitments); err != nil {
		return err
	}
	for _, seq := range v.missing {
		v.found(DetailMissing, seq)
	}
	var total int64
	if err := scan(v.tx.QueryRow(`SELECT COUNT(*) FROM audit_detail`), &total); err != nil {
		return err
	}
	if total > v.report.Details {
		v.found(DetailUnknown, -1)
	}
	return nil
}
