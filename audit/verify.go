package audit

import (
	"context"
	"fmt"
	"math"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/vaguemestre/vaguemestre/store"
)

// verification walks the log once, from the first leaf to the last.
//
// The tree is built over the stored tiles, and each leaf is compared with its hash
// there: a changed leaf is then named, and does not hide whether the rest fits the
// checkpoints. A changed tile fits neither its leaf nor the checkpoints after it.
type verification struct {
	o      VerifyOptions
	check  note.Verifier
	report Report

	tx       *store.Tx // of the present piece
	tree     tree
	at       int64        // time of the last leaf, unix µs
	unsigned int64        // time of the first leaf without a good checkpoint after it; 0: none
	shut     bool         // the end of the log was reached
	errs     error        // of reading inside a callback
	signed   []storedNote // checkpoints not met yet
	lastNo   int64
	since    map[int64]tlog.Hash // roots of outside checkpoints not met yet
	outer    []Checkpoint
	// missing holds the leaf numbers of details that are gone, by commitment, until
	// the leaf of their erasure is seen.
	missing map[string]int64
}

// Verify recomputes the log from its rows: every leaf's hash and form, numbers
// without gaps, the tiles, every checkpoint's signature, number and root (so that
// each extends the one before), details against their commitments, unnumbered
// leaves that wait too long, and the outside checkpoints given. It only reads, in
// pieces, and runs beside a working log.
//
// When it finds anything the error is fault.Conflict "audit-log-broken" and the
// report lists it. Other errors are failures to read, Invalid "audit-key-malformed"
// among them.
func Verify(ctx context.Context, db *store.DB, vkey string, o VerifyOptions) (Report, error) {
	check, err := verifier(vkey)
	if err != nil {
		return Report{}, err
	}
	v := &verification{
		o: o.withDefaults(), check: check, lastNo: math.MinInt64,
		since: map[int64]tlog.Hash{}, missing: map[string]int64{},
	}
	v.openSince()
	for !v.shut {
		if err := db.Read(ctx, v.piece); err != nil {
			return v.report, fmt.Errorf("verify audit log: %w", err)
		}
	}
	return v.report, v.report.err()
}

func (v *verification) found(kind string, seq int64) {
	v.report.Found++
	if len(v.report.Findings) < v.o.MaxFindings {
		v.report.Findings = append(v.report.Findings, Finding{kind, seq})
	}
}

// openSince checks the outside checkpoints' signatures and notes what to meet.
func (v *verification) openSince() {
	for i, msg := range v.o.Since {
		c, _, err := openNote(msg, v.check)
		if err != nil {
			v.found(SinceBroken, int64(i))
			continue
		}
		if root, twice := v.since[c.Size]; twice && root != c.Root {
			v.found(SinceDiffers, c.No)
		}
		v.since[c.Size] = c.Root
		v.outer = append(v.outer, c)
	}
}

// piece checks the next leaves in one snapshot, and the end of the log if it is
// among them.
func (v *verification) piece(tx *store.Tx) error {
	v.tx = tx
	from, to := v.tree.size, v.tree.size+v.o.Piece
	leaves, err := readLeaves(tx, from, to)
	if err != nil {
		return err
	}
	hashes, err := readLowTiles(tx, from/tileWidth, to/tileWidth)
	if err != nil {
		return err
	}
	if v.signed, err = readNotes(tx, v.lastNo, to); err != nil {
		return err
	}
	v.meet()
	commitments := map[string]int64{}
	for seq := from; seq < to; seq++ {
		leaf, written := leaves[seq]
		stored, hashed := hashes.at(seq)
		if !written && !hashed {
			v.shut = true
			break
		}
		v.one(seq, leaf, written, stored, hashed, commitments)
		if v.tree.size%tileWidth == 0 {
			v.lowTile(hashes, seq/tileWidth, tileWidth)
		}
		v.meet()
	}
	if err := v.details(commitments); err != nil {
		return err
	}
	if v.shut {
		if err := v.end(hashes); err != nil {
			return err
		}
	}
	return v.errs
}

// one checks one number and adds its hash to the tree.
func (v *verification) one(seq int64, leaf storedLeaf, written bool, stored tlog.Hash, hashed bool, commitments map[string]int64) {
	h := stored
	switch {
	case !written:
		v.found(LeafMissing, seq)
	default:
		own := tlog.RecordHash(formatRecord(seq, leaf.at, leaf.leaf))
		if !hashed {
			h = own // lowTile reports the tile
		} else if own != stored {
			v.found(LeafChanged, seq)
		}
		v.rules(seq, leaf, commitments)
	}
	if v.unsigned == 0 {
		v.unsigned = v.at
	}
	v.report.Leaves++
	v.tree.add(h, v.fullTile)
}

// rules checks what a leaf must be by itself and after the one before.
func (v *verification) rules(seq int64, row storedLeaf, commitments map[string]int64) {
	if row.at < v.at {
		v.found(LeafTime, seq)
	}
	v.at = row.at
	l, ts, commitment, err := parseLeaf(row.leaf)
	if err != nil {
		v.found(LeafMalformed, seq)
		return
	}
	v.report.MaxLag = max(v.report.MaxLag, store.Time(row.at).Sub(ts))
	v.follow(seq, l, commitment, commitments)
}

// follow notes the details that a leaf commits to, and those whose erasure it tells.
func (v *verification) follow(seq int64, l Leaf, commitment string, commitments map[string]int64) {
	if commitment != "" {
		commitments[commitment] = seq
	}
	if l.Act != actErased {
		return
	}
	if _, gone := v.missing[l.Object]; gone {
		delete(v.missing, l.Object)
		v.report.Erased++
	}
	// Erased within the same piece: its details are not looked for.
	if _, here := commitments[l.Object]; here {
		delete(commitments, l.Object)
		v.report.Erased++
	}
}

// meet compares the tree with the checkpoints of its present size.
func (v *verification) meet() {
	if root, wanted := v.since[v.tree.size]; wanted {
		if root != v.tree.root() {
			v.found(SinceDiffers, v.tree.size)
		}
		delete(v.since, v.tree.size)
	}
	for len(v.signed) > 0 && v.signed[0].size <= v.tree.size {
		v.checkpoint(v.signed[0])
		v.signed = v.signed[1:]
	}
}

// checkpoint checks one stored checkpoint at its place in the log.
func (v *verification) checkpoint(row storedNote) {
	if row.no != max(v.lastNo, 0)+1 {
		v.found(CheckpointMissing, row.no)
	}
	v.lastNo = row.no
	v.report.Checkpoints++
	c, err := openStored(row.msg, v.check)
	if err != nil || c.No != row.no || c.Size != row.size || c.Size != v.tree.size || c.At.Before(v.report.Last.At) {
		v.found(CheckpointBroken, row.no)
		return
	}
	if c.Root != v.tree.root() {
		v.found(CheckpointDiffers, row.no)
		return
	}
	v.report.Last, v.report.LastNote, v.unsigned = c, row.msg, 0
}

// waited reports whether something of that time should have been followed up.
func (v *verification) waited(since time.Time) bool { return v.o.Now().Sub(since) > v.o.Patience }
