package queue_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/store"
)

// TestVanishedWorkerIsFenced: a worker stops without a word; another takes the job
// over when the lease has run out; what the first one says afterwards is refused,
// its effects included.
func TestVanishedWorkerIsFenced(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hand) {
		h.write(t, func(tx *store.Tx) error {
			_, err := tx.Exec(`CREATE TABLE effect (who TEXT NOT NULL)`)
			return err
		})
		effect := func(who string) queue.Effect {
			return func(tx *store.Tx) error {
				_, err := tx.Exec(`INSERT INTO effect (who) VALUES ($1)`, who)
				return err
			}
		}
		h.add(t, queue.Job{ID: "a", Kind: "k"})
		began, wake := make(chan struct{}), make(chan struct{})
		start := h.Now()
		stop := h.run(t, queue.NewWorker(h.db, map[string]queue.Kind{"k": {Handle: func(context.Context, queue.Job) queue.Result {
			close(began)
			<-wake
			return queue.Done(effect("one"))
		}}}, queue.Options{Now: func() time.Time { return start }})) // hears and sees nothing more
		<-began
		// The second may not take it within the lease.
		var ran list
		h.start(t, "two", map[string]queue.Kind{"k": {Handle: func(_ context.Context, j queue.Job) queue.Result {
			ran.add(fmt.Sprintf("%s attempt %d", j.ID, j.Attempts))
			return queue.Done(effect("two"))
		}}})
		h.move(29*time.Second, "k")
		time.Sleep(20 * time.Millisecond)
		if got := ran.all(); len(got) != 0 {
			t.Errorf("within the lease: %v", got)
		}
		h.move(time.Second, "k") // the lease of 30 s is over
		wait(t, "the second worker", func() bool { return h.count(t, allJobs) == 0 })
		if got := ran.all(); !slices.Equal(got, []string{"a attempt 2"}) {
			t.Errorf("the second worker ran %v", got)
		}
		close(wake)
		stop()
		if n := h.count(t, `SELECT COUNT(*) FROM effect WHERE who = 'two'`); n != 1 {
			t.Errorf("%d effects of the second, want 1", n)
		}
		if n := h.count(t, `SELECT COUNT(*) FROM effect WHERE who = 'one'`); n != 0 {
			t.Errorf("%d effects of the one that lost its lease, want 0", n)
		}
	})
}

// TestWorkersNeverCompleteTwice: several workers with leases far too short for
// comfort; each job has its effects once, however often it ran.
func TestWorkersNeverCompleteTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hand) {
		const jobs = 200
		h.write(t, func(tx *store.Tx) error {
			if _, err := tx.Exec(`CREATE TABLE effect (id TEXT NOT NULL)`); err != nil {
				return err
			}
			for i := range jobs {
				if err := queue.Add(tx, queue.Job{ID: queue.ID(fmt.Sprint(i)), Kind: "k", Group: fmt.Sprint(i % 3)}); err != nil {
					return err
				}
			}
			return nil
		})
		var attempts atomic.Int64
		kinds := map[string]queue.Kind{"k": {
			Concurrency: 8,
			Handle: func(_ context.Context, j queue.Job) queue.Result {
				attempts.Add(1)
				time.Sleep(time.Millisecond)
				return queue.Done(func(tx *store.Tx) error {
					_, err := tx.Exec(`INSERT INTO effect (id) VALUES ($1)`, string(j.ID))
					return err
				})
			},
			Backoff: queue.Backoff{Quick: []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond, time.Millisecond}, First: time.Millisecond, Max: time.Millisecond},
		}}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 3 {
			w := queue.NewWorker(h.db, kinds, queue.Options{Bus: h.bus, Lease: 9 * time.Millisecond, Idle: 5 * time.Millisecond})
			wg.Go(func() { _ = w.Run(ctx) })
		}
		wait(t, "all jobs", func() bool { return h.count(t, allJobs) == 0 })
		cancel()
		wg.Wait()
		all, each := h.count(t, `SELECT COUNT(*) FROM effect`), h.count(t, `SELECT COUNT(DISTINCT id) FROM effect`)
		if all != jobs || each != jobs {
			t.Errorf("%d effects of %d jobs, want %d of each", all, each, jobs)
		}
		t.Logf("%s: %d attempts for %d jobs", h.db.Engine(), attempts.Load(), jobs)
	})
}

// TestSilentKillerIsSlowedDown: a job whose claims end without a word may be what
// kills the process; after three it waits like a failing job.
func TestSilentKillerIsSlowedDown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hand) {
		h.add(t, queue.Job{ID: "killer", Kind: "k"})
		block := make(chan struct{})
		defer close(block)
		kinds := map[string]queue.Kind{"k": {Handle: func(context.Context, queue.Job) queue.Result {
			<-block
			return queue.Retry("too-late")
		}}}
		for life := range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			w := queue.NewWorker(h.db, kinds, queue.Options{Bus: h.bus, Node: "n", Now: h.Now})
			go func() { _ = w.Run(ctx) }() // ends with the block
			wait(t, "a claim", func() bool { return h.row(t, "killer", "claims") == fmt.Sprint(life+1) })
			cancel()
			h.move(time.Second) // well within the lease: the next life of the node takes it back
		}
		h.start(t, "n", kinds)
		wait(t, "the backoff", func() bool { return h.row(t, "killer", "claims") == "0" })
		if got := h.row(t, "killer", "reason"); got != "job-abandoned" {
			t.Errorf("reason %q, want job-abandoned", got)
		}
		if got := h.row(t, "killer", "due"); got != fmt.Sprint(store.Micros(h.Now().Add(15*time.Minute))) {
			t.Errorf("due %s, want in 15 minutes, as after four attempts", got)
		}
	})
}

// TestStopGivesLeasesBack: interrupted attempts do not count and are due at once;
// a handler that finishes its job while the worker stops has it completed.
func TestStopGivesLeasesBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hand) {
		h.add(t, queue.Job{ID: "long", Kind: "k"}, queue.Job{ID: "last", Kind: "k"})
		var began sync.WaitGroup
		began.Add(2)
		stop := h.start(t, "n", map[string]queue.Kind{"k": {Handle: func(ctx context.Context, j queue.Job) queue.Result {
			began.Done()
			<-ctx.Done()
			if j.ID == "last" {
				return queue.Done(nil)
			}
			return queue.Retry("interrupted")
		}}})
		began.Wait()
		stop()
		if n := h.count(t, allJobs); n != 1 {
			t.Fatalf("%d jobs left, want 1", n)
		}
		for column, want := range map[string]string{"claims": "0", "attempts": "0", "holder": "", "wake": fmt.Sprint(store.Micros(h.Now()))} {
			if got := h.row(t, "long", column); got != want {
				t.Errorf("%s: got %q, want %q", column, got, want)
			}
		}
	})
}
