package audit_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/bus"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestLeavesAreNumberedWithoutGaps(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := newLog(t, db, audit.Options{Batch: 100})
		l.grow(t, 1, 1, 253, 1, 1, 300)
		r := l.whole(t)
		if r.Leaves != 557 || r.Pending != 0 || r.Last.Size != 557 {
			t.Errorf("got %d leaves, %d pending, %d covered", r.Leaves, r.Pending, r.Last.Size)
		}
		if r.Details != 56 {
			t.Errorf("got %d details, want 56", r.Details)
		}
		if r.Checkpoints < 6 {
			t.Errorf("got %d checkpoints, want at least 6", r.Checkpoints)
		}
	})
}

// TestFailedActLeavesNoLeaf: the leaf is in the act's transaction.
func TestFailedActLeavesNoLeaf(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := newLog(t, db, audit.Options{})
		want := fault.New(fault.Denied, "no")
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			leaf := delivered(0)
			leaf.Details = []byte("x")
			if err := audit.Append(tx, leaf); err != nil {
				return err
			}
			return want
		})
		if fault.Reason(err) != "no" {
			t.Fatal(err)
		}
		l.grow(t, 2)
		if r := l.whole(t); r.Leaves != 2 || r.Details != 1 {
			t.Errorf("got %d leaves and %d details, want 2 and 1", r.Leaves, r.Details)
		}
	})
}

func TestCheckpointsKeepTheirPace(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	l := newLog(t, db, audit.Options{CheckpointEvery: 4 * time.Second})
	signed := func() bool {
		t.Helper()
		step, err := l.sequencer.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return step.Signed
	}
	if signed() {
		t.Error("an empty log was signed")
	}
	l.append(t, 1)
	if !signed() {
		t.Error("the first leaf was not signed at once")
	}
	l.clock.Move(time.Second)
	l.append(t, 1)
	if signed() {
		t.Error("signed again after one second")
	}
	l.clock.Move(3 * time.Second)
	if !signed() {
		t.Error("not signed after four seconds")
	}
	l.clock.Move(time.Hour)
	if signed() {
		t.Error("signed again without a new leaf")
	}
	if r := l.whole(t); r.Checkpoints != 2 {
		t.Errorf("got %d checkpoints, want 2", r.Checkpoints)
	}
}

// TestTimeOfTheLogNeverFalls: the clock of the node steps back, the log's does not.
func TestTimeOfTheLogNeverFalls(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	l := newLog(t, db, audit.Options{})
	l.grow(t, 3)
	l.clock.Move(-time.Hour)
	l.append(t, 3)
	if step, err := l.sequencer.Step(t.Context()); err != nil || step.Numbered != 3 {
		t.Fatalf("got %+v, %v", step, err)
	}
	l.clock.Move(time.Hour)
	l.step(t)
	l.whole(t)
}

// TestLostLeaseIsFenced: a sequencer that was taken for dead may not number.
func TestLostLeaseIsFenced(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := newLog(t, db, audit.Options{Lease: 5 * time.Second})
		other := l.another(t, audit.Options{Lease: 5 * time.Second})
		l.append(t, 3)
		if step, err := l.sequencer.Step(t.Context()); err != nil || step.Numbered != 3 {
			t.Fatalf("got %+v, %v", step, err)
		}

		l.append(t, 1)
		if step, err := other.Step(t.Context()); err != nil || step.Leading {
			t.Fatalf("a second sequencer numbers within the lease: %+v, %v", step, err)
		}
		l.clock.Move(6 * time.Second)
		if step, err := other.Step(t.Context()); err != nil || step.Numbered != 1 {
			t.Fatalf("the second sequencer does not take over: %+v, %v", step, err)
		}
		l.append(t, 1)
		if step, err := l.sequencer.Step(t.Context()); err != nil || step.Leading {
			t.Fatalf("the first sequencer still numbers: %+v, %v", step, err)
		}
		l.clock.Move(6 * time.Second)
		l.step(t) // the first takes over again
		if r := l.whole(t); r.Leaves != 5 {
			t.Errorf("got %d leaves, want 5", r.Leaves)
		}
	})
}

// TestSequencersCompete: several sequencers without patience for each other's
// leases, while leaves are appended; every leaf is numbered once.
func TestSequencersCompete(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := newLog(t, db, audit.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var wg sync.WaitGroup
		for range 3 {
			s := l.another(t, audit.Options{Lease: time.Microsecond, Batch: 7, CheckpointEvery: time.Millisecond, Now: time.Now})
			wg.Go(func() {
				for ctx.Err() == nil {
					if _, err := s.Step(ctx); err != nil && ctx.Err() == nil && !fault.Is(err, fault.Transient) {
						t.Errorf("step: %v", err)
						return
					}
				}
			})
		}
		for range 40 {
			l.append(t, 5)
		}
		for count(t, db, `SELECT COUNT(*) FROM audit_pending`) > 0 {
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
		wg.Wait()
		l.clock.Move(time.Since(l.clock.Now()) + time.Minute) // the race ran on the real clock
		l.sequencer = l.another(t, audit.Options{})
		l.step(t)
		if r := l.whole(t); r.Leaves != 200 {
			t.Errorf("got %d leaves, want 200", r.Leaves)
		}
	})
}

