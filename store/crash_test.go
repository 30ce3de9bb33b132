package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/pgtest"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// The environment of a child process: what it writes to, and how large a file
// it may make.
const (
	childDSN   = "STORE_TEST_CHILD_DSN"
	childLimit = "STORE_TEST_CHILD_FILE_LIMIT"
)

// TestChild is no test: it is the process that the tests below start and kill.
// It writes rows from 8 goroutines and prints the id of each once Write has
// returned.
func TestChild(t *testing.T) {
	dsn := os.Getenv(childDSN)
	if dsn == "" {
		t.Skip("runs as a child process of the crash tests")
	}
	if os.Getenv(childLimit) != "" {
		var limit uint64
		if _, err := fmt.Sscan(os.Getenv(childLimit), &limit); err != nil {
			t.Fatal(err)
		}
		signal.Ignore(syscall.SIGXFSZ) // the write then fails with an error
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			t.Fatal(err)
		}
	}
	db, err := store.Open(t.Context(), dsn, store.Options{Migrations: fstest.MapFS{}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for n := range 1_000_000 {
				id := fmt.Sprintf("%d-%d-%d", os.Getpid(), g, n)
				err := db.Write(context.Background(), func(tx *store.Tx) error {
					_, err := tx.Exec("INSERT INTO crash VALUES ($1, $2)", id, make([]byte, 1000))
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Fprintln(os.Stdout, "durable", id) // one write each
			}
		})
	}
	wg.Wait()
}

// child starts the process above.
func child(t *testing.T, dsn string, env ...string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), append(env, childDSN+"="+dsn)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = new(strings.Builder)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// durables reads the ids that a child prints until it ends; after enough of
// them it calls kill.
func durables(out io.Reader, enough int, kill func()) (ids []string) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if id, ok := strings.CutPrefix(lines.Text(), "durable "); ok {
			ids = append(ids, id)
		}
		if len(ids) == enough {
			kill()
		}
	}
	if n := len(ids); n > 0 && strings.Count(ids[n-1], "-") != 2 {
		ids = ids[:n-1] // a line cut by the kill
	}
	return ids
}

// wantRows checks that each id is there, and that the rows are whole.
func wantRows(t *testing.T, dsn string, ids []string) {
	t.Helper()
	db := storetest.Open(t, dsn, store.Options{Migrations: fstest.MapFS{}})
	defer db.Close()
	if err := db.Read(t.Context(), func(tx *store.Tx) error {
		var broken int
		if err := tx.QueryRow("SELECT count(*) FROM crash WHERE body IS NULL OR length(body) <> 1000").Scan(&broken); err != nil {
			return err
		}
		if broken > 0 {
			t.Errorf("%d rows are not whole", broken)
		}
		for _, id := range ids {
			var n int
			if err := tx.QueryRow("SELECT count(*) FROM crash WHERE id = $1", id).Scan(&n); err != nil {
				return err
			}
			if n != 1 {
				t.Errorf("row %s: got %d, want 1: Write had returned", id, n)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// makeTable makes the child's table.
func makeTable(t *testing.T, dsn string) {
	t.Helper()
	db := storetest.Open(t, dsn, store.Options{Migrations: fstest.MapFS{}})
	if err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec("CREATE TABLE crash (id TEXT PRIMARY KEY, body BYTEA)")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestKilledProcessKeepsWhatItAcknowledged kills a writing process with SIGKILL,
// three times on the same database, and looks that nothing it was told to be
// durable is missing.
func TestKilledProcessKeepsWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t, pgtest.Options{Durable: true})
	if err := server.Create(t.Context(), "crash", ""); err != nil {
		t.Fatal(err)
	}
	for name, dsn := range map[string]string{"sqlite": storetest.SQLiteDSN(t), "postgres": server.DSN("crash")} {
		t.Run(name, func(t *testing.T) {
			makeTable(t, dsn)
			var all []string
			for round := range 3 {
				cmd, out := child(t, dsn)
				ids := durables(out, 300+200*round, func() { _ = cmd.Process.Kill() })
				if err := cmd.Wait(); err == nil || len(ids) < 300 {
					t.Fatalf("the child ended by itself after %d rows: %v", len(ids), err)
				}
				all = append(all, ids...)
				wantRows(t, dsn, all)
			}
		})
	}
}

// TestInputOutputErrorEndsTheProcess gives a writing process a file system that
// refuses to write (a limit on the size of files): by default the process ends
// without answering, and what it had acknowledged is there.
func TestInputOutputErrorEndsTheProcess(t *testing.T) {
	t.Parallel()
	dsn := storetest.SQLiteDSN(t)
	makeTable(t, dsn)
	cmd, out := child(t, dsn, childLimit+"=300000")
	stop := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	ids := durables(out, -1, nil)
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 1 || len(ids) == 0 {
		t.Errorf("got status %d after %d rows, want 1 after some", got, len(ids))
	}
	if log := fmt.Sprint(cmd.Stderr); !strings.Contains(log, "store.fatal") {
		t.Errorf("the process did not say why it ended: %s", log)
	}
	wantRows(t, dsn, ids)
}

// TestCorruptFileIsFatal overwrites pages of a database: whoever reads them
// hears of it through Options.Fatal, and if that returns, the store answers
// everybody that it is broken.
func TestCorruptFileIsFatal(t *testing.T) {
	t.Parallel()
	dsn := storetest.SQLiteDSN(t)
	makeTable(t, dsn)
	db := storetest.Open(t, dsn, store.Options{Migrations: fstest.MapFS{}})
	if err := db.Write(t.Context(), func(tx *store.Tx) error {
		for n := range 100 {
			if _, err := tx.Exec("INSERT INTO crash VALUES ($1, $2)", fmt.Sprint(n), make([]byte, 1000)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(strings.TrimPrefix(dsn, "sqlite:"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(strings.Repeat("\xff", 20*4096)), 4*4096); err != nil { // the schema stays whole
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}

	var deaths atomic.Int64
	db = storetest.Open(t, dsn, store.Options{Migrations: fstest.MapFS{}, Fatal: func(error) { deaths.Add(1) }})
	wantBroken := func(err error) {
		t.Helper()
		if !fault.Is(err, fault.Internal) || fault.Reason(err) != "store-broken" {
			t.Errorf("got %v, want store-broken", err)
		}
	}
	wantBroken(db.Read(t.Context(), func(tx *store.Tx) error {
		var n int
		return tx.QueryRow("SELECT count(body) FROM crash").Scan(&n)
	}))
	if deaths.Load() != 1 {
		t.Errorf("Fatal was called %d times by a read, want once", deaths.Load())
	}
	for range 2 {
		wantBroken(db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE crash SET body = NULL")
			return err
		}))
	}
	if deaths.Load() != 2 {
		t.Errorf("Fatal was called %d times, want once more by the first write", deaths.Load())
	}
}
