package queue_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// TestBacklogIsDrained: thousands of jobs in a hundred groups, each done once.
func TestBacklogIsDrained(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hand) {
		const jobs = 2000
		h.write(t, func(tx *store.Tx) error {
			for i := range jobs {
				if err := queue.Add(tx, queue.Job{ID: queue.ID(fmt.Sprint(i)), Kind: "k", Group: fmt.Sprint(i % 100), Due: h.Now()}); err != nil {
					return err
				}
			}
			return nil
		})
		var ran atomic.Int64
		h.start(t, "n", map[string]queue.Kind{"k": {Concurrency: 64, PerGroup: 8, Handle: func(context.Context, queue.Job) queue.Result {
			ran.Add(1)
			return queue.Done(nil)
		}}})
		wait(t, "all jobs to run", func() bool { return ran.Load() >= jobs })
		wait(t, "all jobs to be done", func() bool { return h.count(t, allJobs) == 0 })
		if n := ran.Load(); n != jobs {
			t.Errorf("%d attempts, want %d", n, jobs)
		}
	})
}

// BenchmarkDrain measures jobs done per second, effects empty.
func BenchmarkDrain(b *testing.B) {
	for _, groups := range []int{1, 100} {
		for _, e := range []struct {
			name string
			open func(testing.TB) *store.DB
		}{{"sqlite", storetest.SQLite}, {"postgres", storetest.Postgres}} {
			b.Run(fmt.Sprintf("%s/%d-groups", e.name, groups), func(b *testing.B) { drain(b, e.open(b), groups) })
		}
	}
}

func drain(b *testing.B, db *store.DB, groups int) {
	b.Helper()
	for from := 0; from < b.N; from += 1000 {
		err := db.Write(b.Context(), func(tx *store.Tx) error {
			for i := from; i < min(from+1000, b.N); i++ {
				if err := queue.Add(tx, queue.Job{ID: queue.ID(fmt.Sprint(i)), Kind: "k", Group: fmt.Sprint(i % groups), Payload: make([]byte, 300)}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	done := make(chan struct{}, b.N)
	w := queue.NewWorker(db, map[string]queue.Kind{"k": {Concurrency: 64, Handle: func(context.Context, queue.Job) queue.Result {
		return queue.Done(func(*store.Tx) error {
			select {
			case done <- struct{}{}:
			default:
			}
			return nil
		})
	}}}, queue.Options{})
	ended := make(chan struct{})
	b.ResetTimer()
	go func() {
		defer close(ended)
		_ = w.Run(ctx)
	}()
	for range b.N {
		<-done
	}
	b.StopTimer()
	cancel()
	<-ended
}
