package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/pressly/goose/v3"
)

// sqliteDB is the SQLite engine: one connection that writes, a few that read.
type sqliteDB struct {
	o      Options
	count  counters
	writer *writer
	// readers holds the idle reading connections; nil stands for one not opened yet.
	readers chan *reader

	writeDB, readDB *sql.DB
	closing         sync.Once
	closed          error
}

func openSQLite(ctx context.Context, path string, o Options) (*sqliteDB, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	useOwnLocks()
	if err := createFile(path); err != nil {
		return nil, err
	}
	db := &sqliteDB{o: o, readers: make(chan *reader, o.Readers)}
	var err error
	if db.writeDB, err = openPool(path, 1, writerPragmas()); err != nil {
		return nil, err
	}
	if db.readDB, err = openPool(path, o.Readers, readerPragmas()); err != nil {
		return nil, errors.Join(err, db.writeDB.Close())
	}
	if err := db.start(ctx, path); err != nil {
		return nil, errors.Join(explainSQLite(err), db.readDB.Close(), db.writeDB.Close())
	}
	return db, nil
}

// start checks the engine, migrates and starts the writer.
func (db *sqliteDB) start(ctx context.Context, path string) error {
	unlock, err := lockFile(path + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	var version string
	if err := db.writeDB.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	if err := migrate(ctx, db.writeDB, goose.DialectSQLite3, db.o.Migrations); err != nil {
		return err
	}
	conn, err := db.writeDB.Conn(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	for range db.o.Readers {
		db.readers <- nil
	}
	db.writer = newWriter(conn, db.o, &db.count)
	return nil
}

func (db *sqliteDB) name() string { return "sqlite" }

func (db *sqliteDB) stats() Stats { return db.count.stats() }

func (db *sqliteDB) write(ctx context.Context, fn func(*Tx) error) error {
	return db.writer.write(ctx, fn)
}

func (db *sqliteDB) close() error {
	db.closing.Do(func() {
		db.writer.shut()
		for range db.o.Readers {
			if r := <-db.readers; r != nil {
				db.closed = errors.Join(db.closed, r.close())
			}
		}
		db.closed = errors.Join(db.closed, db.readDB.Close(), db.writeDB.Close())
	})
	return db.closed
}
