package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Database returns the DSN of the database of that name beside the one that dsn
// names, and makes it when it is missing: several operators share one server and
// nothing else.
//
// On SQLite it is a file NAME.db in the same folder, which is made with mode
// 0700; the file itself is made by Open. On PostgreSQL it is a database in UTF-8
// whose text sorts by bytes, as SQLite's does; the role of the DSN must be
// allowed to create databases. The database that the DSN itself names is only
// connected to; without one, or if it is not there, that is "postgres".
//
// A name is 1 to 63 lower-case letters, digits and "_", a letter first. Faults:
// Invalid "store-scheme-unknown", "store-dsn-malformed"; Transient
// "store-unavailable"; Internal "store-engine" if the role may not create.
func Database(ctx context.Context, dsn, name string) (string, error) {
	if !validName(name) {
		return "", fault.New(fault.Invalid, "store-dsn-malformed")
	}
	scheme, rest, _ := strings.Cut(dsn, ":")
	switch scheme {
	case "sqlite":
		if err := checkPath(rest); err != nil {
			return "", err
		}
		if err := os.MkdirAll(filepath.Dir(rest), 0o700); err != nil {
			return "", fmt.Errorf("make database: %w", err)
		}
		return "sqlite:" + filepath.Join(filepath.Dir(rest), name+".db"), nil
	case "postgres", "postgresql":
		u, err := url.Parse(dsn)
		if err != nil {
			return "", fault.New(fault.Invalid, "store-dsn-malformed") // the cause repeats the DSN
		}
		if err := makePostgres(ctx, dsn, name); err != nil {
			return "", fmt.Errorf("make database: %w", explainPostgres(err))
		}
		u.Path = "/" + name
		return u.String(), nil
	}
	return "", fault.New(fault.Invalid, "store-scheme-unknown")
}

// makePostgres makes a database if it is missing.
func makePostgres(ctx context.Context, dsn, name string) (err error) {
	conn, err := connectAny(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	var there bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil || there {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
	if code := sqlState(err); code == "42P04" || code == "23505" { // somebody else made it meanwhile
		return nil
	}
	return err
}

// connectAny connects to the database of the DSN, or to the one that is always there.
func connectAny(ctx context.Context, dsn string) (*pgx.Conn, error) {
	config, err := parsePostgres(dsn)
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(dsn); err == nil && strings.Trim(u.Path, "/") == "" {
		config.Database = "postgres"
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if sqlState(err) != "3D000" { // invalid_catalog_name: no such database
		return conn, err
	}
	config.Database = "postgres"
	return pgx.ConnectConfig(ctx, config)
}

// validName reports whether a name needs no quoting anywhere.
func validName(name string) bool {
	if name == "" || len(name) > 63 || name[0] < 'a' || name[0] > 'z' {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// checkPath refuses what is no file: a URL's host, a database in memory.
func checkPath(path string) error {
	if path == "" || strings.HasPrefix(path, ":") || strings.HasPrefix(path, "//") {
		return fault.New(fault.Invalid, "store-dsn-malformed")
	}
	return nil
}
