package filing_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// faulty is a blob store that fails when it is told to.
type faulty struct {
	blob.Store

	mu   sync.Mutex
	fail func(call string) bool // guarded by mu
}

func (f *faulty) ask(call string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail(call) {
		return fault.New(fault.Transient, "blob-unavailable")
	}
	return nil
}

func (f *faulty) Create(ctx context.Context, key blob.Key) (blob.Writer, error) {
	if err := f.ask("create"); err != nil {
		return nil, err
	}
	w, err := f.Store.Create(ctx, key)
	return &faultyWriter{w, f}, err
}

func (f *faulty) Open(ctx context.Context, key blob.Key) (blob.Reader, error) {
	if err := f.ask("open"); err != nil {
		return nil, err
	}
	return f.Store.Open(ctx, key)
}

func (f *faulty) Delete(ctx context.Context, key blob.Key) error {
	if err := f.ask("delete"); err != nil {
		return err
	}
	return f.Store.Delete(ctx, key)
}

type faultyWriter struct {
	blob.Writer
	f *faulty
}

func (w *faultyWriter) Write(p []byte) (int, error) {
	if err := w.f.ask("write"); err != nil {
		return 0, err
	}
	return w.Writer.Write(p)
}

func (w *faultyWriter) Commit(ctx context.Context) error {
	if err := w.f.ask("commit"); err != nil {
		return err
	}
	return w.Writer.Commit(ctx)
}

// nth fails the nth call of any kind, counted from 0, once.
func nth(n int) (fail func(string) bool, calls func() int) {
	count := 0
	return func(string) bool { count++; return count == n+1 }, func() int { return count }
}

// mixed is a letter with everything that is filed or applied.
func mixed(t *testing.T) string {
	return write(anne, asking, zipped(pack(t, about(person(), idOne), about(person(), idTwo))),
		calendar("REQUEST", invitation("REQUEST", "rdv-1", anne, jeanne, 0)))
}

// once holds that the letter was filed, entirely and once.
func (w *world) once() {
	w.t.Helper()
	if got := w.titles(w.jeanne); got != idOne+" approved 1, "+idTwo+" approved 1" {
		w.t.Errorf("vault: %s", got)
	}
	if got := w.events(w.jeanne); got != "rdv-1 Consultation needs-action" {
		w.t.Errorf("agenda: %s", got)
	}
	if got := told(w.record(w.jeanne)); got != "2 xdm filed 2, 3 calendar added" {
		w.t.Errorf("record: %s", got)
	}
	if got := w.states() + "; " + w.leaves(); got != "filed; document done, document done, letter done invitation-added" {
		w.t.Error(got)
	}
	if n := len(w.history(w.jeanne)); n != 3 {
		w.t.Errorf("%d lines of history", n)
	}
	if got := w.receipts(); len(got) != 1 {
		w.t.Errorf("%d receipts", len(got))
	}
	w.clean()
}

// TestEveryBlobCallMayFail fails one call after the other.
func TestEveryBlobCallMayFail(t *testing.T) {
	t.Parallel()
	for n := 0; ; n++ {
		w := newWorld(t, storetest.SQLite(t))
		w.submit(mixed(t), jeanne)
		fail, calls := nth(n)
		w.blobs = &faulty{Store: w.Blobs, fail: fail}
		w.work()
		w.once()
		if calls() <= n {
			if n < 5 {
				t.Errorf("only %d calls", n)
			}
			return
		}
	}
}

