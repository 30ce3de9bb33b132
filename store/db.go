package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	engine engine
}

// engine is what SQLite and PostgreSQL do differently.
type engine interface {
	name() string
	write(ctx context.Context, fn func(*Tx) error) error
	read(ctx context.Context, fn func(*Tx) error) error
	stats() Stats
	close() error
}

// Open opens the database named by a DSN and applies the migrations it lacks:
//
//	sqlite:PATH                       a file, made with mode 0600 if missing
//	postgres://user@host/name?…       any URL that pgx understands
//
// Faults: Invalid "store-scheme-unknown", "store-dsn-malformed"; Internal
// "store-engine-too-old"; Transient "store-unavailable".
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	o = o.withDefaults()
	scheme, rest, _ := strings.Cut(dsn, ":")
	var (
		e   engine
		err error
	)
	switch scheme {
	case "sqlite":
		e, err = openSQLite(ctx, rest, o)
	case "postgres", "postgresql":
		e, err = openPostgres(ctx, dsn, o)
	default:
		// The DSN itself is not repeated: it may hold a password.
		return nil, fault.New(fault.Invalid, "store-scheme-unknown")
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	o.Logger.Info("store.opened", "engine", e.name())
	return &DB{engine: e}, nil
}

// Write runs fn in a transaction and returns once it is durable, or its error.
//
// fn may run more than once and on another goroutine. It has no effect outside
// tx, does no parsing, cryptography or I/O, and calls neither Write nor Read.
// The first statement locks the rows it decides on. If fn returns an error or
// panics, nothing of it stays. A panic is raised again in the caller's
// goroutine as a *Panic; runtime.Goexit (t.FailNow) ends the caller.
//
// ctx is looked at until fn's turn comes: then Write answers at once with
// Transient "store-cancelled" and fn never runs. From its turn on fn runs to its
// end. An error with reason "store-commit-unknown" (PostgreSQL, connection lost
// during COMMIT) means that the outcome is not known; every other error means
// that nothing was written.
func (db *DB) Write(ctx context.Context, fn func(tx *Tx) error) error {
	return db.engine.write(ctx, fn)
}

// Read runs fn on one snapshot of the database: it sees no write that commits
// meanwhile, and can change nothing. ctx is looked at before each statement.
func (db *DB) Read(ctx context.Context, fn func(tx *Tx) error) error {
	return db.engine.read(ctx, fn)
}

// Engine returns "sqlite" or "postgres".
func (db *DB) Engine() string { return db.engine.name() }

// Stats returns the counters since Open.
func (db *DB) Stats() Stats { return db.engine.stats() }

// Close lets the running functions end, answers the waiting ones with Transient
// "store-closed", and closes the connections. It may be called more than once.
func (db *DB) Close() error { return db.engine.close() }
