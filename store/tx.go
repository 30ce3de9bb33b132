package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/vaguemestre/vaguemestre/fault"
)

// ErrNoRows is what Scan returns when QueryRow found nothing.
var ErrNoRows = sql.ErrNoRows

// Micros returns the time as it is stored: unix microseconds, UTC.
func Micros(t time.Time) int64 { return t.UnixMicro() }

// Time returns a stored time: UTC, to the microsecond.
func Time(us int64) time.Time { return time.UnixMicro(us).UTC() }

// session is one connection in one transaction.
type session interface {
	exec(ctx context.Context, query string, args []any) (sql.Result, error)
	query(ctx context.Context, query string, args []any) (*sql.Rows, error)
	row(ctx context.Context, query string, args []any) *sql.Row
	explain(err error) error
}

// Tx is the inside of one Write or Read. It is for the function it was handed
// to, for the goroutine that runs it, and for no longer than it runs.
//
// It carries a context, the one exception to the rule that contexts are not
// stored: the transaction's own, which outlives a caller that hangs up, so that
// one cancelled request cannot end the transaction of the others in its batch.
//
// A statement that fails spoils the Tx: later statements return the same error
// and nothing is committed, whatever the function returns. PostgreSQL ends a
// transaction at the first error; SQLite would go on, and code written against
// it would break on the other. Expected conflicts are therefore said in SQL:
// ON CONFLICT DO NOTHING.
//
// One result set is open at a time: a Query's rows are read to the end or
// closed before the next statement, as PostgreSQL's protocol wants it.
type Tx struct {
	ctx    context.Context // the transaction's own; never cancelled by a caller
	gate   context.Context // the reader's, looked at before each statement; nil in a Write
	conn   session
	now    time.Time
	topics []string
	rows   *sql.Rows
	failed error
	over   bool
}

// Exec runs a statement and returns how many rows it changed. Placeholders are
// $1, $2 and so on. An error is a fault: Conflict "store-duplicate" for a
// uniqueness violation, Conflict "store-constraint" for another constraint,
// Transient "store-full", "store-busy", "store-unavailable" or Internal.
func (tx *Tx) Exec(query string, args ...any) (affected int64, err error) {
	if err := tx.ready(query); err != nil {
		return 0, err
	}
	result, err := tx.conn.exec(tx.ctx, query, args)
	if err != nil {
		return 0, tx.spoil(err)
	}
	affected, err = result.RowsAffected()
	if err != nil {
		return 0, tx.spoil(err)
	}
	return affected, nil
}

// Query runs a statement that returns rows. Close them, and look at their Err.
// Errors are as those of Exec.
func (tx *Tx) Query(query string, args ...any) (*sql.Rows, error) {
	if err := tx.ready(query); err != nil {
		return nil, err
	}
	rows, err := tx.conn.query(tx.ctx, query, args)
	if err != nil {
		return nil, tx.spoil(err)
	}
	tx.rows = rows
	return rows, nil
}

// QueryRow runs a statement that returns at most one row. Its Scan must be
// called; it returns ErrNoRows if there was none. Other errors are the
// driver's own; Write and Read turn them into faults when they pass.
func (tx *Tx) QueryRow(query string, args ...any) *sql.Row {
	if err := tx.ready(query); err != nil {
		// database/sql makes no Row that holds an error of ours: this one
		// holds context.Canceled, and the true error is what Write returns.
		return tx.conn.row(ended(), query, args)
	}
	row := tx.conn.row(tx.ctx, query, args)
	if err := row.Err(); err != nil {
		_ = tx.spoil(err)
	}
	return row
}

// Now returns the time at which this run of the function began: UTC, to the
// microsecond, the same at every call.
func (tx *Tx) Now() time.Time { return tx.now }

// Changed collects topics to publish once the transaction is committed. Topics
// of a function that failed or was rolled back are dropped.
func (tx *Tx) Changed(topics ...string) { tx.topics = append(tx.topics, topics...) }

// ready tells whether the next statement may run.
func (tx *Tx) ready(query string) error {
	switch {
	case tx.over:
		return fault.New(fault.Internal, "store-tx-over")
	case tx.rowsOpen():
		return tx.spoil(fault.New(fault.Internal, "store-rows-open"))
	case tx.failed != nil:
		return tx.failed
	case controlsTransaction(query):
		return tx.spoil(fault.New(fault.Internal, "store-transaction-control"))
	case tx.gate != nil && tx.gate.Err() != nil:
		return tx.spoil(cancelled(tx.gate))
	}
	return nil
}

// rowsOpen reports whether the rows of the last Query were left unfinished. An
// error that ended them spoils the Tx, also if the function did not look.
func (tx *Tx) rowsOpen() bool {
	if tx.rows == nil {
		return false
	}
	if _, err := tx.rows.Columns(); err == nil {
		return true // closed rows have no columns
	}
	if err := tx.rows.Err(); err != nil { // the engine failed between two rows
		_ = tx.spoil(err)
	}
	tx.rows = nil
	return false
}

// spoil remembers the first error of a statement and returns it as a fault.
func (tx *Tx) spoil(err error) error {
	err = tx.conn.explain(err)
	if tx.failed == nil {
		tx.failed = err
	}
	return err
}

// finish closes what the function left open and returns its verdict.
func (tx *Tx) finish(err error) error {
	if tx.rowsOpen() {
		_ = tx.rows.Close() // the function is over: what it did not read is not wanted
		tx.rows = nil
	}
	tx.over = true
	// A Row of a spoilt Tx knows nothing better than context.Canceled.
	if tx.failed != nil && (err == nil || errors.Is(err, context.Canceled)) {
		err = tx.failed
	}
	return tx.conn.explain(err)
}

// controlsTransaction reports whether a statement would begin, end or nest a
// transaction: on SQLite that would commit the innocent functions of the batch.
func controlsTransaction(query string) bool {
	query = strings.TrimLeft(query, " \t\r\n")
	word := query
	if i := strings.IndexFunc(query, func(r rune) bool { return !unicode.IsLetter(r) }); i >= 0 {
		word = query[:i]
	}
	for _, control := range [...]string{"BEGIN", "START", "COMMIT", "END", "ABORT", "ROLLBACK", "SAVEPOINT", "RELEASE"} {
		if strings.EqualFold(word, control) {
			return true
		}
	}
	return false
}

// ended returns a context that is over.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// cancelled is the fault of a caller that hung up before its turn. The
// context's own error stays visible to errors.Is.
func cancelled(ctx context.Context) error {
	return fault.Wrap(fault.Transient, "store-cancelled", errors.Join(ctx.Err(), context.Cause(ctx)))
}
