package store

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
)

// attempts is how often a function is run when it meets others in the wrong
// order. With ordered locks it is never more than once.
const attempts = 10

// write runs fn until it commits, fails for a reason of its own, or has met
// others too often.
func (db *postgresDB) write(ctx context.Context, fn func(*Tx) error) error {
	for attempt := 1; ; attempt++ {
		topics, again, err := db.once(ctx, fn)
		if err == nil {
			db.o.publish(topics)
			return nil
		}
		if !again || attempt == attempts {
			return err
		}
		db.count.retries.Add(1)
		db.o.Logger.Debug("store.retry", "attempt", attempt, "error", err)
		if !pause(ctx, attempt) {
			return cancelled(ctx)
		}
	}
}

// once runs fn in one transaction. On an error, again says whether the same
// function may succeed if run once more.
func (db *postgresDB) once(ctx context.Context, fn func(*Tx) error) (topics []string, again bool, err error) {
	conn, err := db.turn(ctx)
	if err != nil {
		return nil, connectionLost(err), explainPostgres(err)
	}
	defer db.giveBack(conn)
	own := context.WithoutCancel(ctx)
	t, err := conn.BeginTx(own, nil) // READ COMMITTED, the server's default
	if err != nil {
		return nil, connectionLost(err), explainPostgres(err)
	}
	defer t.Rollback() //nolint:errcheck // for functions that fail, panic or exit; after a commit it does nothing
	db.count.writes.Add(1)
	var out outcome
	run(&Tx{ctx: own, conn: pgSession{t}, now: db.o.now()}, fn, &out)
	if out.bad() {
		// Before COMMIT nothing stays, also when the connection is lost.
		return nil, retriable(out.engine) || connectionLost(out.engine), out.deliver()
	}
	if err := t.Commit(); err != nil {
		return nil, retriable(err), explainCommit(err)
	}
	db.count.commits.Add(1)
	return out.topics, false, nil
}

// read runs fn on a snapshot.
func (db *postgresDB) read(ctx context.Context, fn func(*Tx) error) error {
	conn, err := db.turn(ctx)
	if err != nil {
		return explainPostgres(err)
	}
	defer db.giveBack(conn)
	own := context.WithoutCancel(ctx)
	t, err := conn.BeginTx(own, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return explainPostgres(err)
	}
	defer t.Rollback() //nolint:errcheck // nothing was written
	db.count.reads.Add(1)
	tx := &Tx{ctx: own, gate: ctx, conn: pgSession{t}, now: db.o.now()}
	defer func() { _ = tx.finish(nil) }() // closes the rows of a function that did not come back
	return tx.finish(fn(tx))
}

// turn waits for a connection.
func (db *postgresDB) turn(ctx context.Context) (*sql.Conn, error) {
	if ctx.Err() != nil {
		return nil, cancelled(ctx)
	}
	select {
	case <-db.stop: // also when there is room: close takes all of it
		return nil, fault.New(fault.Transient, "store-closed")
	default:
	}
	if err := db.wait(ctx); err != nil {
		return nil, err
	}
	conn, err := db.pool.Conn(ctx)
	if err != nil {
		<-db.turns
		if ctx.Err() != nil {
			return nil, cancelled(ctx)
		}
		return nil, err
	}
	return conn, nil
}

// wait waits for a free place among the connections.
func (db *postgresDB) wait(ctx context.Context) error {
	db.count.waiting.Add(1)
	defer db.count.waiting.Add(-1)
	select {
	case db.turns <- struct{}{}:
		return nil
	case <-db.stop:
		return fault.New(fault.Transient, "store-closed")
	case <-ctx.Done():
		return cancelled(ctx)
	}
}

// giveBack ends a turn.
func (db *postgresDB) giveBack(conn *sql.Conn) {
	_ = conn.Close() // back to the pool; a broken one is dropped there
	<-db.turns
}

// pgSession is a transaction of PostgreSQL. pgx prepares each text once per
// connection by itself.
type pgSession struct{ t *sql.Tx }

func (s pgSession) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	return s.t.ExecContext(ctx, query, args...)
}

func (s pgSession) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	return s.t.QueryContext(ctx, query, args...)
}

func (s pgSession) row(ctx context.Context, query string, args []any) *sql.Row {
	return s.t.QueryRowContext(ctx, query, args...)
}

func (s pgSession) explain(err error) error { return explainPostgres(err) }

// pause waits a random time that grows with the attempts, at most 250 ms. It
// reports false if ctx ended.
func pause(ctx context.Context, attempt int) bool {
	timer := time.NewTimer(rand.N(min(time.Millisecond<<attempt, 250*time.Millisecond)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
