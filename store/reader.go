package store

import "context"

// reader is one reading connection of SQLite.
type reader struct {
	*statements
}

// read runs fn on a snapshot. The snapshot is taken by the first statement, on
// PostgreSQL too.
func (db *sqliteDB) read(ctx context.Context, fn func(*Tx) error) error {
	r, err := db.borrow(ctx)
	if err != nil {
		return err
	}
	defer func() { db.readers <- r }()
	if err := r.do("BEGIN"); err != nil {
		return db.readFailed(err)
	}
	// Deferred, so that it also happens when fn panics or ends the goroutine.
	defer func() { _ = r.do("ROLLBACK") }() // nothing was written
	db.count.reads.Add(1)
	tx := &Tx{ctx: context.WithoutCancel(ctx), gate: ctx, conn: r, now: db.o.now()}
	defer func() { _ = tx.finish(nil) }()
	err = tx.finish(fn(tx))
	return db.readFailed(err)
}

// readFailed looks for errors that end the process.
func (db *sqliteDB) readFailed(err error) error {
	if fatalSQLite(err) {
		db.o.Fatal(err)
	}
	return explainSQLite(err)
}

// borrow takes a reading connection, opening it the first time.
func (db *sqliteDB) borrow(ctx context.Context) (*reader, error) {
	if ctx.Err() != nil {
		return nil, cancelled(ctx)
	}
	select {
	case <-db.writer.stop: // also when a connection is free: close takes them all
		return nil, db.writer.gone()
	default:
	}
	var r *reader
	select {
	case r = <-db.readers:
	case <-db.writer.stop:
		return nil, db.writer.gone()
	case <-ctx.Done():
		return nil, cancelled(ctx)
	}
	if r != nil {
		return r, nil
	}
	conn, err := db.readDB.Conn(context.WithoutCancel(ctx))
	if err != nil {
		db.readers <- nil
		return nil, explainSQLite(err)
	}
	return &reader{newStatements(conn)}, nil
}