// TestEveryTableMayFail breaks each table that the transaction writes, lets the job
// fail, and mends it.
func TestEveryTableMayFail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ table, act string }{
		{"vault_document", "INSERT"},
		{"agenda_event", "INSERT"},
		{"vault_filing", "INSERT"},
		{"vault_access", "INSERT"},
		{"outcome_fact", "INSERT"},
		{"audit_pending", "INSERT"},
		{"queue_job", "DELETE"},
		{"message", "INSERT"},
		{"body", "UPDATE"},
	} {
		t.Run(c.table, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, storetest.SQLite(t))
			w.same = w.clerk()
			w.submit(mixed(t), jeanne)
			w.Write(func(tx *store.Tx) error {
				_, err := tx.Exec(strings.NewReplacer("%s", c.act).Replace(`CREATE TRIGGER breaker BEFORE %s ON `) + c.table +
					` BEGIN SELECT RAISE(ABORT, 'broken'); END`)
				return err
			})
			w.workUntil(func() bool {
				var attempts int
				w.Read(func(tx *store.Tx) error { return tx.QueryRow(`SELECT attempts FROM queue_job`).Scan(&attempts) })
				return attempts > 1
			})
			if n := len(w.vault(w.jeanne)); n > 0 || w.events(w.jeanne) != "" || w.Count("vault_filing") > 0 || len(w.receipts()) > 0 || w.leaves() != "" {
				t.Errorf("%d documents after a failure", n)
			}
			w.Write(func(tx *store.Tx) error { _, err := tx.Exec(`DROP TRIGGER breaker`); return err })
			w.work()
			w.once()
		})
	}
}

// TestACrashBeforeTheTransactionFilesOnce runs the handler, loses its result, and lets
// another life of the node finish: what the first one sealed is found as strays.
func TestACrashBeforeTheTransactionFilesOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.submit(mixed(t), jeanne)
		w.clerk().Jobs().Handle(t.Context(), w.job()) // and its result is lost
		again := &world{t: t, anne: w.anne, jeanne: w.jeanne, opts: w.opts}
		again.Operator = deliverytest.New(t, db, deliverytest.Options{
			Platform: w.Platform, Blobs: w.BlobDir, Delivery: delivery.Options{Depot: true},
		})
		again.work()
		strays := again.strays()
		if len(strays) != 2 {
			t.Errorf("%d strays of the first attempt, want its two documents", len(strays))
		}
		for _, key := range strays {
			if err := again.Blobs.Delete(t.Context(), key); err != nil {
				t.Error(err)
			}
		}
		again.once()
	})
}

// TestTwoClerksFileOnce lets two clerks prepare the same job; the queue takes one.
func TestTwoClerksFileOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		text := write(anne, "", zipped(pack(t, about(person(), idOne))))
		for range 4 { // four letters with the same document, at a time
			w.submit(text, jeanne)
			w.submit(write(anne, "", zipped(pack(t, about(person(), idOne)))), depot)
		}
		w.work()
		if got := w.titles(w.jeanne); !strings.HasPrefix(got, idOne+" approved ") || strings.Contains(got, ",") {
			t.Errorf("vault: %s", got)
		}
		filed := 0
		for _, l := range w.Leaves("document.file") {
			if !strings.Contains(l, "document-known") {
				filed++
			}
		}
		if filed != 1 || len(w.history(w.jeanne)) != 1 {
			t.Errorf("filed %d times, %d lines of history", filed, len(w.history(w.jeanne)))
		}
		w.clean()
	})
}

// TestABrokenErrandWaitsForAnOperator holds a job that nobody can open.
func TestABrokenErrandWaitsForAnOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	w.submit(mixed(t), jeanne)
	j := w.job()
	j.Payload = []byte("x")
	kind := w.clerk().Jobs()
	for _, handle := range []func(){func() { kind.Handle(t.Context(), j) }, func() { kind.Expire(t.Context(), j) }} {
		handle()
	}
	contains(t, w.Log.String(), "filing.errand.broken")
	w.Write(func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE queue_job SET payload = $1, expires = 0`, []byte("x"))
		return err
	})
	w.workUntil(func() bool {
		var held int
		w.Read(func(tx *store.Tx) error { return tx.QueryRow(`SELECT held FROM queue_job`).Scan(&held) })
		return held == 1
	})
}

// TestTheStopOfANodeIsNoFailure ends the context of a handler.
func TestTheStopOfANodeIsNoFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	w.submit(mixed(t), jeanne)
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errors.New("stop"))
	w.clerk().Jobs().Handle(ctx, w.job())
	contains(t, w.Log.String(), "node-stopping")
	w.work()
	w.once()
}
