package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/store/pgtest"
)

// postgres is the PostgreSQL server that a world keeps its rows in: one that was
// named, or one of our own for the time of the measurement.
type postgres struct {
	dsn     string
	db      *sql.DB
	scratch *pgtest.Server // nil if it was named
	dir     string         // the scratch server's
	pid     int            // the scratch server's first process; 0 if unknown
	empty   bool           // no demo was on it when we came: what is there now is ours
	notes   []string
}

// databases are those that the demo makes on a server.
func databases() []string {
	return []string{"vaguemestre_hospital", "vaguemestre_city", "vaguemestre_patients"}
}

// openPostgres connects to the server of dsn, or starts one below dir.
func openPostgres(ctx context.Context, dsn, dir string) (p *postgres, err error) {
	p = &postgres{dsn: dsn}
	if dsn == "" {
		if err := p.start(ctx, dir); err != nil {
			return nil, err
		}
	}
	// The driver is registered by package store, which keeps it.
	if p.db, err = sql.Open("pgx", p.dsn); err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.db.SetMaxOpenConns(1)
	if err := p.check(ctx); err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.empty = true
	return p, nil
}

// start runs a scratch server with durable settings, and memory and log sizes as a
// small real one has.
func (p *postgres) start(ctx context.Context, dir string) (err error) {
	if p.dir, err = os.MkdirTemp(dir, "bench-pg-"); err != nil {
		return err
	}
	p.scratch, err = pgtest.Start(ctx, p.dir, pgtest.Options{Durable: true, Settings: []string{
		"shared_buffers = 256MB", "max_wal_size = 4GB", "min_wal_size = 1GB", "autovacuum_naptime = 1min",
	}})
	if err != nil {
		return errors.Join(err, os.RemoveAll(p.dir))
	}
	p.dsn = p.scratch.DSN("postgres")
	if data, err := os.ReadFile(filepath.Join(p.dir, "data", "postmaster.pid")); err == nil {
		first, _, _ := strings.Cut(string(data), "\n")
		p.pid, _ = strconv.Atoi(first) // 0: unknown
	}
	return nil
}

// check refuses a server that holds a demo already, and notes what is not durable.
func (p *postgres) check(ctx context.Context) error {
	for _, name := range databases() {
		var there bool
		if err := p.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)`, name).Scan(&there); err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
		if there {
			return fmt.Errorf("postgres: the server already has a database %s: name a server without one", name)
		}
	}
	var version string
	if err := p.db.QueryRowContext(ctx, `SHOW server_version`).Scan(&version); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	p.notes = append(p.notes, "PostgreSQL "+version)
	for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := p.db.QueryRowContext(ctx, `SELECT current_setting($1)`, name).Scan(&value); err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
		if value == "off" {
			p.notes = append(p.notes, "NOT DURABLE: "+name+" is off")
		}
	}
	return nil
}

// flushes counts the flushes of the write-ahead log since the server began. A
// backend reports its own at most once a second: read it under load only.
func (p *postgres) flushes(ctx context.Context) (n int64, err error) {
	err = p.db.QueryRowContext(ctx, `SELECT wal_sync FROM pg_stat_wal`).Scan(&n)
	if err != nil { // PostgreSQL 18 moved it
		err = p.db.QueryRowContext(ctx, `SELECT coalesce(sum(fsyncs), 0)::bigint FROM pg_stat_io WHERE object = 'wal'`).Scan(&n)
	}
	return n, err
}

// used returns the processor time of a scratch server's processes.
func (p *postgres) used() time.Duration {
	if p.pid == 0 {
		return 0
	}
	d, err := family(p.pid)
	if err != nil {
		return 0
	}
	return d
}

// close stops a scratch server, or drops from a named one what the demo made.
func (p *postgres) close() error {
	if p.scratch != nil {
		return errors.Join(p.end(), p.scratch.Stop())
	}
	if !p.empty {
		return p.end()
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	var all []error
	for _, name := range databases() {
		_, err := p.db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		all = append(all, err)
	}
	return errors.Join(errors.Join(all...), p.end())
}

// end closes our own connection.
func (p *postgres) end() error {
	if p.db == nil {
		return nil
	}
	return p.db.Close()
}
