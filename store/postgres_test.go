package store_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// cut ends the server's side of the connection that a function runs on.
func cut(tx *store.Tx) error {
	_, err := tx.Exec("SELECT pg_terminate_backend(pg_backend_pid())")
	return err
}

func TestLostConnectionBeforeCommitIsRetried(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.EmptyPostgresDSN(t), store.Options{Conns: 2, Migrations: fstest.MapFS{}})
	if err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec("CREATE TABLE t (id BIGINT PRIMARY KEY)")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	runs := 0
	if err := db.Write(t.Context(), func(tx *store.Tx) error {
		runs++
		if _, err := tx.Exec("INSERT INTO t VALUES (1)"); err != nil {
			return err
		}
		if runs < 3 {
			return cut(tx)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if runs != 3 || db.Stats().Retries != 2 {
		t.Errorf("got %d runs, %d retries, want 3 and 2", runs, db.Stats().Retries)
	}

	err := db.Write(t.Context(), cut)
	if !fault.Is(err, fault.Transient) || fault.Reason(err) != "store-unavailable" {
		t.Errorf("got %v, want store-unavailable once the attempts are used up", err)
	}
}

// TestSettingsOfTheSession holds that a commit is durable whatever the server's
// default, and that the DSN has the last word on everything else.
func TestSettingsOfTheSession(t *testing.T) {
	t.Parallel()
	dsn := storetest.EmptyPostgresDSN(t)
	db := storetest.Open(t, dsn+"&statement_timeout=5s", store.Options{Migrations: fstest.MapFS{}})
	for name, want := range map[string]string{
		"synchronous_commit": "on", "statement_timeout": "5s", "idle_in_transaction_session_timeout": "1min",
		"transaction_isolation": "read committed", "commit_delay": "100", "application_name": "vaguemestre",
	} {
		var got string
		if err := db.Write(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow("SELECT current_setting($1)", name).Scan(&got)
		}); err != nil || got != want {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, want)
		}
	}
}

func TestOrdinaryRolesOpenToo(t *testing.T) {
	t.Parallel()
	dsn := storetest.EmptyPostgresDSN(t)
	admin := storetest.Open(t, dsn, store.Options{Migrations: fstest.MapFS{}})
	name := "clerk_" + strings.ToLower(t.Name())
	if err := admin.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec("CREATE ROLE " + name + " LOGIN; GRANT ALL ON SCHEMA public TO " + name)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), strings.Replace(dsn, "user=postgres", "user="+name, 1), store.Options{Migrations: migrations()})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := admin.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec("DROP OWNED BY " + name + "; DROP ROLE " + name)
		return err
	}); err != nil {
		t.Error(err)
	}
}
