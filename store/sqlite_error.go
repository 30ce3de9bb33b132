package store

import (
	"database/sql"
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/vaguemestre/vaguemestre/fault"
)

// resultCode returns SQLite's extended result code of an error, 0 if it has none.
func resultCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// fatalSQLite reports whether the state of the file is in doubt.
func fatalSQLite(err error) bool {
	switch code := resultCode(err); code & 0xff {
	case sqlite3.SQLITE_IOERR:
		return code != sqlite3.SQLITE_IOERR_SHMSIZE // no room for the index of the log: the disk is full
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return errors.Is(err, sql.ErrConnDone)
}

// explainSQLite turns a driver's error into a fault. A fault stays what it is.
func explainSQLite(err error) error {
	if err == nil || isFault(err) {
		return err
	}
	if fatalSQLite(err) {
		return fault.Wrap(fault.Internal, "store-broken", err)
	}
	code := resultCode(err)
	switch code & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR:
		return fault.Wrap(fault.Transient, "store-full", err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fault.Wrap(fault.Transient, "store-busy", err)
	case sqlite3.SQLITE_READONLY:
		return fault.Wrap(fault.Internal, "store-read-only", err)
	case sqlite3.SQLITE_CONSTRAINT:
		if code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
			return fault.Wrap(fault.Conflict, "store-duplicate", err)
		}
		return fault.Wrap(fault.Conflict, "store-constraint", err)
	case 0:
		return err
	}
	return fault.Wrap(fault.Internal, "store-engine", err)
}

// isFault reports whether an error has been given its kind already.
func isFault(err error) bool {
	_, ok := errors.AsType[*fault.Error](err)
	return ok
}
