package audit_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// tamper runs a change, wants it found (as one of the kinds, if any are given),
// undoes it and wants the log whole again.
func (l *log) tamper(t *testing.T, name string, change, undo func(), kinds ...string) {
	t.Helper()
	change()
	r, err := l.verify(t)
	if fault.Reason(err) != "audit-log-broken" {
		t.Errorf("%s: not found (%v)", name, err)
	}
	seen := func(f audit.Finding) bool { return slices.Contains(kinds, f.Kind) }
	if len(kinds) > 0 && !slices.ContainsFunc(r.Findings, seen) {
		t.Errorf("%s: found %v, want one of %v", name, r.Findings, kinds)
	}
	undo()
	if r, err := l.verify(t); err != nil {
		t.Fatalf("%s: not undone: %v", name, r.Findings)
	}
}

// blob is one stored byte string.
type blob struct{ table, column, key string }

func (b blob) String() string { return b.table + "." + b.column + " where " + b.key }

func (b blob) read(t *testing.T, db *store.DB) (value []byte) {
	t.Helper()
	query := fmt.Sprintf(`SELECT %s FROM %s WHERE %s`, b.column, b.table, b.key)
	err := db.Read(t.Context(), func(tx *store.Tx) error { return tx.QueryRow(query).Scan(&value) })
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

func (b blob) write(t *testing.T, db *store.DB, value []byte) {
	t.Helper()
	exec(t, db, fmt.Sprintf(`UPDATE %s SET %s = $1 WHERE %s`, b.table, b.column, b.key), value)
}

// mutated is a log worth changing: two levels of tiles, several checkpoints, the
// last of which covers everything.
func mutated(t *testing.T, db *store.DB) *log {
	t.Helper()
	l := newLog(t, db, audit.Options{})
	l.grow(t, 100, 156, 44, 230)
	l.whole(t)
	return l
}

// commitment returns the commitment of a leaf's details.
func (l *log) commitment(t *testing.T, seq int) string {
	t.Helper()
	b := blob{"audit_leaf", "leaf", fmt.Sprintf("seq = %d", seq)}
	r, err := audit.ParseRecord(fmt.Appendf(nil, `{"at":0,"leaf":%s,"seq":%d}`, b.read(t, l.db), seq))
	if err != nil {
		t.Fatal(err)
	}
	return r.Commitment
}

// literal writes bytes, given in hex, into a statement.
func literal(db *store.DB, hex string) string {
	if db.Engine() == "sqlite" {
		return "x'" + hex + "'"
	}
	return `'\x` + hex + "'"
}

// TestEveryFlippedByteIsFound flips one random bit in a sample of the bytes of every
// column that holds evidence.
func TestEveryFlippedByteIsFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := mutated(t, db)
		blobs := []blob{
			{"audit_leaf", "leaf", "seq = 0"},
			{"audit_leaf", "leaf", "seq = 255"},
			{"audit_leaf", "leaf", "seq = 529"},
			{"audit_tile", "hashes", "level = 0 AND n = 0"},
			{"audit_tile", "hashes", "level = 0 AND n = 2"},
			{"audit_tile", "hashes", "level = 1 AND n = 0"},
			{"audit_checkpoint", "note", "no = 1"},
			{"audit_checkpoint", "note", "no = 4"},
		}
		for _, column := range []string{"salt", "details"} {
			blobs = append(blobs, blob{"audit_detail", column, "commitment = " + literal(db, l.commitment(t, 10))})
		}
		random := rand.New(rand.NewPCG(1, 2))
		for _, b := range blobs {
			value := b.read(t, db)
			for range 12 {
				at := random.IntN(len(value))
				changed := slices.Clone(value)
				changed[at] ^= 1 << random.IntN(8)
				l.tamper(t, fmt.Sprintf("%s, byte %d", b, at),
					func() { b.write(t, db, changed) }, func() { b.write(t, db, value) })
			}
		}
	})
}

