// Package queue keeps jobs that must be done at least once, whatever crashes.
//
//	err := queue.Add(tx, queue.Job{ID: id, Kind: "relay", Group: "chu.mss.example", Payload: sealed})
//
// A job is added in the transaction that makes it necessary, and completed in the
// transaction that holds its effects:
//
//	w := queue.NewWorker(db, map[string]queue.Kind{"relay": {
//		Handle: func(ctx context.Context, j queue.Job) queue.Result {
//			reply, err := send(ctx, j)            // no transaction is open here
//			if err != nil {
//				return queue.Retry("peer-unreachable")
//			}
//			return queue.Done(func(tx *store.Tx) error { return outcome.Add(tx, reply) })
//		},
//		Concurrency: 8, PerGroup: 2,
//	}}, queue.Options{Bus: b})
//	err := w.Run(ctx)
//
// # The life of a job
//
//	        Add            claim                Done, Failed
//	(none) -----> waiting -------> leased ---------------------> (gone)
//	               ^  ^  \           |  |
//	               |  |   Hold       |  | Retry, an error, a panic: due later
//	               |  +--Unhold--held|  |
//	               +-----------------+--+ lease ran out: due at once
//
// The row is deleted by the transaction that completes the job. A job that has
// expired (48 h, spec mssante 6.12) is handed to Kind.Expire instead of
// Kind.Handle; without one it is held, reason "job-expired". A job never vanishes.
//
// # Invariants
//
//  1. At least once: a job is gone only with its effects. A handler may run twice
//     (the worker was killed, or its lease ran out), its effects stay once: the
//     completing transaction checks the epoch of the lease, and is rolled back when
//     another worker has claimed the job since.
//  2. A claim takes the lease and counts the attempt, before the handler runs: a job
//     that kills the process is counted too, and after three claims without a
//     settled attempt it waits for its backoff like any failing job.
//  3. Effects come before the row of the job in the lock order: the row is locked
//     last.
//  4. No busy poll: a worker sleeps until a poke ("queue:"+kind), a free slot, or
//     the next due job, at most 30 s.
//  5. Payloads are opaque: sealed by who adds the job, opened by its handler. Reasons
//     are reason ids. Groups are domains, never addresses.
//
// # What it does not do
//
// Limits of concurrency are per worker: with n nodes, n times as many jobs of a
// group may run. There is no order among jobs beyond their due times.
//
// # Implementation notes
//
// A house opens no transactions; the worker does, because it is the machine that
// drives the handlers. One goroutine finds and claims (one read, one write for all
// kinds), one extends leases, one per running job runs its handler. A claim never
// waits for another worker's: SKIP LOCKED on PostgreSQL, one writer on SQLite.
// Groups are found by probes into the index (kind, held, grp, wake), so that a
// hundred thousand jobs of a slow peer cost nothing to the others.
package queue
