package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

func panics(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db, "a")
	var caught any
	write := func(tx *store.Tx) error {
		if err := add(tx, "a"); err != nil {
			return err
		}
		panic("our own bug")
	}
	var wg sync.WaitGroup
	release := hold(t, db)
	wg.Go(func() {
		defer func() { caught = recover() }()
		_ = db.Write(t.Context(), write)
	})
	wg.Go(func() { must(t, db, func(tx *store.Tx) error { return insert(tx, "innocent") }) })
	if db.Engine() == "sqlite" {
		waitFor(t, func() bool { return db.Stats().Waiting == 2 })
	}
	release()
	wg.Wait()
	p, ok := caught.(*store.Panic)
	if !ok || p.Value != "our own bug" || !strings.Contains(string(p.Stack), "panics") {
		t.Errorf("got panic %v, want the function's own, with its stack", caught)
	}
	wantCount(t, db, "a", 0)
	wantCount(t, db, "innocent", 1)

	func() { // a reader's panic is the plain one
		defer func() { caught = recover() }()
		_ = db.Read(t.Context(), func(*store.Tx) error { panic("in a read") })
	}()
	if caught != "in a read" {
		t.Errorf("got panic %v, want the reader's own", caught)
	}
	wantCount(t, db, "a", 0)
}

func exits(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db, "a")
	var wg sync.WaitGroup
	release := hold(t, db)
	returned := false
	wg.Go(func() {
		_ = db.Write(t.Context(), func(tx *store.Tx) error {
			_ = add(tx, "a")
			exitGoroutine()
			return nil
		})
		returned = true
	})
	wg.Go(func() { must(t, db, func(tx *store.Tx) error { return insert(tx, "innocent") }) })
	if db.Engine() == "sqlite" {
		waitFor(t, func() bool { return db.Stats().Waiting == 2 })
	}
	release()
	wg.Wait()
	if returned {
		t.Error("Write returned to a caller whose function had ended the goroutine")
	}
	wantCount(t, db, "a", 0)
	wantCount(t, db, "innocent", 1)
	must(t, db, func(tx *store.Tx) error { return add(tx, "a") })
	wantCount(t, db, "a", 1)
}

func oneBadAmongGood(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db)
	refusal := fault.New(fault.Denied, "suite-refused")
	var fns []func(*store.Tx) error
	for i := range 40 {
		fns = append(fns, func(tx *store.Tx) error {
			if err := insert(tx, fmt.Sprint(i)); err != nil {
				return err
			}
			if i%5 == 0 {
				return fmt.Errorf("function %d: %w", i, refusal)
			}
			return nil
		})
	}
	for i, err := range together(t, db, fns...) {
		want := int64(1)
		if i%5 == 0 {
			want = -1
			wantFault(t, err, fault.Denied, "suite-refused")
		} else if err != nil {
			t.Errorf("function %d: %v", i, err)
		}
		wantCount(t, db, fmt.Sprint(i), want)
	}
}

func spoilt(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db, "a")
	ignoring := func(tx *store.Tx) error {
		if err := add(tx, "a"); err != nil {
			return err
		}
		_ = insert(tx, "a") // fails
		if _, err := tx.Exec("UPDATE suite_counter SET n = 7"); err == nil {
			t.Error("a statement ran after one had failed")
		}
		var n int
		if err := tx.QueryRow("SELECT n FROM suite_counter").Scan(&n); err == nil {
			t.Error("a query ran after a statement had failed")
		}
		return nil
	}
	wantFault(t, db.Write(t.Context(), ignoring), fault.Conflict, "store-duplicate")
	wantCount(t, db, "a", 0)

	passing := func(tx *store.Tx) error {
		_ = insert(tx, "a")
		var n int
		return tx.QueryRow("SELECT n FROM suite_counter").Scan(&n)
	}
	wantFault(t, db.Write(t.Context(), passing), fault.Conflict, "store-duplicate")

	own := func(tx *store.Tx) error {
		if err := insert(tx, "a"); err != nil {
			return fault.Wrap(fault.Denied, "suite-taken", err)
		}
		return nil
	}
	wantFault(t, db.Write(t.Context(), own), fault.Denied, "suite-taken")
}

func constraints(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	must(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec(`CREATE TABLE suite_parent (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE);
			CREATE TABLE suite_child (id BIGINT PRIMARY KEY, parent BIGINT NOT NULL REFERENCES suite_parent (id));
			INSERT INTO suite_parent VALUES (1, 'a')`)
		return err
	})
	for query, reason := range map[string]string{
		"INSERT INTO suite_parent VALUES (1, 'b')":                 "store-duplicate",
		"INSERT INTO suite_parent VALUES (2, 'a')":                 "store-duplicate",
		"INSERT INTO suite_parent VALUES (3, 'a') RETURNING id":    "store-duplicate",
		"INSERT INTO suite_parent VALUES (4, NULL)":                "store-constraint",
		"INSERT INTO suite_child VALUES (1, 99)":                   "store-constraint",
		"DELETE FROM suite_parent WHERE id = (SELECT 1) AND 1 = 1": "",
	} {
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			if strings.Contains(query, "RETURNING") {
				var id int64
				return tx.QueryRow(query).Scan(&id)
			}
			_, err := tx.Exec(query)
			if err != nil {
				return err
			}
			return errors.New("undo")
		})
		if reason != "" {
			wantFault(t, err, fault.Conflict, reason)
		} else if err == nil || err.Error() != "undo" {
			t.Errorf("%s: %v", query, err)
		}
	}
}
