package audit_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// TestEveryLeafAndEveryPastIsProved: after each growth, inclusion of leaves and
// consistency with every earlier checkpoint; tlog checks what our tiles gave.
func TestEveryLeafAndEveryPastIsProved(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := newLog(t, db, audit.Options{})
		var past [][]byte
		size := 0
		for _, n := range []int{1, 1, 1, 4, 120, 128, 1, 1, 256, 300} {
			l.grow(t, n)
			size += n
			past = append(past, l.latest(t))
			for _, seq := range []int{0, size / 2, size - n, size - 1} {
				var p audit.Inclusion
				err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
					p, err = audit.Prove(tx, int64(seq))
					return err
				})
				if err != nil {
					t.Fatalf("prove %d of %d: %v", seq, size, err)
				}
				r, err := p.Verify(l.vkey)
				if err != nil || r.Leaf.Object != delivered(seq).Object {
					t.Fatalf("proof of %d in %d: %s, %v", seq, size, r.Leaf.Object, err)
				}
			}
			for i, old := range past {
				p := l.consistency(t, old)
				if err := p.Verify(l.vkey); err != nil {
					t.Fatalf("checkpoint %d in %d: %v", i, size, err)
				}
			}
		}
		l.whole(t)
	})
}

func (l *log) consistency(t *testing.T, old []byte) audit.Consistency {
	t.Helper()
	var p audit.Consistency
	err := l.db.Read(t.Context(), func(tx *store.Tx) (err error) {
		p, err = audit.ProveConsistency(tx, old)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestForgedProofsAreRefused(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	l := newLog(t, db, audit.Options{})
	l.grow(t, 20)
	old := l.latest(t)
	l.grow(t, 20)
	var good audit.Inclusion
	err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
		if _, err := audit.Prove(tx, 40); fault.Reason(err) != "audit-leaf-unknown" {
			t.Errorf("leaf beyond the log: got %v", err)
		}
		good, err = audit.Prove(tx, 7)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	packed, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	var again audit.Inclusion
	if err := json.Unmarshal(packed, &again); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Verify(l.vkey); err != nil {
		t.Errorf("a proof that travelled as JSON: %v", err)
	}
	for name, forge := range map[string]func(p *audit.Inclusion){
		"other number":  func(p *audit.Inclusion) { p.Seq = 8 },
		"other record":  func(p *audit.Inclusion) { p.Record = []byte(strings.Replace(string(p.Record), "done", "refused", 1)) },
		"other path":    func(p *audit.Inclusion) { p.Path = slices.Clone(p.Path); p.Path[0][0]++ },
		"no path":       func(p *audit.Inclusion) { p.Path = nil },
		"old signature": func(p *audit.Inclusion) { p.Checkpoint = old },
		"other size": func(p *audit.Inclusion) {
			p.Checkpoint = []byte(strings.Replace(string(p.Checkpoint), "\n40\n", "\n41\n", 1))
		},
	} {
		p := good
		forge(&p)
		if _, err := p.Verify(l.vkey); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	c := l.consistency(t, old)
	c.Old, c.New = c.New, c.Old
	if err := c.Verify(l.vkey); fault.Reason(err) != "audit-proof-wrong" {
		t.Errorf("a log that shrinks: got %v, want audit-proof-wrong", err)
	}
}

// TestErasedDetailsLeaveTheTreeWhole (GDPR erasure, spec security 5).
func TestErasedDetailsLeaveTheTreeWhole(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := newLog(t, db, audit.Options{})
		l.grow(t, 30)
		commitment := l.commitment(t, 20)
		read := func() (details []byte, err error) {
			err = db.Read(t.Context(), func(tx *store.Tx) (err error) {
				details, err = audit.Details(tx, commitment)
				return err
			})
			return details, err
		}
		if got, err := read(); err != nil || string(got) != "sealed details" {
			t.Fatalf("got %q, %v", got, err)
		}
		erase := func() error {
			return db.Write(t.Context(), func(tx *store.Tx) error {
				return audit.EraseDetails(tx, commitment, audit.Leaf{Actor: "77aa", Role: "operator", Purpose: "retention"})
			})
		}
		if err := erase(); err != nil {
			t.Fatal(err)
		}
		if r := l.whole(t); r.Erased != 1 || r.Details != 2 { // the leaf of the erasure is not numbered yet
			t.Errorf("got %d erased, %d kept, want 1 and 2", r.Erased, r.Details)
		}
		l.step(t)
		if r := l.whole(t); r.Erased != 1 || r.Details != 2 || r.Leaves != 31 {
			t.Errorf("got %d erased, %d kept, %d leaves, want 1, 2 and 31", r.Erased, r.Details, r.Leaves)
		}
		if _, err := read(); fault.Reason(err) != "audit-details-unknown" {
			t.Errorf("read after erasure: %v", err)
		}
		if err := erase(); fault.Reason(err) != "audit-details-unknown" {
			t.Errorf("second erasure: %v", err)
		}
	})
}
