package audit

import (
	"context"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// pending is one unnumbered leaf.
type pending struct {
	id   string
	leaf []byte
}

// plan is one numbering write, computed before the transaction that makes it.
type plan struct {
	epoch, from, to int64
	at, lease       int64
	leaves          []pending
	tiles           []tile
	checkpoint      Checkpoint
	note            []byte
}

// Step numbers one batch of leaves, if there are any and the lease is ours or to be
// had, and signs a checkpoint if one is due. Run calls it; tests do too.
func (s *Sequencer) Step(ctx context.Context) (Step, error) {
	row, batch, err := s.look(ctx)
	if err != nil {
		return Step{}, err
	}
	if !s.holds(row) {
		if len(batch) == 0 && s.settled(ctx, row) {
			return Step{Leading: true}, nil
		}
		if ok, err := s.acquire(ctx, row); !ok {
			return Step{}, err
		}
		if row.size != s.lead.tree.size {
			return Step{Leading: true, Open: true}, nil // numbered by another meanwhile: look again
		}
	}
	p, grown, err := s.plan(batch)
	if err != nil {
		return Step{}, err
	}
	if p.to == p.from && p.note == nil {
		return Step{Leading: true, Open: s.lead.covered < p.to}, nil
	}
	if err := s.db.Write(ctx, p.apply); err != nil {
		// Also when the outcome of the commit is unknown: the database is asked again.
		s.lead = nil
		if fault.Reason(err) == "audit-lease-lost" {
			s.o.Logger.Info("audit.lease.lost", "epoch", p.epoch)
			return Step{}, nil
		}
		return Step{}, err
	}
	s.lead.tree, s.lead.at = grown, p.at
	if p.note != nil {
		c := p.checkpoint
		s.lead.no, s.lead.covered, s.lead.signedAt = c.No, c.Size, c.At
		s.o.Logger.Debug("audit.signed", "size", c.Size, "checkpoint", c.No)
	}
	return Step{Leading: true, Numbered: len(batch), Signed: p.note != nil, Open: s.lead.covered < p.to}, nil
}

// look reads the state of the log and the oldest unnumbered leaves.
func (s *Sequencer) look(ctx context.Context) (row logRow, batch []pending, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		if row, err = readLog(tx); err != nil {
			return err
		}
		batch, err = readPending(tx, s.o.Batch)
		return err
	})
	return row, batch, err
}

func readPending(tx *store.Tx, limit int) ([]pending, error) {
	rows, err := tx.Query(`SELECT id, leaf FROM audit_pending ORDER BY id LIMIT $1`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var batch []pending
	for rows.Next() {
		var p pending
		if err := rows.Scan(&p.id, &p.leaf); err != nil {
			return nil, err
		}
		batch = append(batch, p)
	}
	return batch, rows.Err()
}

// settled reports whether the last checkpoint covers the whole log: then nobody
// needs the lease. Errors count as no: taking the lease will show them.
func (s *Sequencer) settled(ctx context.Context, row logRow) bool {
	var covered int64
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		return scan(tx.QueryRow(`SELECT COALESCE(MAX(size), 0) FROM audit_checkpoint`), &covered)
	})
	return err == nil && covered == row.size
}

// plan computes the numbering of a batch: hashes and signature outside the
// transaction, because functions of Write hold SQLite's only writer.
func (s *Sequencer) plan(batch []pending) (*plan, *tree, error) {
	now := s.o.Now()
	grown := s.lead.tree.clone()
	p := &plan{
		epoch: s.lead.epoch, from: s.lead.tree.size, leaves: batch,
		at: s.lead.at, lease: s.leaseEnd(now),
	}
	if len(batch) > 0 {
		// Spec security 3.1: the clock may jump; the log's time never falls.
		if behind := s.lead.at - store.Micros(now); behind > time.Second.Microseconds() {
			s.o.Logger.Warn("audit.clock.behind", "by", time.Duration(behind)*time.Microsecond)
		}
		p.at = max(s.lead.at, store.Micros(now))
		for _, l := range batch {
			grown.add(tlog.RecordHash(formatRecord(grown.size, p.at, l.leaf)), func(t tile) { p.tiles = append(p.tiles, t) })
		}
		p.tiles = append(p.tiles, changed(grown.edge(), s.lead.tree)...)
	}
	p.to = grown.size
	if p.to > s.lead.covered && now.Sub(s.lead.signedAt) >= s.o.CheckpointEvery {
		c := Checkpoint{Origin: s.signer.Name(), Size: p.to, Root: grown.root(), No: s.lead.no + 1, At: now.UTC().Truncate(time.Microsecond)}
		msg, err := note.Sign(&note.Note{Text: c.text()}, s.signer)
		if err != nil {
			return nil, nil, fault.Wrap(fault.Internal, "audit-signing-failed", err)
		}
		p.checkpoint, p.note = c, msg
	}
	return p, grown, nil
}

// changed leaves out the tiles of an edge that an older tree already had.
func changed(edge []tile, old *tree) []tile {
	var out []tile
	for _, t := range edge {
		if old.size>>(tileHeight*t.level) != t.n*tileWidth+int64(len(t.hashes)) {
			out = append(out, t)
		}
	}
	return out
}

// apply makes the plan true, or nothing of it: Conflict "audit-lease-lost" when
// another sequencer numbered meanwhile.
func (p *plan) apply(tx *store.Tx) error {
	n, err := tx.Exec(`UPDATE audit_log SET size = $1, at = $2, lease_until = $3 WHERE id = 1 AND epoch = $4 AND size = $5`,
		p.to, p.at, p.lease, p.epoch, p.from)
	if err != nil {
		return err
	}
	if n != 1 {
		return fault.New(fault.Conflict, "audit-lease-lost")
	}
	if err := inChunks(len(p.leaves), func(from, to int) error { return p.number(tx, from, to) }); err != nil {
		return err
	}
	for _, t := range p.tiles {
		if err := writeTile(tx, t); err != nil {
			return err
		}
	}
	if p.note == nil {
		return nil
	}
	_, err = tx.Exec(`INSERT INTO audit_checkpoint (no, size, note) VALUES ($1, $2, $3)`, p.checkpoint.No, p.checkpoint.Size, p.note)
	return err
}

// number moves some leaves of the batch from the unnumbered to the numbered.
func (p *plan) number(tx *store.Tx, from, to int) error {
	leaves := make([]any, 0, 3*(to-from))
	ids := make([]any, 0, to-from)
	for i := from; i < to; i++ {
		leaves = append(leaves, p.from+int64(i), p.at, p.leaves[i].leaf)
		ids = append(ids, p.leaves[i].id)
	}
	if _, err := tx.Exec(`INSERT INTO audit_leaf (seq, at, leaf) VALUES `+tuples(to-from, 3), leaves...); err != nil {
		return err
	}
	list := strings.Trim(tuples(1, to-from), "()")
	n, err := tx.Exec(`DELETE FROM audit_pending WHERE id IN (`+list+`)`, ids...)
	if err != nil {
		return err
	}
	if int(n) != to-from {
		return fault.New(fault.Conflict, "audit-lease-lost") // somebody took leaves away: look again
	}
	return nil
}
