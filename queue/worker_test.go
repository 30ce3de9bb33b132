package queue_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/store"
)

func TestJobsRunInTheOrderOfTheirDueTimes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hand) {
		now := h.Now()
		for i, late := range []int{3, 1, 4, 2, 0} {
			h.add(t, queue.Job{ID: queue.ID(fmt.Sprint(late)), Kind: "k", Due: now.Add(time.Duration(late-10) * time.Second), Payload: []byte{byte(i)}})
		}
		h.add(t, queue.Job{ID: "later", Kind: "k", Due: now.Add(time.Hour)}, queue.Job{ID: "other", Kind: "other", Due: now})
		var ran list
		h.start(t, "n", map[string]queue.Kind{"k": {
			Concurrency: 1,
			Handle: func(_ context.Context, j queue.Job) queue.Result {
				ran.add(string(j.ID))
				return queue.Done(nil)
			},
		}})
		wait(t, "five jobs", func() bool { return h.count(t, allJobs) == 2 })
		if got := ran.all(); !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
			t.Errorf("got %v", got)
		}
		h.move(2*time.Hour, "k")
		wait(t, "the later job", func() bool { return h.count(t, allJobs) == 1 })
	})
}

// TestPoisonDoesNotStopOthers: a handler that panics is counted and waits for its
// backoff; other jobs go on; so do effects that panic or fail.
func TestPoisonDoesNotStopOthers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hand) {
		h.add(t, queue.Job{ID: "poison", Kind: "k"}, queue.Job{ID: "effect-panics", Kind: "k"}, queue.Job{ID: "effect-fails", Kind: "k"},
			queue.Job{ID: "good", Kind: "k"})
		var ran list
		h.start(t, "n", map[string]queue.Kind{"k": {Concurrency: 1, Handle: func(_ context.Context, j queue.Job) queue.Result {
			ran.add(fmt.Sprintf("%s %d", j.ID, j.Attempts))
			switch j.ID {
			case "poison":
				panic("patient's data")
			case "effect-panics":
				return queue.Done(func(*store.Tx) error { panic("x") })
			case "effect-fails":
				return queue.Done(func(*store.Tx) error { return fault.New(fault.Conflict, "box-closed") })
			}
			return queue.Done(nil)
		}}})
		settled := func(attempts int) func() bool {
			return func() bool {
				return h.count(t, fmt.Sprintf(`SELECT COUNT(*) FROM queue_job WHERE claims = 0 AND attempts = %d`, attempts)) == 3
			}
		}
		wait(t, "first attempts", settled(1))
		for id, want := range map[string]string{"poison": "job-panicked", "effect-panics": "job-panicked", "effect-fails": "box-closed"} {
			if got := h.row(t, id, "reason"); got != want {
				t.Errorf("%s: reason %q, want %q", id, got, want)
			}
		}
		h.move(4*time.Second, "k")
		wait(t, "the good job", func() bool { return slices.Contains(ran.all(), "good 1") })
		if n := ran.len(); n != 4 {
			t.Errorf("%d attempts before the backoff of 5 s, want 4: %v", n, ran.all())
		}
		h.move(time.Second, "k")
		wait(t, "second attempts", settled(2))
		h.move(30*time.Second, "k")
		wait(t, "third attempts", settled(3))
		if got := h.row(t, "poison", "due"); got != fmt.Sprint(store.Micros(h.Now().Add(2*time.Minute))) {
			t.Errorf("due %s, want in two minutes", got)
		}
	})
}

// TestExpiredJobIsToldNotLost: at 48 h the kind's Expire has the last word; a kind
// without one keeps the job aside.
func TestExpiredJobIsToldNotLost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hand) {
		h.add(t, queue.Job{ID: "told", Kind: "told"}, queue.Job{ID: "kept", Kind: "kept"})
		var attempts, expired list
		never := func(_ context.Context, j queue.Job) queue.Result {
			attempts.add(string(j.ID))
			return queue.Retry("peer-unreachable")
		}
		h.start(t, "n", map[string]queue.Kind{
			"told": {Handle: never, Expire: func(_ context.Context, j queue.Job) queue.Result {
				expired.add(j.Reason)
				return queue.Failed("expired", nil)
			}},
			"kept": {Handle: never},
		})
		wait(t, "first attempts", func() bool {
			return h.count(t, `SELECT COUNT(*) FROM queue_job WHERE claims = 0 AND attempts = 1`) == 2
		})
		h.move(48*time.Hour-time.Minute, "told", "kept")
		wait(t, "late attempts", func() bool {
			return h.count(t, `SELECT COUNT(*) FROM queue_job WHERE claims = 0 AND attempts = 2`) == 2
		})
		if attempts.len() != 4 || expired.len() != 0 {
			t.Fatalf("%v attempts, %v expired before the time", attempts.all(), expired.all())
		}
		h.move(time.Minute, "told", "kept") // due at the expiry, not after the backoff
		wait(t, "the end", func() bool { return h.count(t, `SELECT COUNT(*) FROM queue_job WHERE held = 0`) == 0 })
		if got := expired.all(); !slices.Equal(got, []string{"peer-unreachable"}) {
			t.Errorf("expired with %v", got)
		}
		if attempts.len() != 4 {
			t.Errorf("attempts after the expiry: %v", attempts.all())
		}
		if got := h.row(t, "kept", "reason"); got != "job-expired" {
			t.Errorf("kept job: reason %q, want job-expired", got)
		}
		h.write(t, func(tx *store.Tx) error { return queue.Unhold(tx, "kept", h.Now().Add(time.Hour)) })
		wait(t, "another attempt", func() bool { return attempts.len() == 5 })
	})
}

