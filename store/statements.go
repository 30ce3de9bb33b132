package store

import (
	"context"
	"database/sql"
)

// maxStatements bounds the prepared statements of one connection. Texts are
// constants of the houses; only lists of varying length make more.
const maxStatements = 512

// statements is a SQLite connection with its prepared statements, one per query
// text. It is used by one goroutine at a time.
type statements struct {
	conn  *sql.Conn
	cache map[string]*sql.Stmt
}

func newStatements(conn *sql.Conn) *statements {
	return &statements{conn: conn, cache: make(map[string]*sql.Stmt)}
}

// prepare returns the statement of a text. A text of several statements is
// prepared too: the driver runs them in turn.
func (s *statements) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := s.cache[query]; ok {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(s.cache) >= maxStatements {
		for text := range s.cache { // any one: the cache is larger than the set of hot texts
			s.forget(text)
			break
		}
	}
	s.cache[query] = stmt
	return stmt, nil
}

// forget drops a statement from the cache.
func (s *statements) forget(query string) {
	if stmt, ok := s.cache[query]; ok {
		delete(s.cache, query)
		_ = stmt.Close() // finalising reports the error of the last run, known already
	}
}

func (s *statements) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	stmt, err := s.prepare(ctx, query) //nolint:sqlclosecheck // kept in the cache, closed with it
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (s *statements) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	stmt, err := s.prepare(ctx, query) //nolint:sqlclosecheck // kept in the cache, closed with it
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (s *statements) row(ctx context.Context, query string, args []any) *sql.Row {
	stmt, err := s.prepare(ctx, query) //nolint:sqlclosecheck // kept in the cache, closed with it
	if err != nil {
		return s.conn.QueryRowContext(ctx, query, args...) // the Row holds the error
	}
	return stmt.QueryRowContext(ctx, args...)
}

func (s *statements) explain(err error) error { return explainSQLite(err) }

// do runs a statement of the store's own.
func (s *statements) do(query string) error {
	_, err := s.exec(context.Background(), query, nil)
	return err
}

// close closes the statements and the connection.
func (s *statements) close() error {
	for text := range s.cache {
		s.forget(text)
	}
	return s.conn.Close()
}
