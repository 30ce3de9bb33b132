package storetest

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// exitGoroutine is what t.FailNow does, without failing the test.
func exitGoroutine() { runtime.Goexit() }

func failingCommit(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db)
	must(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec(`CREATE TABLE suite_owner (id TEXT PRIMARY KEY);
			CREATE TABLE suite_owned (id TEXT PRIMARY KEY, owner TEXT NOT NULL
				REFERENCES suite_owner (id) DEFERRABLE INITIALLY DEFERRED)`)
		return err
	})
	var runs atomic.Int64
	var fns []func(*store.Tx) error
	for i := range 20 {
		fns = append(fns, func(tx *store.Tx) error {
			runs.Add(1)
			if err := insert(tx, fmt.Sprint(i)); err != nil {
				return err
			}
			if i != 7 {
				return nil
			}
			_, err := tx.Exec("INSERT INTO suite_owned VALUES ('x', 'nobody')") // fails at COMMIT only
			return err
		})
	}
	for i, err := range together(t, db, fns...) {
		if i == 7 {
			wantFault(t, err, fault.Conflict, "store-constraint")
			wantCount(t, db, "7", -1)
			continue
		}
		if err != nil {
			t.Errorf("innocent function %d: %v", i, err)
		}
		wantCount(t, db, fmt.Sprint(i), 1)
	}
	if db.Engine() == "sqlite" && (runs.Load() != 40 || db.Stats().Retries < 20) {
		t.Errorf("%d runs, %d retries: want the whole batch run again", runs.Load(), db.Stats().Retries)
	}
}

// diskFull lets the engine meet a limit on storage: on SQLite the size of the
// file, the way a full disk shows itself there (SQLITE_FULL, which ends the
// transaction of the whole batch); on PostgreSQL, where a full disk is the
// server's, the size of the temporary files of a sort (SQLSTATE 53400).
func diskFull(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db, "a")
	must(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec("CREATE TABLE suite_heap (id BIGINT PRIMARY KEY, body BYTEA)")
		return err
	})
	limit(t, db, 16)
	greedy := func(tx *store.Tx) error {
		if err := insert(tx, "greedy"); err != nil {
			return err
		}
		if db.Engine() == "postgres" {
			return sortTooMuch(tx)
		}
		for i := range 8 { // the first of them fit
			if _, err := tx.Exec("INSERT INTO suite_heap VALUES ($1, $2)", i, make([]byte, 20<<10)); err != nil {
				return err
			}
		}
		return nil
	}
	modest := func(id string) func(*store.Tx) error {
		return func(tx *store.Tx) error { return insert(tx, id) }
	}
	errs := together(t, db, modest("before"), greedy, modest("after"))
	if errs[0] != nil || errs[2] != nil {
		t.Errorf("innocent functions: %v, %v", errs[0], errs[2])
	}
	wantFault(t, errs[1], fault.Transient, "store-full")
	wantCount(t, db, "before", 1)
	wantCount(t, db, "after", 1)
	wantCount(t, db, "greedy", -1)

	limit(t, db, 1<<30) // room again
	if db.Engine() == "sqlite" {
		must(t, db, greedy)
		wantCount(t, db, "greedy", 1)
	}
}

// limit lets a SQLite file grow by so many pages.
func limit(t *testing.T, db *store.DB, pages int64) {
	t.Helper()
	if db.Engine() != "sqlite" {
		return
	}
	must(t, db, func(tx *store.Tx) error {
		var now, most int64
		if err := tx.QueryRow("PRAGMA page_count").Scan(&now); err != nil {
			return err
		}
		return tx.QueryRow(fmt.Sprintf("PRAGMA max_page_count = %d", now+pages)).Scan(&most)
	})
}

// sortTooMuch makes PostgreSQL spill a sort that it may not spill.
func sortTooMuch(tx *store.Tx) error {
	for _, query := range []string{"SET LOCAL work_mem = '64kB'", "SET LOCAL temp_file_limit = '64kB'"} {
		if _, err := tx.Exec(query); err != nil {
			return err
		}
	}
	var n int64
	return tx.QueryRow("SELECT count(*) FROM (SELECT x FROM generate_series(1, 200000) AS x ORDER BY md5(x::text)) AS s").Scan(&n)
}

// oppositeOrder makes the worst of what ordered locks avoid: on PostgreSQL the
// two functions deadlock, and one of them is run again.
func oppositeOrder(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db, "a", "b")
	met := make(chan struct{}, 2)
	meet := func() { // both hold their first row: only where they run at the same time
		met <- struct{}{}
		if db.Engine() == "postgres" {
			waitFor(t, func() bool { return len(met) == 2 })
		}
	}
	lock := func(first, second string) func(*store.Tx) error {
		runs := 0
		return func(tx *store.Tx) error {
			if err := add(tx, first); err != nil {
				return err
			}
			if runs++; runs == 1 {
				meet()
			}
			return add(tx, second)
		}
	}
	errs := together(t, db, lock("a", "b"), lock("b", "a"))
	if errs[0] != nil || errs[1] != nil {
		t.Errorf("got %v and %v, want both to succeed", errs[0], errs[1])
	}
	wantCount(t, db, "a", 2)
	wantCount(t, db, "b", 2)
	if db.Engine() == "postgres" && db.Stats().Retries == 0 {
		t.Error("no retry: the functions did not meet")
	}
}

func lostUpdates(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db, "a")
	const writers, each = 64, 5
	var fns []func(*store.Tx) error
	for range writers {
		fns = append(fns, func(tx *store.Tx) error { // read, then write, under the row's lock
			var n int64
			if err := tx.QueryRow("UPDATE suite_counter SET n = n WHERE id = 'a' RETURNING n").Scan(&n); err != nil {
				return err
			}
			_, err := tx.Exec("UPDATE suite_counter SET n = $1 WHERE id = 'a'", n+1)
			return err
		})
	}
	for range each {
		for _, err := range together(t, db, fns...) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	wantCount(t, db, "a", writers*each)
}

// runsTwice makes a function run twice, and looks that it counts once: on
// SQLite because another one fails the commit, on PostgreSQL because the engine
// says so.
func runsTwice(t *testing.T, open Opener) {
	rec := &recorder{}
	db := open(t, store.Options{Publish: rec.publish})
	counters(t, db, "a")
	must(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec(`CREATE TABLE suite_self (id TEXT PRIMARY KEY, of TEXT NOT NULL
			REFERENCES suite_self (id) DEFERRABLE INITIALLY DEFERRED)`)
		return err
	})
	runs := 0
	twice := func(tx *store.Tx) error {
		runs++
		tx.Changed("a")
		if err := add(tx, "a"); err != nil {
			return err
		}
		if db.Engine() == "postgres" && runs == 1 {
			_, err := tx.Exec("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")
			return err
		}
		return nil
	}
	spoiler := func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO suite_self VALUES ('x', 'nobody')")
		return err
	}
	if errs := together(t, db, twice, spoiler); errs[0] != nil {
		t.Fatal(errs[0])
	}
	if runs != 2 {
		t.Errorf("%d runs, want 2", runs)
	}
	wantCount(t, db, "a", 1)
	waitFor(t, func() bool { return len(rec.topics()) > 0 })
	if got := rec.topics(); len(got) != 1 {
		t.Errorf("published %q, want the topic once", got)
	}
}