// TestRunNumbersSoon: poked by the bus, on the real clock. The limit is far above
// the second that is promised: the machine may be busy with other tests.
func TestRunNumbersSoon(t *testing.T) {
	t.Parallel()
	b := bus.InProcess()
	storetest.EachWith(t, store.Options{Publish: func(topics []string) { b.Publish(topics...) }}, func(t *testing.T, db *store.DB) {
		l := newLog(t, db, audit.Options{Bus: b, Now: time.Now, Gather: 20 * time.Millisecond})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.sequencer.Run(ctx) }()
		start := time.Now()
		l.append(t, 3)
		for count(t, db, `SELECT COUNT(*) FROM audit_pending`) > 0 {
			time.Sleep(5 * time.Millisecond)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("numbered after %v", took)
		}
		l.append(t, 2)
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		r, err := audit.Verify(t.Context(), db, l.vkey, audit.VerifyOptions{})
		if err != nil || r.Leaves != 5 || r.Last.Size != 5 {
			t.Errorf("after a clean stop: %d leaves, %d covered, %v", r.Leaves, r.Last.Size, err)
		}
		if n := count(t, db, `SELECT lease_until FROM audit_log`); n != 0 {
			t.Errorf("the lease was not given back")
		}
	})
}

// TestVerifyBesideAWorkingLog: verification in pieces finds nothing wrong with a log
// that grows, erases and signs meanwhile.
func TestVerifyBesideAWorkingLog(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := newLog(t, db, audit.Options{})
		l.grow(t, 256) // ends with a tile
		stop, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				l.grow(t, 64)
				if i > 25 {
					continue // every tenth of the first 256 leaves has details
				}
				err := db.Write(t.Context(), func(tx *store.Tx) error {
					return audit.EraseDetails(tx, l.commitment(t, 10*i), audit.Leaf{Role: "operator"})
				})
				if err != nil {
					t.Errorf("erase: %v", err)
					return
				}
			}
		}()
		for range 15 {
			r, err := audit.Verify(t.Context(), db, l.vkey, audit.VerifyOptions{Piece: 256})
			if err != nil {
				t.Errorf("after %d leaves: %v", r.Leaves, r.Findings)
			}
		}
		close(stop)
		<-ended
		l.step(t)
		r, err := audit.Verify(t.Context(), db, l.vkey, audit.VerifyOptions{Piece: 1})
		if err != nil || r.Erased == 0 || r.Pending != 0 {
			t.Errorf("%d erased, %d pending, %v: %v", r.Erased, r.Pending, err, r.Findings)
		}
	})
}

// TestBrokenTreeIsNotSigned: who changed the tiles while nobody led does not get
// them signed.
func TestBrokenTreeIsNotSigned(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, query := range map[string]string{
			"tile changed":       `UPDATE audit_tile SET hashes = (SELECT hashes FROM audit_tile WHERE level = 1 AND n = 0) WHERE level = 0 AND n = 2`,
			"tile gone":          `DELETE FROM audit_tile WHERE level = 1`,
			"size rolled back":   `UPDATE audit_log SET size = size - 1`,
			"checkpoint swapped": `UPDATE audit_checkpoint SET note = (SELECT note FROM audit_checkpoint WHERE no = 1)`,
		} {
			l := newLog(t, db, audit.Options{})
			for _, table := range []string{"audit_leaf", "audit_tile", "audit_checkpoint", "audit_pending", "audit_detail"} {
				exec(t, db, `DELETE FROM `+table)
			}
			exec(t, db, `UPDATE audit_log SET size = 0, at = 0, lease_until = 0, holder = ''`)
			l.grow(t, 300, 212, 2) // the tile of level 1 and the last of level 0 hold two hashes each
			exec(t, db, query)
			l.append(t, 1)
			l.clock.Move(time.Minute)
			_, err := l.another(t, audit.Options{}).Step(t.Context())
			if name == "checkpoint swapped" {
				// An older true checkpoint is extended by the tree: not a fork, and Verify finds it.
				_, err = l.verify(t)
				if fault.Reason(err) != "audit-log-broken" {
					t.Errorf("%s: got %v, want audit-log-broken", name, err)
				}
				continue
			}
			if fault.Reason(err) != "audit-tree-broken" {
				t.Fatalf("%s: got %v, want audit-tree-broken", name, err)
			}
			l.clock.Move(time.Minute)
			if err := l.another(t, audit.Options{}).Run(t.Context()); fault.Reason(err) != "audit-tree-broken" {
				t.Errorf("%s: Run returned %v, want audit-tree-broken", name, err)
			}
		}
	})
}

func TestLogBelongsToOneOrigin(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	newLog(t, db, audit.Options{}).grow(t, 1)
	exec(t, db, `UPDATE audit_log SET lease_until = 0`)
	skey, _, err := audit.NewKey("city")
	if err != nil {
		t.Fatal(err)
	}
	s, err := audit.NewSequencer(db, skey, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return audit.Append(tx, delivered(1)) }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Step(t.Context()); fault.Reason(err) != "audit-origin-differs" {
		t.Errorf("got %v, want audit-origin-differs", err)
	}
}

func TestKeysAreChecked(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{"", "two words", "a+b"} {
		if _, _, err := audit.NewKey(origin); fault.Reason(err) != "audit-key-malformed" {
			t.Errorf("origin %q: got %v", origin, err)
		}
	}
	if _, err := audit.NewSequencer(nil, "nonsense", audit.Options{}); fault.Reason(err) != "audit-key-malformed" {
		t.Errorf("signing key: got %v", err)
	}
	for range 50 { // base64 of some keys holds a "+"
		skey, vkey, err := audit.NewKey("hospital")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := audit.VerifierKey(skey); err != nil || got != vkey {
			t.Fatalf("got %q, %v, want %q", got, err, vkey)
		}
	}
}
