package filing

import (
	"context"
	"errors"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/store"
)

// file does one job: everything costly first, then one transaction with all effects
// and the end of the job.
func (c *Clerk) file(ctx context.Context, job queue.Job) queue.Result {
	c.clear(ctx, job.ID)
	e, err := c.errand(job)
	if err != nil {
		return queue.Retry(fault.Reason(err))
	}
	w, err := c.prepare(ctx, e)
	if err != nil {
		if w != nil {
			w.discard(ctx)
		}
		return queue.Retry(c.failed(ctx, job, err))
	}
	return c.done(job, w)
}

// giveUp ends a job that was tried for as long as a letter is (spec mssante 6.12):
// the reader of the letter sees that its filing failed, and the sender is told.
func (c *Clerk) giveUp(ctx context.Context, job queue.Job) queue.Result {
	c.clear(ctx, job.ID)
	e, err := c.errand(job)
	if err != nil {
		// Nobody can be told whose letter it is: an operator has to look.
		return queue.Retry(fault.Reason(err)).With(func(tx *store.Tx) error {
			return queue.Hold(tx, job.ID, fault.Reason(err))
		})
	}
	w, err := c.abandon(ctx, e)
	if err != nil {
		w.discard(ctx)
		return queue.Retry(c.failed(ctx, job, err))
	}
	c.Log.Error("filing.abandoned", "component", "filing", "job", string(job.ID), "letter", e.Letter, "reason", job.Reason)
	return c.done(job, w)
}

// done ends a job with what was prepared.
func (c *Clerk) done(job queue.Job, w *work) queue.Result {
	c.remember(job.ID, w)
	return queue.Done(w.write)
}

// errand opens the payload of a job.
func (c *Clerk) errand(job queue.Job) (*delivery.Errand, error) {
	e, err := c.Office.OpenErrand(job)
	if err != nil {
		c.Log.Error("filing.errand.broken", "component", "filing", "job", string(job.ID), "error", err)
	}
	return e, err
}

// failed logs an attempt that failed, and returns the reason for the job's row.
func (c *Clerk) failed(ctx context.Context, job queue.Job, err error) string {
	reason := fault.Reason(err)
	if cause := context.Cause(ctx); cause != nil {
		reason = "node-stopping"
		if errors.Is(cause, context.DeadlineExceeded) {
			reason = "filing-too-slow"
		}
	}
	c.Log.Warn("filing.attempt.failed", "component", "filing", "job", string(job.ID), "attempt", job.Attempts, "reason", reason, "error", err)
	return reason
}
