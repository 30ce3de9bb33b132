package audit_test

import (
	"os"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// TestLogOfThreeLevels grows a log past 65,536 leaves, where tiles reach a third
// level, and checks it with proofs across all of them.
func TestLogOfThreeLevels(t *testing.T) {
	t.Parallel()
	if os.Getenv("LONG") == "" {
		t.Skip("66,000 leaves: LONG=1 runs it")
	}
	db := storetest.SQLite(t)
	l := newLog(t, db, audit.Options{Batch: 4096})
	l.grow(t, 700)
	early := l.latest(t)
	for range 9 {
		l.append(t, 7200)
	}
	l.step(t)
	l.grow(t, 300) // ends 264 leaves behind the third level's first tile
	r := l.whole(t)
	if r.Leaves != 65_800 {
		t.Fatalf("got %d leaves, want 65,800", r.Leaves)
	}
	if n := count(t, db, `SELECT MAX(level) FROM audit_tile`); n != 2 {
		t.Errorf("got tiles up to level %d, want 2", n)
	}
	if err := l.consistency(t, early).Verify(l.vkey); err != nil {
		t.Error(err)
	}
	for _, seq := range []int64{0, 699, 65_535, 65_536, 65_799} {
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			p, err := audit.Prove(tx, seq)
			if err != nil {
				return err
			}
			_, err = p.Verify(l.vkey)
			return err
		})
		if err != nil {
			t.Errorf("leaf %d: %v", seq, err)
		}
	}
	// A sequencer that starts on such a log goes on with it.
	l.sequencer = l.another(t, audit.Options{})
	l.grow(t, 1)
	l.whole(t)
}

// BenchmarkNumber measures how fast a backlog is numbered and signed.
func BenchmarkNumber(b *testing.B) {
	eachEngine(b, func(b *testing.B, db *store.DB) {
		skey, _, err := audit.NewKey("hospital")
		if err != nil {
			b.Fatal(err)
		}
		s, err := audit.NewSequencer(db, skey, audit.Options{})
		if err != nil {
			b.Fatal(err)
		}
		appendMany(b, db, b.N)
		b.ResetTimer()
		for numbered := 0; numbered < b.N; {
			step, err := s.Step(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			numbered += step.Numbered
		}
	})
}

// BenchmarkVerify measures verification.
func BenchmarkVerify(b *testing.B) {
	eachEngine(b, func(b *testing.B, db *store.DB) {
		skey, vkey, err := audit.NewKey("hospital")
		if err != nil {
			b.Fatal(err)
		}
		s, err := audit.NewSequencer(db, skey, audit.Options{CheckpointEvery: time.Nanosecond})
		if err != nil {
			b.Fatal(err)
		}
		appendMany(b, db, b.N)
		for numbered := 0; numbered < b.N; {
			step, err := s.Step(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			numbered += step.Numbered
		}
		b.ResetTimer()
		if r, err := audit.Verify(b.Context(), db, vkey, audit.VerifyOptions{}); err != nil {
			b.Fatal(err, r.Findings)
		}
	})
}

// BenchmarkAppend measures one act of one leaf, 32 at a time.
func BenchmarkAppend(b *testing.B) {
	eachEngine(b, func(b *testing.B, db *store.DB) {
		b.SetParallelism(16)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				err := db.Write(b.Context(), func(tx *store.Tx) error { return audit.Append(tx, delivered(1)) })
				if err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func eachEngine(b *testing.B, bench func(*testing.B, *store.DB)) {
	b.Helper()
	for _, e := range []struct {
		name string
		open func(testing.TB) *store.DB
	}{{"sqlite", storetest.SQLite}, {"postgres", storetest.Postgres}} {
		b.Run(e.name, func(b *testing.B) {
			db := e.open(b)
			b.ResetTimer()
			bench(b, db)
		})
	}
}

func appendMany(b *testing.B, db *store.DB, n int) {
	b.Helper()
	for from := 0; from < n; from += 500 {
		err := db.Write(b.Context(), func(tx *store.Tx) error {
			for i := from; i < min(from+500, n); i++ {
				if err := audit.Append(tx, delivered(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
