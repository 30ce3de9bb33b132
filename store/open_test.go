package store_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestDSNsThatNameNoStore(t *testing.T) {
	t.Parallel()
	for dsn, reason := range map[string]string{
		"":                               "store-scheme-unknown",
		"store.db":                       "store-scheme-unknown",
		"mysql://secret@host/db":         "store-scheme-unknown",
		"sqlite:":                        "store-dsn-malformed",
		"sqlite::memory:":                "store-dsn-malformed",
		"sqlite://host/path":             "store-dsn-malformed",
		"postgres://u:secret@host:x/db":  "store-dsn-malformed",
		"postgres://h/db?sslmode=secret": "store-dsn-malformed",
	} {
		_, err := store.Open(t.Context(), dsn, store.Options{})
		if !fault.Is(err, fault.Invalid) || fault.Reason(err) != reason {
			t.Errorf("%s: got %v, want %s", dsn, err, reason)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error repeats a secret: %v", dsn, err)
		}
	}
}

func TestUnreachableServerIsTransient(t *testing.T) {
	t.Parallel()
	_, err := store.Open(t.Context(), "postgres:///db?host="+t.TempDir(), store.Options{})
	if !fault.Is(err, fault.Transient) || fault.Reason(err) != "store-unavailable" {
		t.Errorf("got %v, want store-unavailable", err)
	}
}

func TestOldEnginesAreRefused(t *testing.T) {
	t.Parallel()
	for version, wantRefused := range map[string]bool{
		"3.7.0": true, "3.46.1": true, "3.51.2": true, "3.51": true, "": true, "x": true,
		"3.51.3": false, "3.52.0": false, "3.100.0": false, "4.0.0": false,
	} {
		err := store.CheckVersion(version)
		if got := err != nil; got != wantRefused {
			t.Errorf("SQLite %s: got %v, want refused: %v", version, err, wantRefused)
		}
		if err != nil && fault.Reason(err) != "store-engine-too-old" {
			t.Errorf("SQLite %s: got %v", version, err)
		}
	}
}

func TestDatabaseFileIsForItsOwner(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b%41?#é.db") // a path is no URL
	db := storetest.Open(t, "sqlite:"+path, store.Options{})
	if err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec("CREATE TABLE probe (id BIGINT PRIMARY KEY)")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm", path + ".lock"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s: got mode %v, want 0600", filepath.Base(name), got)
		}
	}
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "foreign_keys": "1",
	} {
		var got string
		if err := db.Write(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow("PRAGMA " + pragma).Scan(&got)
		}); err != nil || got != want {
			t.Errorf("%s: got %q (%v), want %q", pragma, got, err, want)
		}
	}
}

// migrations are two steps, of which the second needs the first.
func migrations() fs.FS {
	return fstest.MapFS{
		"00001_one.sql": {Data: []byte("-- +goose Up\nCREATE TABLE one (id BIGINT PRIMARY KEY, body BYTEA);\nINSERT INTO one (id) VALUES (1);\n")},
		"00002_two.sql": {Data: []byte("-- +goose Up\nALTER TABLE one ADD COLUMN note TEXT;\nUPDATE one SET note = 'two';\n")},
	}
}

func TestConcurrentStartsMigrateOnce(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]string{
		"sqlite": storetest.SQLiteDSN(t), "postgres": storetest.EmptyPostgresDSN(t),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					db, err := store.Open(t.Context(), dsn, store.Options{Migrations: migrations()})
					if err != nil {
						t.Error(err)
						return
					}
					defer db.Close()
					var rows, noted int
					if err := db.Read(t.Context(), func(tx *store.Tx) error {
						return tx.QueryRow("SELECT count(*), count(note) FROM one").Scan(&rows, &noted)
					}); err != nil || rows != 1 || noted != 1 {
						t.Errorf("got %d rows, %d noted (%v), want 1 and 1", rows, noted, err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestFailingMigrationLeavesNothing(t *testing.T) {
	t.Parallel()
	files := migrations().(fstest.MapFS)
	files["00003_three.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE three (id BIGINT PRIMARY KEY);\nINSERT INTO nowhere VALUES (1);\n")}
	for name, dsn := range map[string]string{
		"sqlite": storetest.SQLiteDSN(t), "postgres": storetest.EmptyPostgresDSN(t),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := store.Open(t.Context(), dsn, store.Options{Migrations: files}); err == nil {
				t.Fatal("opened with a migration that fails")
			}
			db := storetest.Open(t, dsn, store.Options{Migrations: migrations()})
			err := db.Read(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Query("SELECT id FROM three")
				return err
			})
			if err == nil {
				t.Error("half a migration stayed")
			}
		})
	}
}

// TestMigrationsRunOnBothEngines opens databases with the real schema: the one
// text must mean the same to both.
func TestMigrationsRunOnBothEngines(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Read(t.Context(), func(*store.Tx) error { return nil }); err != nil {
			t.Error(err)
		}
	})
}

func TestDatabaseMakesWhatIsMissing(t *testing.T) {
	t.Parallel()
	pg := storetest.EmptyPostgresDSN(t)
	name := "beside_" + strings.ToLower(identity.NewID())
	for dsn, suffix := range map[string]string{
		"sqlite:" + filepath.Join(t.TempDir(), "new", "base.db"): "/new/" + name + ".db",
		pg: "/" + name + pg[strings.Index(pg, "?"):],
	} {
		var got string
		for range 2 { // the second time it is there
			var err error
			if got, err = store.Database(t.Context(), dsn, name); err != nil || !strings.HasSuffix(got, suffix) {
				t.Fatalf("got %s (%v), want …%s", got, err, suffix)
			}
		}
		var log strings.Builder
		db := storetest.Open(t, got, store.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if strings.Contains(log.String(), "store.collation") {
			t.Errorf("the new database sorts text otherwise than by bytes:\n%s", &log)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	missing := strings.Replace(pg, "/test_", "/never_", 1) // the DSN's own database need not be there
	if _, err := store.Database(t.Context(), missing, name); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "1a", "A", "a-b", `a"`, strings.Repeat("a", 64)} {
		if _, err := store.Database(t.Context(), pg, bad); fault.Reason(err) != "store-dsn-malformed" {
			t.Errorf("name %q: got %v, want store-dsn-malformed", bad, err)
		}
	}
	if _, err := store.Database(t.Context(), "mysql:x", name); fault.Reason(err) != "store-scheme-unknown" {
		t.Errorf("got %v, want store-scheme-unknown", err)
	}
}

func TestOpeningIsCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, dsn := range []string{storetest.SQLiteDSN(t), storetest.EmptyPostgresDSN(t)} {
		db, err := store.Open(ctx, dsn, store.Options{})
		if err == nil {
			_ = db.Close()
			continue // it had nothing to wait for
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	}
}
