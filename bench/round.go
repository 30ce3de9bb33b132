package bench

import (
	"context"
	"fmt"
	"time"
)

// cell is one combination that is measured.
type cell struct {
	size  int
	conns int
}

// reading is what a server has used since it began, as far as it is known.
type reading struct {
	at       time.Time
	cpu      time.Duration // of the server's process
	database time.Duration // of PostgreSQL's processes
	flushes  int64         // that the server or its database counts itself
	own      time.Duration // of this process, the client
	machine  time.Duration // of all processors, whoever used them
}

// round is one window of load on one target.
type round struct {
	from, to time.Time
	letters  int
	refused  int
	rate     float64 // letters a second
	p50, p99 time.Duration
	cpu      time.Duration // of the server, per letter
	database time.Duration // of PostgreSQL, per letter
	flushes  float64       // per letter, counted by the server or its database
	others   float64       // share of the machine that was neither server nor client
}

// play loads a target: warm first, then a window that is measured in the middle
// of the running load, so that neither its beginning nor its end counts. during is
// called for the time of the window.
func play(ctx context.Context, t target, c cell, warm, window time.Duration, during func() (end func() error, err error)) (round, error) {
	crew, err := engage(ctx, t, c.size, c.conns)
	if err != nil {
		return round{}, err
	}
	before, after, err := watch(ctx, t, warm, window, during)
	serr := crew.stop()
	if err != nil {
		return round{}, err
	}
	latencies, refused := crew.between(before.at, after.at)
	if len(latencies) == 0 {
		return round{}, fmt.Errorf("%s took no letter of %d octets within %v: %w", t.name, c.size, window, serr)
	}
	if serr != nil && refused == 0 { // a connection broke
		return round{}, fmt.Errorf("%s: %w", t.name, serr)
	}
	return newRound(before, after, latencies, refused), nil
}

// watch waits, reads, waits for the window and reads again.
func watch(ctx context.Context, t target, warm, window time.Duration, during func() (func() error, error)) (before, after reading, err error) {
	if err := rest(ctx, warm); err != nil {
		return before, after, err
	}
	end := func() error { return nil }
	if during != nil {
		if end, err = during(); err != nil {
			return before, after, err
		}
	}
	if before, err = t.read(ctx); err == nil {
		if err = rest(ctx, window); err == nil {
			after, err = t.read(ctx)
		}
	}
	if eerr := end(); err == nil {
		err = eerr
	}
	return before, after, err
}

// newRound makes a round's figures.
func newRound(before, after reading, latencies []time.Duration, refused int) round {
	span := after.at.Sub(before.at)
	n := len(latencies)
	server, database := after.cpu-before.cpu, after.database-before.database
	others := after.machine - before.machine - server - database - (after.own - before.own)
	r := round{
		from: before.at, to: after.at, letters: n, refused: refused,
		rate: float64(n) / span.Seconds(),
		p50:  quantile(latencies, 0.50), p99: quantile(latencies, 0.99),
		cpu: server / time.Duration(n), database: database / time.Duration(n),
		flushes: float64(after.flushes-before.flushes) / float64(n),
		others:  max(0, others.Seconds()/span.Seconds()/processors()),
	}
	return r
}

// rest waits.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
