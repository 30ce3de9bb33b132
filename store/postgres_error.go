package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vaguemestre/vaguemestre/fault"
)

// sqlState returns PostgreSQL's code of an error, "" if it has none.
func sqlState(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && len(e.Code) == 5 {
		return e.Code
	}
	return ""
}

// retriable reports whether the same function may succeed if run again:
// serialization_failure and deadlock_detected, of which nothing stayed.
func retriable(err error) bool {
	code := sqlState(err)
	return code == "40001" || code == "40P01"
}

// connectionLost reports whether an error came from the way to the server, or
// from a server that is going down (57P01 to 57P03).
func connectionLost(err error) bool {
	switch sqlState(err) {
	case "":
	case "57P01", "57P02", "57P03":
		return true
	default:
		return false
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false // somebody's patience, though it looks like a network error
	}
	_, network := errors.AsType[net.Error](err)
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	return network || connecting || pgconn.SafeToRetry(err) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// explainCommit turns an error of COMMIT into a fault. When the server did not
// answer, it is open whether the transaction happened: it is not run again.
func explainCommit(err error) error {
	if connectionLost(err) || sqlState(err) == "" && !errors.Is(err, pgx.ErrTxCommitRollback) {
		return fault.Wrap(fault.Transient, "store-commit-unknown", err)
	}
	return explainPostgres(err)
}

// explainPostgres turns a driver's error into a fault. A fault stays what it
// is. Codes: PostgreSQL 15, appendix A.
func explainPostgres(err error) error {
	if err == nil || isFault(err) {
		return err
	}
	code := sqlState(err)
	switch {
	case connectionLost(err):
		return fault.Wrap(fault.Transient, "store-unavailable", err)
	case code == "":
		return err
	case code == "23505":
		return fault.Wrap(fault.Conflict, "store-duplicate", err)
	case code[:2] == "23":
		return fault.Wrap(fault.Conflict, "store-constraint", err)
	case code == "53100", code == "53400": // disk_full; configuration_limit_exceeded: a limit on temporary files
		return fault.Wrap(fault.Transient, "store-full", err)
	case code[:2] == "40", code == "55P03": // met others too often; lock_not_available
		return fault.Wrap(fault.Transient, "store-busy", err)
	case code == "57014": // query_canceled: statement_timeout
		return fault.Wrap(fault.Transient, "store-timeout", err)
	case code[:2] == "08", code[:2] == "53", code[:2] == "57": // connection, resources, operator intervention
		return fault.Wrap(fault.Transient, "store-unavailable", err)
	case code == "25006":
		return fault.Wrap(fault.Internal, "store-read-only", err)
	}
	return fault.Wrap(fault.Internal, "store-engine", fmt.Errorf("SQLSTATE %s: %w", code, err))
}
