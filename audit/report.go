package audit

import (
	"fmt"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Kinds of findings.
const (
	// LeafMissing is a number without a row.
	LeafMissing = "leaf-missing"
	// LeafChanged is a row whose hash is not the one in the tree.
	LeafChanged = "leaf-changed"
	// LeafMalformed is a row that is not a leaf in canonical form.
	LeafMalformed = "leaf-malformed"
	// LeafTime is a row numbered before the one that precedes it.
	LeafTime = "leaf-time"
	// LeafBeyond is a row outside the numbering.
	LeafBeyond = "leaf-beyond"
	// LeafUnnumbered is a leaf that waits for its number for too long.
	LeafUnnumbered = "leaf-unnumbered"
	// TileChanged is a tile that is missing or differs from the tree.
	TileChanged = "tile-changed"
	// TileBeyond is a tile that no tree of this size has.
	TileBeyond = "tile-beyond"
	// CheckpointBroken is a checkpoint that is unsigned, malformed or out of order.
	CheckpointBroken = "checkpoint-broken"
	// CheckpointMissing is a gap in the numbers of checkpoints.
	CheckpointMissing = "checkpoint-missing"
	// CheckpointDiffers is a signed root that the leaves do not give.
	CheckpointDiffers = "checkpoint-differs"
	// CheckpointBeyond is a checkpoint over more leaves than there are.
	CheckpointBeyond = "checkpoint-beyond"
	// CheckpointLate is a numbered leaf that waits for a checkpoint for too long.
	CheckpointLate = "checkpoint-late"
	// LogSize is a size of the log that differs from its rows.
	LogSize = "log-size"
	// DetailChanged are details that do not fit their commitment.
	DetailChanged = "detail-changed"
	// DetailMissing are details that are gone and were never erased by rule.
	DetailMissing = "detail-missing"
	// DetailUnknown are details that no leaf commits to.
	DetailUnknown = "detail-unknown"
	// SinceBroken is an outside checkpoint that this log's key did not sign.
	SinceBroken = "since-broken"
	// SinceDiffers is an outside checkpoint whose tree is not the beginning of ours: a fork.
	SinceDiffers = "since-differs"
	// SinceBeyond is an outside checkpoint over more leaves than there are: a rollback.
	SinceBeyond = "since-beyond"
)

// Finding is one thing that is not as it was written.
type Finding struct {
	// Kind is one of the constants above.
	Kind string
	// Seq is the number of the leaf, or of the checkpoint or tile; -1 if none.
	Seq int64
}

// String returns "kind number".
func (f Finding) String() string {
	if f.Seq < 0 {
		return f.Kind
	}
	return fmt.Sprintf("%s %d", f.Kind, f.Seq)
}

// Report is what a verification saw.
type Report struct {
	// Leaves counts the numbered leaves, Pending the unnumbered ones.
	Leaves, Pending int64
	// Checkpoints counts the signed checkpoints that were checked.
	Checkpoints int64
	// Details counts details that fit their commitment, Erased those erased by rule.
	Details, Erased int64
	// Last is the newest good checkpoint: keep it elsewhere for VerifyOptions.Since.
	Last Checkpoint
	// LastNote is Last as signed; nil if there is none.
	LastNote []byte
	// MaxLag is the longest time between an act and its number.
	MaxLag time.Duration
	// Findings lists what was found, the first ones only.
	Findings []Finding
	// Found counts all findings.
	Found int
}

// err returns the report's verdict.
func (r *Report) err() error {
	if r.Found == 0 {
		return nil
	}
	return fault.Newf(fault.Conflict, "audit-log-broken", "%d findings, first: %s", r.Found, r.Findings[0])
}

// VerifyOptions are the optional parts of a verification.
type VerifyOptions struct {
	// Since are signed checkpoints kept outside of the database. Only they show
	// that the end of the log was cut off together with its checkpoints.
	Since [][]byte
	// Patience is how long a leaf may wait for its number, and a numbered leaf for
	// a checkpoint; 0 is 30 s.
	Patience time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// MaxFindings is how many findings are listed; 0 is 100.
	MaxFindings int
	// Piece is how many leaves are read in one transaction, in whole tiles of 256;
	// 0 is 8192, a few megabytes. No snapshot of a long log is held for long.
	Piece int64
}

func (o VerifyOptions) withDefaults() VerifyOptions {
	if o.Patience <= 0 {
		o.Patience = 30 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxFindings <= 0 {
		o.MaxFindings = 100
	}
	if o.Piece <= 0 {
		o.Piece = 32 * tileWidth
	}
	o.Piece = (o.Piece + tileWidth - 1) / tileWidth * tileWidth
	return o
}
