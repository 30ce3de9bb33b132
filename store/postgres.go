package store

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/vaguemestre/vaguemestre/fault"
)

// postgresDB is the PostgreSQL engine: a pool of connections.
type postgresDB struct {
	o     Options
	count counters
	pool  *sql.DB
	// turns holds one token per transaction in progress; callers wait for room.
	turns chan struct{}
	stop  chan struct{} // closed by close: nobody gets a turn any more

	closing sync.Once
	closed  error
}

func openPostgres(ctx context.Context, dsn string, o Options) (*postgresDB, error) {
	config, err := parsePostgres(dsn)
	if err != nil {
		return nil, err
	}
	if err := migratePostgres(ctx, config, o); err != nil {
		return nil, explainPostgres(err)
	}
	for name, value := range sessionDefaults() {
		if _, said := config.RuntimeParams[name]; !said {
			config.RuntimeParams[name] = value
		}
	}
	db := &postgresDB{
		o:     o,
		pool:  stdlib.OpenDB(*config, stdlib.OptionAfterConnect(commitTogether)),
		turns: make(chan struct{}, o.Conns),
		stop:  make(chan struct{}),
	}
	db.pool.SetMaxOpenConns(o.Conns)
	db.pool.SetMaxIdleConns(o.Conns)
	db.pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := db.checkServer(ctx); err != nil {
		return nil, errors.Join(explainPostgres(err), db.pool.Close())
	}
	return db, nil
}

// parsePostgres reads a DSN.
func parsePostgres(dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		// The cause is dropped: it repeats parts of the DSN.
		return nil, fault.New(fault.Invalid, "store-dsn-malformed")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	// A server that vanished without a word is noticed within half a minute.
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}
	config.DialFunc = dialer.DialContext
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "vaguemestre"
	}
	return config, nil
}

// sessionDefaults are the settings a connection gets unless its DSN says
// otherwise. A committed transaction is durable whatever the server's default,
// and a function that hangs does not keep its locks for ever.
func sessionDefaults() map[string]string {
	return map[string]string{
		"synchronous_commit":                  "on",
		"statement_timeout":                   "30s",
		"idle_in_transaction_session_timeout": "60s",
	}
}

// commitTogether asks the server to wait 0.1 ms for company before it flushes,
// if at least five transactions are open (its commit_siblings) and nobody chose
// another delay. Measured with 32 writers on 16 connections: 0.45 flushes a
// write without, 0.3 with, at the same rate. Only a superuser may ask; a server
// without one gets the same by commit_delay in its own configuration.
func commitTogether(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SELECT set_config('commit_delay', '100', false) WHERE current_setting('commit_delay', true) = '0'")
	if sqlState(err) == "42501" { // insufficient_privilege
		return nil
	}
	return err
}

// migratePostgres migrates on connections of its own, without a time limit:
// rewriting a large table takes longer than any statement may later.
func migratePostgres(ctx context.Context, config *pgx.ConnConfig, o Options) error {
	pool := stdlib.OpenDB(*config)
	return errors.Join(migrate(ctx, pool, goose.DialectPostgres, o.Migrations), pool.Close())
}

// minPostgres is PostgreSQL 13: server_version_num.
const minPostgres = 130000

// checkServer refuses a server that is too old or could not hold all text, and
// warns about one that forgets in a crash or sorts text otherwise than SQLite.
func (db *postgresDB) checkServer(ctx context.Context) error {
	var (
		version                    int
		encoding, collation, fsync string
	)
	err := db.pool.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::integer,
		current_setting('server_encoding'), datcollate, current_setting('fsync')
		FROM pg_database WHERE datname = current_database()`).Scan(&version, &encoding, &collation, &fsync)
	if err != nil {
		return err
	}
	if version < minPostgres {
		return fault.Newf(fault.Internal, "store-engine-too-old", "PostgreSQL %d, wanted %d", version, minPostgres)
	}
	if encoding != "UTF8" && encoding != "SQL_ASCII" {
		return fault.Newf(fault.Invalid, "store-encoding", "the database's encoding is %s, wanted UTF8", encoding)
	}
	if collation != "C" && collation != "POSIX" && collation != "C.UTF-8" && collation != "C.utf8" {
		db.o.Logger.Warn("store.collation", "collation", collation, "wanted", "C")
	}
	if fsync != "on" {
		db.o.Logger.Warn("store.not-durable", "fsync", fsync)
	}
	return nil
}

func (db *postgresDB) name() string { return "postgres" }

func (db *postgresDB) stats() Stats { return db.count.stats() }

func (db *postgresDB) close() error {
	db.closing.Do(func() {
		close(db.stop)
		for range cap(db.turns) {
			db.turns <- struct{}{} // waits for what is running
		}
		db.closed = db.pool.Close()
	})
	return db.closed
}
