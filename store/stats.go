package store

import "sync/atomic"

// Stats counts what a store did.
type Stats struct {
	// Commits is how many write transactions were committed. On SQLite each is
	// one flush of the log, shared by the functions of its batch; copying the
	// log into the file costs three more every 4,000 pages.
	Commits int64
	// Writes is how many runs of functions of Write there were.
	Writes int64
	// Retries is how many of those runs repeated an earlier one.
	Retries int64
	// Reads is how many functions of Read were run.
	Reads int64
	// Waiting is how many functions wait for their turn now: on SQLite those
	// of Write, on PostgreSQL those of Read too.
	Waiting int64
}

// counters are the live form of Stats.
type counters struct {
	commits, writes, retries, reads, waiting atomic.Int64
}

func (c *counters) stats() Stats {
	return Stats{
		Commits: c.commits.Load(),
		Writes:  c.writes.Load(),
		Retries: c.retries.Load(),
		Reads:   c.reads.Load(),
		Waiting: c.waiting.Load(),
	}
}
