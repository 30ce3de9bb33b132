package audit

import (
	"golang.org/x/mod/sumdb/tlog"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Inclusion proves that a record is in the log: it can be checked with the verifier
// key alone.
type Inclusion struct {
	// Record is the canonical JSON of the record; ParseRecord reads it.
	Record []byte `json:"record"`
	// Seq is the record's number.
	Seq int64 `json:"seq"`
	// Path are the hashes from the record up to the root (RFC 6962 2.1.1).
	Path tlog.RecordProof `json:"path"`
	// Checkpoint is the signed state that covers it.
	Checkpoint []byte `json:"checkpoint"`
}

// Consistency proves that an older checkpoint's log is the beginning of a newer one's.
type Consistency struct {
	// Old and New are signed checkpoints.
	Old []byte `json:"old"`
	New []byte `json:"new"`
	// Path are the hashes that join them (RFC 6962 2.1.2).
	Path tlog.TreeProof `json:"path"`
}

// Latest returns the newest checkpoint as signed. Faults: NotFound
// "audit-checkpoint-none" while there is none.
func Latest(tx *store.Tx) ([]byte, error) {
	msg, err := lastNote(tx)
	if err == nil && msg == nil {
		err = fault.New(fault.NotFound, "audit-checkpoint-none")
	}
	return msg, err
}

// Prove returns the proof of a record under the newest checkpoint. Faults: NotFound
// "audit-leaf-unknown" for a number not covered yet, "audit-checkpoint-none";
// Internal "audit-tree-broken" when the stored tiles do not give the checkpoint's root.
func Prove(tx *store.Tx, seq int64) (Inclusion, error) {
	msg, c, err := latest(tx)
	if err != nil {
		return Inclusion{}, err
	}
	if seq < 0 || seq >= c.Size {
		return Inclusion{}, fault.New(fault.NotFound, "audit-leaf-unknown")
	}
	record, err := readLeaf(tx, seq)
	if err != nil {
		return Inclusion{}, err
	}
	path, err := tlog.ProveRecord(c.Size, seq, hashReader(tx, c.Size, c.Root))
	if err != nil {
		return Inclusion{}, fault.Wrap(fault.Internal, "audit-tree-broken", err)
	}
	return Inclusion{Record: record, Seq: seq, Path: path, Checkpoint: msg}, nil
}

// ProveConsistency returns the proof that the newest checkpoint extends an older one,
// given as signed. Faults as of Prove, and Invalid "audit-checkpoint-malformed".
func ProveConsistency(tx *store.Tx, old []byte) (Consistency, error) {
	before, err := unverified(old)
	if err != nil {
		return Consistency{}, err
	}
	msg, c, err := latest(tx)
	if err != nil {
		return Consistency{}, err
	}
	if before.Size > c.Size {
		return Consistency{}, fault.New(fault.NotFound, "audit-leaf-unknown")
	}
	path, err := tlog.ProveTree(c.Size, before.Size, hashReader(tx, c.Size, c.Root))
	if err != nil {
		return Consistency{}, fault.Wrap(fault.Internal, "audit-tree-broken", err)
	}
	return Consistency{Old: old, New: msg, Path: path}, nil
}

func latest(tx *store.Tx) ([]byte, Checkpoint, error) {
	msg, err := Latest(tx)
	if err != nil {
		return nil, Checkpoint{}, err
	}
	c, err := unverified(msg)
	return msg, c, err
}

// Verify checks the proof against the log's verifier key and returns the record.
// Faults: those of OpenCheckpoint, Invalid "audit-record-malformed", Denied
// "audit-proof-wrong".
func (p Inclusion) Verify(vkey string) (Record, error) {
	c, err := OpenCheckpoint(p.Checkpoint, vkey)
	if err != nil {
		return Record{}, err
	}
	r, err := ParseRecord(p.Record)
	if err != nil {
		return Record{}, err
	}
	if r.Seq != p.Seq || p.Seq >= c.Size {
		return Record{}, fault.New(fault.Denied, "audit-proof-wrong")
	}
	if err := tlog.CheckRecord(p.Path, c.Size, c.Root, p.Seq, tlog.RecordHash(p.Record)); err != nil {
		return Record{}, fault.Wrap(fault.Denied, "audit-proof-wrong", err)
	}
	return r, nil
}

// Verify checks both signatures and the proof. Faults: those of OpenCheckpoint,
// Denied "audit-proof-wrong".
func (p Consistency) Verify(vkey string) error {
	before, err := OpenCheckpoint(p.Old, vkey)
	if err != nil {
		return err
	}
	after, err := OpenCheckpoint(p.New, vkey)
	if err != nil {
		return err
	}
	if err := checkTree(p.Path, after, before); err != nil {
		return fault.Wrap(fault.Denied, "audit-proof-wrong", err)
	}
	return nil
}

func checkTree(path tlog.TreeProof, after, before Checkpoint) error {
	if before.Size > after.Size {
		return fault.New(fault.Denied, "audit-proof-wrong")
	}
	return tlog.CheckTree(path, after.Size, after.Root, before.Size, before.Root)
}

// tiles reads tiles from the database for tlog.
type tiles struct{ tx *store.Tx }

// hashReader reads hashes of the tree with that size and root, each proven to
// belong to it.
func hashReader(tx *store.Tx, size int64, root tlog.Hash) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, tiles{tx})
}

// Height returns the height of the tiles.
func (r tiles) Height() int { return tileHeight }

// ReadTiles reads tiles; a tile that has grown since still begins with what it held.
func (r tiles) ReadTiles(want []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(want))
	for i, t := range want {
		hashes, err := readTile(r.tx, int64(t.L), t.N)
		if err != nil {
			return nil, err
		}
		if len(hashes) < t.W {
			return nil, fault.Newf(fault.Internal, "audit-tree-broken", "tile %s is short", t.Path())
		}
		data[i] = packHashes(hashes[:t.W])
	}
	return data, nil
}

// SaveTiles does nothing: the database is the cache.
func (r tiles) SaveTiles([]tlog.Tile, [][]byte) {}
