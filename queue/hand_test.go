package queue_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/bus"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// hand is a queue under test: a database, a bus that its commits poke, and a clock
// that moves only when a test moves it.
type hand struct {
	db  *store.DB
	bus bus.Bus

	mu  sync.Mutex // guards now
	now time.Time
}

// each runs a test on both engines.
func each(t *testing.T, test func(t *testing.T, h *hand)) {
	t.Helper()
	b := bus.InProcess()
	storetest.EachWith(t, store.Options{Publish: func(topics []string) { b.Publish(topics...) }}, func(t *testing.T, db *store.DB) {
		test(t, &hand{db: db, bus: b, now: time.Now().UTC().Truncate(time.Microsecond)})
	})
}

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// move moves the clock and wakes the workers of the kinds.
func (h *hand) move(d time.Duration, kinds ...string) {
	h.mu.Lock()
	h.now = h.now.Add(d)
	h.mu.Unlock()
	for _, kind := range kinds {
		h.bus.Publish(queue.Topic(kind))
	}
}

// start runs a worker until stop is called or the test ends.
func (h *hand) start(t *testing.T, node string, kinds map[string]queue.Kind) (stop func()) {
	t.Helper()
	return h.run(t, queue.NewWorker(h.db, kinds, queue.Options{Bus: h.bus, Node: node, Now: h.Now}))
}

func (h *hand) run(t *testing.T, w *queue.Worker) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := w.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	t.Cleanup(stop)
	return stop
}

func (h *hand) write(t *testing.T, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := h.db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func (h *hand) add(t *testing.T, jobs ...queue.Job) {
	t.Helper()
	h.write(t, func(tx *store.Tx) error {
		for _, j := range jobs {
			if j.Due.IsZero() {
				j.Due = h.Now()
			}
			if err := queue.Add(tx, j); err != nil {
				return err
			}
		}
		return nil
	})
}

// row reads one column of a job, as text.
func (h *hand) row(t *testing.T, id, column string) string {
	t.Helper()
	var v any
	err := h.db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT `+column+` FROM queue_job WHERE id = $1`, id).Scan(&v)
	})
	if err != nil {
		t.Fatalf("%s of %s: %v", column, id, err)
	}
	return fmt.Sprint(v)
}

func (h *hand) count(t *testing.T, query string) (n int) {
	t.Helper()
	if err := h.db.Read(t.Context(), func(tx *store.Tx) error { return tx.QueryRow(query).Scan(&n) }); err != nil {
		t.Fatal(err)
	}
	return n
}

const allJobs = `SELECT COUNT(*) FROM queue_job`

// wait waits for something that workers bring about.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// list collects what handlers did, in order.
type list struct {
	mu sync.Mutex // guards ids
	is []string
}

func (l *list) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.is = append(l.is, s)
}

func (l *list) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.is...)
}

func (l *list) len() int { return len(l.all()) }
