package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"modernc.org/sqlite"

	"github.com/vaguemestre/vaguemestre/fault"
)

// minSQLite is the first release whose write-ahead log cannot be reset under a
// checkpoint of another connection (https://sqlite.org/wal.html#walresetbug).
const minSQLite = "3.51.3"

// checkVersion refuses SQLite builds that may corrupt the file.
func checkVersion(version string) error {
	if older(version, minSQLite) {
		return fault.Newf(fault.Internal, "store-engine-too-old", "SQLite %s, wanted %s", version, minSQLite)
	}
	return nil
}

// older compares dotted version numbers.
func older(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i]) // a part that is no number counts as 0: too old
		n, _ := strconv.Atoi(y[i])
		if m != n {
			return m < n
		}
	}
	return len(x) < len(y)
}

// writerPragmas are the settings of the writing connection. foreign_keys is on
// because PostgreSQL has no off. Sorting spills to memory: nothing is written
// outside the database file and its log.
func writerPragmas() []string {
	return []string{
		"busy_timeout(5000)", // ms; another process, such as an administrator's command, may be writing
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"fullfsync(1)", // macOS: fsync does not reach the disk there
		"checkpoint_fullfsync(1)",
		"secure_delete(1)",
		"foreign_keys(1)",
		"temp_store(MEMORY)",
		"cache_size(-32768)",           // KiB
		"wal_autocheckpoint(4000)",     // pages: 16 MiB of log between two checkpoints
		"journal_size_limit(33554432)", // bytes; a log that grew is cut back
		"trusted_schema(0)",
	}
}

// readerPragmas are the settings of a reading connection.
func readerPragmas() []string {
	return []string{"busy_timeout(5000)", "temp_store(MEMORY)", "cache_size(-8192)", "trusted_schema(0)", "query_only(1)"}
}

// useOwnLocks makes SQLite's file locks belong to its open files instead of to
// the process: otherwise any other part of the process that opened and closed
// the database file, to copy or to look at it, would take them away. It takes
// effect before the first lock of the process; where the system does not know
// such locks, the usual ones stay.
func useOwnLocks() { _, _ = sqlite.OFDLocking(true) }

// openPool opens connections to a file, each with the pragmas applied.
func openPool(path string, size int, pragmas []string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "store-dsn-malformed", err)
	}
	name := url.URL{Scheme: "file", Path: abs, RawQuery: url.Values{"_pragma": pragmas, "_dqs": {"0"}}.Encode()}
	pool, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", filepath.Base(path), err)
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	return pool, nil
}

// createFile makes an empty database that only its owner reads, durably.
// SQLite gives its log the mode of the database.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// lockFile takes a lock between processes: two that start at the same time
// migrate one after the other. The file stays; it is empty.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock database: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock database: %w", err), f.Close())
	}
	return func() { _ = f.Close() }, nil // closing releases the lock
}
