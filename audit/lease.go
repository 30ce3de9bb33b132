package audit

import (
	"context"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// holds reports whether what we know of the log is what the database says.
func (s *Sequencer) holds(row logRow) bool {
	return s.lead != nil && s.lead.epoch == row.epoch && s.lead.tree.size == row.size
}

// acquire takes the lease if it is free, ran out or is our own, and loads the edge
// of the tree. It returns false if another node has it.
func (s *Sequencer) acquire(ctx context.Context, seen logRow) (bool, error) {
	s.lead = nil
	now := s.o.Now()
	if seen.holder != s.o.Node && seen.leaseUS > store.Micros(now) {
		return false, nil
	}
	origin := s.signer.Name()
	if seen.origin != "" && seen.origin != origin {
		return false, fault.New(fault.Internal, "audit-origin-differs")
	}
	taken := false
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec(`UPDATE audit_log SET origin = $1, holder = $2, epoch = epoch + 1, lease_until = $3
			WHERE id = 1 AND epoch = $4`,
			origin, s.o.Node, store.Micros(now.Add(s.o.Lease)), seen.epoch)
		taken = n == 1
		return err
	})
	if err != nil || !taken {
		return false, err
	}
	l, err := s.load(ctx, seen.epoch+1)
	if err != nil {
		return false, err
	}
	s.lead = l
	s.o.Logger.Info("audit.lease.taken", "epoch", l.epoch, "size", l.tree.size)
	return true, nil
}

// load reads the edge of the tree and proves that it extends the last checkpoint.
func (s *Sequencer) load(ctx context.Context, epoch int64) (*lead, error) {
	var l *lead
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		row, err := readLog(tx)
		if err != nil {
			return err
		}
		l = &lead{epoch: epoch, at: row.at}
		if l.tree, err = loadTree(tx, row.size); err != nil {
			return err
		}
		msg, err := lastNote(tx)
		if err != nil || msg == nil {
			return err
		}
		last, err := openStored(msg, s.check)
		if err != nil {
			return fault.Wrap(fault.Internal, "audit-tree-broken", err)
		}
		l.no, l.covered, l.signedAt = last.No, last.Size, last.At
		return extends(tx, l.tree, last)
	})
	return l, err
}

// loadTree reads the tiles of the tree's right edge.
func loadTree(tx *store.Tx, size int64) (*tree, error) {
	t := &tree{size: size}
	for level := int64(0); size>>(tileHeight*level) > 0; level++ {
		count := size >> (tileHeight * level)
		width := int(count % tileWidth)
		hashes := make([]tlog.Hash, 0, tileWidth)
		if width > 0 {
			stored, err := readTile(tx, level, count/tileWidth)
			if err != nil {
				return nil, err
			}
			if len(stored) != width {
				return nil, fault.Newf(fault.Internal, "audit-tree-broken", "tile %d/%d has %d hashes, not %d",
					level, count/tileWidth, len(stored), width)
			}
			hashes = append(hashes, stored...)
		}
		t.levels = append(t.levels, hashes)
	}
	return t, nil
}

// extends proves that the tree has the checkpoint's tree as a prefix: whoever
// changed the tiles meanwhile does not get them signed.
func extends(tx *store.Tx, t *tree, c Checkpoint) error {
	root := t.root()
	if c.Size == t.size && c.Root == root {
		return nil
	}
	if c.Size >= t.size {
		return fault.New(fault.Internal, "audit-tree-broken")
	}
	proof, err := tlog.ProveTree(t.size, c.Size, hashReader(tx, t.size, root))
	if err == nil {
		err = tlog.CheckTree(proof, t.size, root, c.Size, c.Root)
	}
	if err != nil {
		return fault.Wrap(fault.Internal, "audit-tree-broken", err)
	}
	return nil
}

// yield gives the lease back.
func (s *Sequencer) yield(ctx context.Context) error {
	if s.lead == nil {
		return nil
	}
	epoch := s.lead.epoch
	s.lead = nil
	return s.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE audit_log SET lease_until = 0 WHERE id = 1 AND epoch = $1`, epoch)
		return err
	})
}

// leaseEnd is when another node may take over if nothing is heard of us.
func (s *Sequencer) leaseEnd(now time.Time) int64 { return store.Micros(now.Add(s.o.Lease)) }