// TestMovedRowsAreFound: rows deleted, inserted, swapped, cut off.
func TestMovedRowsAreFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := mutated(t, db)
		run := func(queries ...string) func() {
			return func() {
				t.Helper()
				for _, q := range queries {
					exec(t, db, q)
				}
			}
		}
		swap := func(table, key string, a, b int) func() {
			set := func(from, to int) string {
				return fmt.Sprintf(`UPDATE %s SET %s = %d WHERE %s = %d`, table, key, to, key, from)
			}
			return run(set(a, -99), set(b, a), set(-99, b))
		}
		save := run(`CREATE TABLE kept_leaf AS SELECT * FROM audit_leaf`,
			`CREATE TABLE kept_tile AS SELECT * FROM audit_tile`,
			`CREATE TABLE kept_checkpoint AS SELECT * FROM audit_checkpoint`,
			`CREATE TABLE kept_detail AS SELECT * FROM audit_detail`,
			`CREATE TABLE kept_log AS SELECT * FROM audit_log`)
		back := func(table string) func() {
			return run(`DELETE FROM audit_`+table, `INSERT INTO audit_`+table+` SELECT * FROM kept_`+table)
		}
		all := func() {
			for _, table := range []string{"leaf", "tile", "checkpoint", "detail", "log"} {
				back(table)()
			}
		}
		save()

		l.tamper(t, "leaf deleted", run(`DELETE FROM audit_leaf WHERE seq = 77`), back("leaf"), audit.LeafMissing)
		l.tamper(t, "last leaf deleted", run(`DELETE FROM audit_leaf WHERE seq = 529`), back("leaf"), audit.LeafMissing)
		l.tamper(t, "leaves swapped", swap("audit_leaf", "seq", 5, 6), back("leaf"), audit.LeafChanged)
		l.tamper(t, "leaf inserted at the end",
			run(`INSERT INTO audit_leaf SELECT 530, at, leaf FROM audit_leaf WHERE seq = 529`), back("leaf"), audit.LogSize)
		l.tamper(t, "leaf inserted beyond",
			run(`INSERT INTO audit_leaf SELECT 5000, at, leaf FROM audit_leaf WHERE seq = 529`), back("leaf"), audit.LeafBeyond)
		l.tamper(t, "leaf replaced by another", run(`UPDATE audit_leaf SET leaf = (SELECT leaf FROM audit_leaf WHERE seq = 1) WHERE seq = 2`),
			back("leaf"), audit.LeafChanged)
		l.tamper(t, "leaf dated back", run(`UPDATE audit_leaf SET at = at - 1 WHERE seq = 300`), back("leaf"), audit.LeafChanged)
		l.tamper(t, "tail of leaves cut off", run(`DELETE FROM audit_leaf WHERE seq >= 500`), back("leaf"), audit.LeafMissing)
		l.tamper(t, "leaf and tile deleted", run(`DELETE FROM audit_leaf WHERE seq >= 256`, `DELETE FROM audit_tile WHERE n > 0`), all,
			audit.CheckpointBeyond)
		l.tamper(t, "tile deleted", run(`DELETE FROM audit_tile WHERE level = 0 AND n = 1`), back("tile"), audit.TileChanged)
		l.tamper(t, "tile of a higher level deleted", run(`DELETE FROM audit_tile WHERE level = 1`), back("tile"), audit.TileChanged)
		l.tamper(t, "tile added", run(`INSERT INTO audit_tile SELECT 4, 0, hashes FROM audit_tile WHERE level = 1`), back("tile"), audit.TileBeyond)
		l.tamper(t, "checkpoint deleted", run(`DELETE FROM audit_checkpoint WHERE no = 2`), back("checkpoint"), audit.CheckpointMissing)
		l.tamper(t, "first checkpoint deleted", run(`DELETE FROM audit_checkpoint WHERE no = 1`), back("checkpoint"), audit.CheckpointMissing)
		l.tamper(t, "checkpoints swapped", swap("audit_checkpoint", "no", 2, 3), back("checkpoint"), audit.CheckpointBroken)
		l.tamper(t, "checkpoint moved in front", run(`UPDATE audit_checkpoint SET no = 0 WHERE no = 1`), back("checkpoint"), audit.CheckpointMissing)
		l.tamper(t, "checkpoint over another size", run(`UPDATE audit_checkpoint SET size = size + 1 WHERE no = 2`), back("checkpoint"),
			audit.CheckpointBroken)
		l.tamper(t, "log size changed", run(`UPDATE audit_log SET size = size + 1`), back("log"), audit.LogSize)
		l.tamper(t, "log time changed", run(`UPDATE audit_log SET at = at - 1`), back("log"), audit.LogSize)
		l.tamper(t, "details deleted", run(`DELETE FROM audit_detail WHERE commitment = (SELECT commitment FROM audit_detail ORDER BY commitment LIMIT 1)`),
			back("detail"), audit.DetailMissing)
		l.tamper(t, "details moved", run(`DELETE FROM audit_detail WHERE commitment = (SELECT commitment FROM kept_detail ORDER BY commitment LIMIT 1)`,
			`INSERT INTO audit_detail SELECT salt, salt, details FROM kept_detail WHERE commitment = (SELECT commitment FROM kept_detail ORDER BY commitment LIMIT 1)`),
			back("detail"), audit.DetailUnknown)
		l.clock.Move(-time.Hour) // nobody waits yet
		l.tamper(t, "last checkpoint deleted", func() {
			run(`DELETE FROM audit_checkpoint WHERE no = 4`)()
			l.clock.Move(2 * time.Hour)
		}, all, audit.CheckpointLate)
	})
}