// TestGroupsShareTheWorker: no more than PerGroup of one group at a time, and a
// long backlog of one does not keep another waiting.
func TestGroupsShareTheWorker(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hand) {
		early := h.Now().Add(-time.Minute)
		for i := range 40 {
			h.add(t, queue.Job{ID: queue.ID(fmt.Sprintf("slow%02d", i)), Kind: "k", Group: "slow.example", Due: early})
		}
		h.add(t, queue.Job{ID: "quick", Kind: "k", Group: "quick.example"})
		var slow, most atomic.Int64
		release := make(chan struct{})
		h.start(t, "n", map[string]queue.Kind{"k": {Concurrency: 4, PerGroup: 2, Handle: func(_ context.Context, j queue.Job) queue.Result {
			if j.Group != "slow.example" { // runs although two of forty others wait for its end
				wait(t, "two slow ones", func() bool { return slow.Load() == 2 })
				close(release)
				return queue.Done(nil)
			}
			now := slow.Add(1)
			for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
			}
			<-release
			slow.Add(-1)
			return queue.Done(nil)
		}}})
		wait(t, "all jobs", func() bool { return h.count(t, allJobs) == 0 })
		if most.Load() != 2 {
			t.Errorf("%d of one group at a time, want 2", most.Load())
		}
	})
}

// TestRetryMayChangeThings: effects and a new payload belong to the retry too.
func TestRetryMayChangeThings(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hand) {
		h.write(t, func(tx *store.Tx) error {
			_, err := tx.Exec(`CREATE TABLE effect (id TEXT NOT NULL)`)
			return err
		})
		h.add(t, queue.Job{ID: "a", Kind: "k", Payload: []byte("two recipients")})
		var ran list
		at := h.Now().Add(7 * time.Minute)
		h.start(t, "n", map[string]queue.Kind{"k": {Handle: func(_ context.Context, j queue.Job) queue.Result {
			ran.add(string(j.Payload))
			if j.Attempts > 1 {
				return queue.Done(nil)
			}
			return queue.RetryAt(at, "mailbox-full").Keep([]byte("one recipient")).With(func(tx *store.Tx) error {
				_, err := tx.Exec(`INSERT INTO effect (id) VALUES ('first')`)
				return err
			})
		}}})
		wait(t, "the retry", func() bool { return h.row(t, "a", "reason") == "mailbox-full" })
		if got := h.row(t, "a", "due"); got != fmt.Sprint(store.Micros(at)) {
			t.Errorf("due %s, want %d", got, store.Micros(at))
		}
		h.move(7*time.Minute, "k")
		wait(t, "the end", func() bool { return h.count(t, allJobs) == 0 })
		if got := ran.all(); !slices.Equal(got, []string{"two recipients", "one recipient"}) {
			t.Errorf("payloads %q", got)
		}
		if n := h.count(t, `SELECT COUNT(*) FROM effect`); n != 1 {
			t.Errorf("%d effects, want 1", n)
		}
	})
}

// TestIdleWorkerSleeps: without work nothing is read but at the start.
func TestIdleWorkerSleeps(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hand) {
		h.add(t, queue.Job{ID: "later", Kind: "k", Due: h.Now().Add(time.Hour)})
		h.start(t, "n", map[string]queue.Kind{"k": {Handle: func(context.Context, queue.Job) queue.Result { return queue.Done(nil) }}})
		time.Sleep(100 * time.Millisecond)
		before := h.db.Stats()
		time.Sleep(200 * time.Millisecond)
		after := h.db.Stats()
		if after.Reads-before.Reads > 1 || after.Writes != before.Writes {
			t.Errorf("%d reads and %d writes while idle", after.Reads-before.Reads, after.Writes-before.Writes)
		}
	})
}
