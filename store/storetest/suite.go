package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Opener opens a fresh and empty database with these options and closes it with
// the test.
type Opener func(t *testing.T, o store.Options) *store.DB

// Run holds an engine against the contract of package store. The sentences are
// the contract; each subtest opens databases of its own.
func Run(t *testing.T, open Opener) {
	t.Helper()
	for _, c := range []struct {
		sentence string
		test     func(*testing.T, Opener)
	}{
		{"a caller who hung up before never runs", cancelledBefore},
		{"a caller who hangs up while waiting is answered at once and never runs", cancelledWaiting},
		{"a caller who hangs up during the run is answered with its outcome", cancelledDuring},
		{"a reader who hangs up gets no further statement", cancelledReading},
		{"a panic reaches its caller and nobody else", panics},
		{"a function that ends its goroutine ends its caller and nobody else", exits},
		{"a failing function leaves nothing and harms nobody", oneBadAmongGood},
		{"a failing commit harms only the function that caused it", failingCommit},
		{"a full disk is transient and harms only the function that met it", diskFull},
		{"a failed statement spoils the function", spoilt},
		{"a violated constraint is a conflict", constraints},
		{"two writers in opposite order both succeed", oppositeOrder},
		{"no update is lost", lostUpdates},
		{"a function that runs twice counts once", runsTwice},
		{"topics are published after the commit, sorted, each once", publishes},
		{"topics of what was rolled back are dropped", dropsTopics},
		{"a read sees one snapshot", snapshot},
		{"a read changes nothing", readOnly},
		{"a write is seen by the next read", readsOwnWrites},
		{"closing lets the running end and answers the waiting", closing},
		{"the time is fixed within a run", fixedNow},
		{"ids and other text sort by bytes", sortsByBytes},
		{"values come back as they were", values},
		{"a transaction is used as it should be", misuse},
		{"several statements in one text run in turn", scripts},
		{"the counters count", counts},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			t.Parallel()
			c.test(t, open)
		})
	}
}

// counters makes a table of counters that start at 0.
func counters(t *testing.T, db *store.DB, ids ...string) {
	t.Helper()
	must(t, db, func(tx *store.Tx) error {
		if _, err := tx.Exec("CREATE TABLE suite_counter (id TEXT PRIMARY KEY, n BIGINT NOT NULL)"); err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := tx.Exec("INSERT INTO suite_counter VALUES ($1, 0)", id); err != nil {
				return err
			}
		}
		return nil
	})
}

// add counts up under the row's lock.
func add(tx *store.Tx, id string) error {
	n, err := tx.Exec("UPDATE suite_counter SET n = n + 1 WHERE id = $1", id)
	if err == nil && n != 1 {
		return fault.Newf(fault.NotFound, "suite-counter", "%d rows", n)
	}
	return err
}

// insert makes a counter.
func insert(tx *store.Tx, id string) error {
	_, err := tx.Exec("INSERT INTO suite_counter VALUES ($1, 1)", id)
	return err
}

// count reads a counter; -1 if there is none.
func count(t *testing.T, db *store.DB, id string) int64 {
	t.Helper()
	n := int64(-1)
	if err := db.Read(t.Context(), func(tx *store.Tx) error {
		n = -1
		err := tx.QueryRow("SELECT n FROM suite_counter WHERE id = $1", id).Scan(&n)
		if errors.Is(err, store.ErrNoRows) {
			return nil
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// wantCount checks a counter.
func wantCount(t *testing.T, db *store.DB, id string, want int64) {
	t.Helper()
	if got := count(t, db, id); got != want {
		t.Errorf("counter %s: got %d, want %d", id, got, want)
	}
}

// must writes without a failure.
func must(t *testing.T, db *store.DB, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// wantFault checks an error's kind and reason.
func wantFault(t *testing.T, err error, kind fault.Kind, reason string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind || fault.Reason(err) != reason {
		t.Errorf("got error %v (%v, %s), want %v, %s", err, fault.KindOf(err), fault.Reason(err), kind, reason)
	}
}

// hold keeps a turn busy until release is called, so that others queue up
// behind it: on SQLite they then share its batch.
func hold(t *testing.T, db *store.DB) (release func()) {
	t.Helper()
	running, free := make(chan struct{}), make(chan struct{})
	var begun, freed sync.Once
	done := make(chan error, 1)
	go func() {
		done <- db.Write(context.Background(), func(*store.Tx) error {
			begun.Do(func() { close(running) })
			<-free
			return nil
		})
	}()
	<-running
	release = func() {
		freed.Do(func() {
			close(free)
			if err := <-done; err != nil {
				t.Errorf("the function that held the turn: %v", err)
			}
		})
	}
	t.Cleanup(release)
	return release
}

// together runs the functions so that on SQLite they share a batch, and returns
// their errors in order.
func together(t *testing.T, db *store.DB, fns ...func(tx *store.Tx) error) []error {
	t.Helper()
	release := hold(t, db)
	errs := make([]error, len(fns))
	var wg sync.WaitGroup
	for i, fn := range fns {
		wg.Go(func() { errs[i] = db.Write(context.WithoutCancel(t.Context()), fn) })
	}
	if db.Engine() == "sqlite" { // PostgreSQL runs them at once
		waitFor(t, func() bool { return db.Stats().Waiting == int64(len(fns)) })
	}
	release()
	wg.Wait()
	return errs
}

// waitFor waits for something that must come true soon; machines may be slow.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("waited in vain")
			return
		}
	}
}

// recorder is a Publish hook that remembers.
type recorder struct {
	mu    sync.Mutex // guards calls
	calls [][]string
}

func (r *recorder) publish(topics []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, slices.Clone(topics))
}

// topics returns everything that was published, sorted.
func (r *recorder) topics() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Concat(r.calls...)
	slices.Sort(all)
	return all
}
