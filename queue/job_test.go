package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/store"
)

func TestAddIsPartOfItsTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hand) {
		want := errors.New("no")
		err := h.db.Write(t.Context(), func(tx *store.Tx) error {
			if err := queue.Add(tx, queue.Job{ID: "a", Kind: "relay"}); err != nil {
				return err
			}
			return want
		})
		if !errors.Is(err, want) {
			t.Fatal(err)
		}
		if n := h.count(t, allJobs); n != 0 {
			t.Errorf("%d jobs of a failed transaction", n)
		}
		h.add(t, queue.Job{ID: "a", Kind: "relay", Payload: []byte("first")})
		err = h.db.Write(t.Context(), func(tx *store.Tx) error {
			err := queue.Add(tx, queue.Job{ID: "a", Kind: "relay", Payload: []byte("second")})
			if fault.Reason(err) != "job-exists" {
				t.Errorf("added twice: got %v, want job-exists", err)
			}
			return queue.Add(tx, queue.Job{ID: "b", Kind: "relay"}) // the transaction is not spoilt
		})
		if err != nil || h.count(t, allJobs) != 2 {
			t.Errorf("after a double: %v, %d jobs", err, h.count(t, allJobs))
		}
		for _, j := range []queue.Job{
			{Kind: "relay"},
			{ID: "c"},
			{ID: "c", Kind: "relay", Group: strings.Repeat("x", 256)},
			{ID: "c", Kind: "relay", Payload: make([]byte, 1<<20+1)},
		} {
			if err := h.db.Write(t.Context(), func(tx *store.Tx) error { return queue.Add(tx, j) }); fault.Reason(err) != "job-malformed" {
				t.Errorf("got %v, want job-malformed", err)
			}
		}
	})
}

func TestHeldJobWaits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hand) {
		h.add(t, queue.Job{ID: "a", Kind: "k", Held: true}, queue.Job{ID: "b", Kind: "k", Due: h.Now().Add(time.Minute)}, queue.Job{ID: "c", Kind: "k"})
		h.write(t, func(tx *store.Tx) error { return queue.Hold(tx, "b", "scan-pending") })
		var ran list
		h.start(t, "n", map[string]queue.Kind{"k": {Handle: func(_ context.Context, j queue.Job) queue.Result {
			ran.add(string(j.ID))
			return queue.Done(nil)
		}}})
		wait(t, "the free job", func() bool { return h.count(t, allJobs) == 2 })
		h.move(time.Hour, "k")
		h.write(t, func(tx *store.Tx) error { return queue.Unhold(tx, "a", time.Time{}) })
		wait(t, "the unheld job", func() bool { return h.count(t, allJobs) == 1 })
		if got := ran.all(); !slices.Equal(got, []string{"c", "a"}) {
			t.Errorf("ran %v, want c, a", got)
		}
		for _, fn := range []func(tx *store.Tx) error{
			func(tx *store.Tx) error { return queue.Hold(tx, "gone", "x") },
			func(tx *store.Tx) error { return queue.Unhold(tx, "gone", time.Time{}) },
		} {
			if err := h.db.Write(t.Context(), fn); fault.Reason(err) != "job-unknown" {
				t.Errorf("got %v, want job-unknown", err)
			}
		}
	})
}

func TestStatsCountByKindAndState(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hand) {
		now := time.Now()
		h.add(t, queue.Job{ID: "w1", Kind: "k", Due: now.Add(time.Hour)}, queue.Job{ID: "w2", Kind: "k", Due: now.Add(time.Hour)},
			queue.Job{ID: "d", Kind: "z", Due: now.Add(-time.Minute)}, queue.Job{ID: "h", Kind: "z", Held: true, Due: now.Add(-time.Hour)},
			queue.Job{ID: "r", Kind: "y", Due: now.Add(-time.Second)})
		began, end := make(chan struct{}), make(chan struct{})
		defer close(end)
		h.start(t, "n", map[string]queue.Kind{"y": {Handle: func(context.Context, queue.Job) queue.Result {
			close(began)
			<-end
			return queue.Done(nil)
		}}})
		<-began
		var stats []queue.Stat
		err := h.db.Read(t.Context(), func(tx *store.Tx) (err error) {
			stats, err = queue.Stats(tx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range stats {
			got = append(got, fmt.Sprintf("%s %s %d %v", s.Kind, s.State, s.Count, s.Oldest.Round(time.Minute)))
		}
		want := []string{"k waiting 2 0s", "y running 1 0s", "z due 1 1m0s", "z held 1 1h0m0s"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestBackoffGrows(t *testing.T) {
	t.Parallel()
	want := []time.Duration{
		5 * time.Second, 30 * time.Second, 2 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 4 * time.Hour, 4 * time.Hour,
	}
	for i, want := range want {
		if got := (queue.Backoff{}).After(i + 1); got != want {
			t.Errorf("after attempt %d: got %v, want %v", i+1, got, want)
		}
	}
	steep := queue.Backoff{Quick: []time.Duration{}, First: time.Second, Max: 3 * time.Second}
	for i, want := range []time.Duration{time.Second, 2 * time.Second, 3 * time.Second} {
		if got := steep.After(i + 1); got != want {
			t.Errorf("steep, after attempt %d: got %v, want %v", i+1, got, want)
		}
	}
	if got := (queue.Backoff{}).After(1_000_000_000); got != 4*time.Hour {
		t.Errorf("after very many: got %v", got)
	}
}
