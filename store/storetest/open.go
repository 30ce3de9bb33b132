package storetest

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/pgtest"
)

// Each runs a subtest per engine, each with a fresh database that has all migrations.
func Each(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// EachWith is Each with options, such as a Publish hook or a Clock.
func EachWith(t *testing.T, o store.Options, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, Open(t, SQLiteDSN(t), o)) })
	t.Run("postgres", func(t *testing.T) { test(t, Open(t, PostgresDSN(t), o)) })
}

// SQLite returns a fresh SQLite database that is closed with the test.
func SQLite(tb testing.TB) *store.DB {
	tb.Helper()
	return Open(tb, SQLiteDSN(tb), store.Options{})
}

// Postgres returns a fresh PostgreSQL database that is closed with the test.
func Postgres(tb testing.TB) *store.DB {
	tb.Helper()
	return Open(tb, PostgresDSN(tb), store.Options{})
}

// Open opens a database and closes it with the test.
func Open(tb testing.TB, dsn string, o store.Options) *store.DB {
	tb.Helper()
	db, err := store.Open(tb.Context(), dsn, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close store: %v", err)
		}
	})
	return db
}

// SQLiteDSN returns the address of a database that does not exist yet.
func SQLiteDSN(tb testing.TB) string {
	tb.Helper()
	return "sqlite:" + filepath.Join(tb.TempDir(), "store.db")
}

// template is the migrated database that the others are copied from, made once
// per test binary: copying is faster than migrating.
//
//nolint:gochecknoglobals // as the server it belongs to, it lives as long as the process
var template struct {
	once  sync.Once
	err   error
	count atomic.Int64
}

const templateName = "migrated"

// PostgresDSN returns the address of a fresh database that has all migrations.
// It is dropped at the end of the test.
func PostgresDSN(tb testing.TB) string {
	tb.Helper()
	needsPeer(tb)
	server := pgtest.Shared(tb)
	template.once.Do(func() { template.err = makeTemplate(tb, server) })
	if template.err != nil {
		tb.Fatal(template.err)
	}
	return fresh(tb, server, templateName)
}

// needsPeer skips a test under -short: make quick is for machines without peers. In
// any other run a machine without PostgreSQL is an error.
func needsPeer(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("needs PostgreSQL: not for make quick")
	}
}

// EmptyPostgresDSN returns the address of a fresh database without tables.
func EmptyPostgresDSN(tb testing.TB) string {
	tb.Helper()
	needsPeer(tb)
	return fresh(tb, pgtest.Shared(tb), "")
}

// fresh makes a database that is dropped at the end of the test.
func fresh(tb testing.TB, server *pgtest.Server, from string) string {
	tb.Helper()
	name := fmt.Sprintf("test_%d", template.count.Add(1))
	if err := server.Create(tb.Context(), name, from); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := server.Drop(context.Background(), name); err != nil {
			tb.Errorf("drop database: %v", err)
		}
	})
	return server.DSN(name)
}

// makeTemplate migrates the template and lets go of it.
func makeTemplate(tb testing.TB, server *pgtest.Server) error {
	if err := server.Create(tb.Context(), templateName, ""); err != nil {
		return err
	}
	db, err := store.Open(tb.Context(), server.DSN(templateName), store.Options{})
	if err != nil {
		return err
	}
	return db.Close()
}
