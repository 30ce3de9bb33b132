package queue

import (
	"context"
	"time"

	"github.com/vaguemestre/vaguemestre/store"
)

// Handler does one job. No transaction is open while it runs; it stops early when
// ctx ends (the worker stops, or the lease was lost). A panic is a Retry with
// reason "job-panicked".
type Handler func(ctx context.Context, j Job) Result

// Effect is what a result changes, in the transaction that settles the attempt. It
// keeps the rules of store.DB.Write.
type Effect func(tx *store.Tx) error

// verdict is how an attempt ended.
type verdict uint8

const (
	retry verdict = iota // the zero Result: nothing is lost by a handler that forgot
	done
	failed
)

// Result is how an attempt ended and what it changes. The zero Result is a Retry.
type Result struct {
	verdict verdict
	at      time.Time
	reason  string
	effect  Effect
	payload []byte
}

// Done ends the job; effect may be nil.
func Done(effect Effect) Result { return Result{verdict: done, effect: effect} }

// Failed ends the job without success, as Done does; effect may be nil. It is told
// apart only in the log.
func Failed(reason string, effect Effect) Result {
	return Result{verdict: failed, reason: reason, effect: effect}
}

// Retry wants another attempt after the kind's backoff.
func Retry(reason string) Result { return Result{verdict: retry, reason: reason} }

// RetryAt wants another attempt at a given time.
func RetryAt(at time.Time, reason string) Result {
	return Result{verdict: retry, at: at, reason: reason}
}

// With adds an effect to a result: a retry may have changed something too, such as
// the outcome for some of a letter's recipients.
func (r Result) With(effect Effect) Result {
	r.effect = effect
	return r
}

// Keep replaces the payload for the next attempt of a Retry.
func (r Result) Keep(payload []byte) Result {
	r.payload = payload
	return r
}
