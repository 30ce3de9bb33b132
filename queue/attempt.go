package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// errLost ends the context of a handler whose lease another worker has.
var errLost = errors.New("job lease lost")

// maxLost is how many claims in a row may end without a word before the job has to
// wait like a failing one: it may be what kills the process.
const maxLost = 3

// settleTime bounds the transaction that ends an attempt while the worker stops.
const settleTime = 5 * time.Second

// start runs one claimed job in a goroutine of its own.
func (w *Worker) start(ctx context.Context, j Job) {
	k := w.kinds[j.Kind]
	run, cancel := context.WithCancelCause(ctx)
	w.mu.Lock()
	if old := w.leases[j.ID]; old != nil {
		old.cancel(errLost) // our own lease ran out under us, and we claimed the job again
	}
	w.leases[j.ID] = &lease{job: j, cancel: cancel}
	w.busy[slot{kind: j.Kind, whole: true}]++
	w.busy[slot{kind: j.Kind, group: j.Group}]++
	w.mu.Unlock()
	w.running.Go(func() {
		defer w.release(j)
		defer cancel(nil)
		w.attempt(run, k, j)
	})
}

// release frees the slot of a job that is over.
func (w *Worker) release(j Job) {
	w.mu.Lock()
	if l := w.leases[j.ID]; l != nil && l.job.epoch == j.epoch {
		delete(w.leases, j.ID)
	}
	for _, s := range []slot{{kind: j.Kind, whole: true}, {kind: j.Kind, group: j.Group}} {
		if w.busy[s]--; w.busy[s] == 0 {
			delete(w.busy, s)
		}
	}
	w.mu.Unlock()
	select {
	case w.freed <- struct{}{}:
	default:
	}
}

// attempt runs the handler and settles what it answers.
func (w *Worker) attempt(ctx context.Context, k Kind, j Job) {
	handler := k.Handle
	switch {
	case j.claims > maxLost:
		w.settle(ctx, k, j, Retry("job-abandoned"))
		return
	case w.o.Now().Before(j.Expires):
	case k.Expire != nil:
		handler = k.Expire
	default:
		w.o.Logger.Warn("queue.job.expired", "job", string(j.ID), "kind", j.Kind, "reason", j.Reason)
		w.log(j, w.write(ctx, func(tx *store.Tx) error { return shelve(tx, j) }))
		return
	}
	limited, cancel := context.WithTimeout(ctx, k.Limit)
	r := w.call(limited, handler, j)
	cancel()
	w.settle(ctx, k, j, r)
}

// call runs a handler; a panic becomes a Retry. The panic's value is not logged: it
// may hold what the handler worked on.
func (w *Worker) call(ctx context.Context, handler Handler, j Job) (r Result) {
	finished := false
	defer func() {
		v := recover()
		if finished {
			return
		}
		w.o.Logger.Error("queue.job.panicked", "job", string(j.ID), "kind", j.Kind,
			"type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
		r = Retry("job-panicked")
	}()
	r = handler(ctx, j)
	finished = true
	return r
}

// settle makes a result true. When its transaction fails for another reason than a
// lost lease, the attempt was a failed one.
func (w *Worker) settle(ctx context.Context, k Kind, j Job, r Result) {
	stopped := ctx.Err() != nil && !errors.Is(context.Cause(ctx), errLost)
	if stopped && r.verdict == retry && r.effect == nil && r.payload == nil {
		w.log(j, w.write(ctx, func(tx *store.Tx) error { return giveBack(tx, j) }))
		return
	}
	err := w.write(ctx, w.ending(k, j, r))
	w.log(j, err)
	if err != nil && fault.Reason(err) != "job-lease-lost" {
		w.log(j, w.write(ctx, w.ending(k, j, Retry(fault.Reason(err)))))
	}
	if err == nil && r.verdict == failed {
		w.o.Logger.Info("queue.job.failed", "job", string(j.ID), "kind", j.Kind, "reason", r.reason)
	}
}

// ending returns the transaction that ends an attempt: the effects, then the job's row.
func (w *Worker) ending(k Kind, j Job, r Result) Effect {
	now, at := w.o.Now(), r.at
	if at.IsZero() {
		at = now.Add(k.Backoff.After(j.Attempts))
	}
	if at.After(j.Expires) && now.Before(j.Expires) {
		at = j.Expires // not later: somebody is to be told that it failed
	}
	return func(tx *store.Tx) error {
		if r.effect != nil {
			if err := r.effect(tx); err != nil {
				return err
			}
		}
		if r.verdict != retry {
			return remove(tx, j)
		}
		return postpone(tx, j, at, cmp.Or(r.reason, "job-retried"), r.payload)
	}
}

// write runs a transaction that settles an attempt, also while the worker stops. A
// panic of an effect is an error: it must not end the others.
func (w *Worker) write(ctx context.Context, fn Effect) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			stack := debug.Stack()
			if p, ok := v.(*store.Panic); ok {
				v, stack = p.Value, p.Stack
			}
			w.o.Logger.Error("queue.effect.panicked", "type", fmt.Sprintf("%T", v), "stack", string(stack))
			err = fault.New(fault.Internal, "job-panicked")
		}
	}()
	return w.db.Write(ctx, fn)
}

// log tells of a settling transaction that failed.
func (w *Worker) log(j Job, err error) {
	if err != nil {
		w.o.Logger.Warn("queue.settle.failed", "job", string(j.ID), "kind", j.Kind, "reason", fault.Reason(err), "error", err)
	}
}

// sortLeases puts leases in the one order in which rows are locked.
func sortLeases(held []*lease) {
	slices.SortFunc(held, func(a, b *lease) int { return cmp.Compare(a.job.ID, b.job.ID) })
}