// TestCutTailNeedsAnOutsideCheckpoint: the end of the log cut off with its
// checkpoints, tiles and size leaves a whole, shorter log; only a checkpoint kept
// elsewhere tells.
func TestCutTailNeedsAnOutsideCheckpoint(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := newLog(t, db, audit.Options{})
		l.grow(t, 256)
		exec(t, db, `CREATE TABLE kept_log AS SELECT * FROM audit_log`)
		exec(t, db, `CREATE TABLE kept_detail AS SELECT * FROM audit_detail`)
		early := l.latest(t)
		l.grow(t, 30)
		late := l.latest(t)

		exec(t, db, `DELETE FROM audit_checkpoint WHERE size > 256`)
		exec(t, db, `DELETE FROM audit_tile WHERE n > 0`)
		exec(t, db, `DELETE FROM audit_leaf WHERE seq >= 256`)
		exec(t, db, `DELETE FROM audit_detail WHERE commitment NOT IN (SELECT commitment FROM kept_detail)`)
		exec(t, db, `DELETE FROM audit_log`)
		exec(t, db, `INSERT INTO audit_log SELECT * FROM kept_log`)

		kinds := func(since ...[]byte) (kinds []string) {
			r, _ := l.verify(t, since...)
			for _, f := range r.Findings {
				kinds = append(kinds, f.Kind)
			}
			return kinds
		}
		if got := kinds(early); len(got) != 0 {
			t.Errorf("with the early checkpoint: found %v, want nothing", got)
		}
		if got := kinds(early, late); !slices.Equal(got, []string{audit.SinceBeyond}) {
			t.Errorf("with the late checkpoint: found %v, want %s", got, audit.SinceBeyond)
		}
	})
}

// TestForkIsFound: the operator's own key signs two histories.
func TestForkIsFound(t *testing.T) {
	t.Parallel()
	db, forked := storetest.SQLite(t), storetest.SQLite(t)
	l := newLog(t, db, audit.Options{})
	l.grow(t, 5)
	f := &log{db: forked, skey: l.skey, vkey: l.vkey, clock: newClock()}
	f.sequencer = f.another(t, audit.Options{})
	f.grow(t, 5, 2)
	f.whole(t)
	r, err := f.verify(t, l.latest(t))
	if err == nil || r.Findings[0].Kind != audit.SinceDiffers {
		t.Errorf("got %v, %v, want %s", r.Findings, err, audit.SinceDiffers)
	}
	other := newLog(t, storetest.SQLite(t), audit.Options{})
	other.grow(t, 1)
	if r, err := f.verify(t, other.latest(t)); err == nil || r.Findings[0].Kind != audit.SinceBroken {
		t.Errorf("another key's checkpoint: got %v, want %s", r.Findings, audit.SinceBroken)
	}
	if _, err := audit.Verify(t.Context(), forked, other.vkey, audit.VerifyOptions{}); fault.Reason(err) != "audit-log-broken" {
		t.Errorf("another key verifies: %v", err)
	}
}

// TestForgottenLeafIsFound: a leaf waits for its number for longer than it should.
func TestForgottenLeafIsFound(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	l := newLog(t, db, audit.Options{})
	l.grow(t, 2)
	l.append(t, 1)
	l.clock.Move(-time.Since(l.clock.Now()) - 10*time.Second) // the leaf's time is the store's
	r, err := audit.Verify(t.Context(), db, l.vkey, audit.VerifyOptions{Now: time.Now})
	if err != nil || r.Pending != 1 {
		t.Errorf("a fresh leaf: %d pending, %v", r.Pending, err)
	}
	r, err = audit.Verify(t.Context(), db, l.vkey, audit.VerifyOptions{Now: func() time.Time { return time.Now().Add(time.Minute) }})
	if err == nil || r.Findings[0].Kind != audit.LeafUnnumbered {
		t.Errorf("an old leaf: found %v, want %s", r.Findings, audit.LeafUnnumbered)
	}
	exec(t, db, `UPDATE audit_pending SET leaf = $1`, []byte(`{"act":"x y"}`))
	if r, err := l.verify(t); err == nil || r.Findings[0].Kind != audit.LeafMalformed {
		t.Errorf("a malformed leaf: found %v, want %s", r.Findings, audit.LeafMalformed)
	}
}
