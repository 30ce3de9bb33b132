package storetest

import (
	"bytes"
	"math"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Named types, as the houses have them.
type (
	suiteID  string
	suiteUID uint32
)

func values(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	must(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec("CREATE TABLE suite_value (id TEXT PRIMARY KEY, n BIGINT NOT NULL, body BYTEA, note TEXT)")
		return err
	})
	type row struct {
		id   suiteID
		n    int64
		body []byte
		note *string
	}
	note := "l'été à 20 % — 🏥"
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, want := range []row{
		{"plain", 42, []byte("body"), &note},
		{"extremes", math.MaxInt64, all, nil},
		{"low", math.MinInt64, nil, nil},
		{"empty", 0, []byte{}, new(string)},
		{"large", 1, bytes.Repeat(all, 4096), nil},
	} {
		must(t, db, func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO suite_value (id, n, body, note) VALUES ($1, $2, $3, $4)", want.id, want.n, want.body, want.note)
			return err
		})
		var got row
		var absent bool
		if err := db.Read(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow("SELECT id, n, body, note, body IS NULL FROM suite_value WHERE id = $1", want.id).
				Scan(&got.id, &got.n, &got.body, &got.note, &absent)
		}); err != nil {
			t.Fatal(err)
		}
		if got.id != want.id || got.n != want.n || !bytes.Equal(got.body, want.body) || absent != (want.body == nil) {
			t.Errorf("%s: got %v, %d, %d bytes, null %v", want.id, got.id, got.n, len(got.body), absent)
		}
		if (got.note == nil) != (want.note == nil) || got.note != nil && *got.note != *want.note {
			t.Errorf("%s: got note %v, want %v", want.id, got.note, want.note)
		}
	}
	var uid suiteUID
	must(t, db, func(tx *store.Tx) error {
		return tx.QueryRow("UPDATE suite_value SET n = $1 WHERE id = $2 RETURNING n", suiteUID(math.MaxUint32), suiteID("plain")).Scan(&uid)
	})
	if uid != math.MaxUint32 {
		t.Errorf("got %d, want %d", uid, uint32(math.MaxUint32))
	}
}

func misuse(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db, "a", "b")
	var kept *store.Tx
	must(t, db, func(tx *store.Tx) error {
		kept = tx
		return nil
	})
	_, err := kept.Exec("UPDATE suite_counter SET n = 7")
	wantFault(t, err, fault.Internal, "store-tx-over")

	for _, query := range []string{"COMMIT", " begin immediate", "ROLLBACK TO f", "savepoint x", "END;"} {
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			if err := add(tx, "a"); err != nil {
				return err
			}
			_, err := tx.Exec(query)
			return err
		})
		wantFault(t, err, fault.Internal, "store-transaction-control")
	}

	err = db.Write(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Query("SELECT id FROM suite_counter ORDER BY id")
		if err != nil {
			return err
		}
		defer rows.Close()
		rows.Next()
		return add(tx, "a") // while there is a second row
	})
	wantFault(t, err, fault.Internal, "store-rows-open")

	// Rows left behind are closed with the function.
	for range 3 {
		must(t, db, func(tx *store.Tx) error {
			rows, err := tx.Query("SELECT id FROM suite_counter ORDER BY id")
			if err != nil {
				return err
			}
			rows.Next()
			return rows.Err()
		})
	}
	wantCount(t, db, "a", 0)

	err = db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec("SELEKT 1")
		return err
	})
	wantFault(t, err, fault.Internal, "store-engine")
}

func scripts(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db)
	must(t, db, func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO suite_counter VALUES ('x', 1); INSERT INTO suite_counter VALUES ('y', 2);")
		return err
	})
	wantCount(t, db, "x", 1)
	wantCount(t, db, "y", 2)
}

func counts(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db, "a")
	before := db.Stats()
	must(t, db, func(tx *store.Tx) error { return add(tx, "a") })
	wantCount(t, db, "a", 1)
	got := db.Stats()
	if got.Commits-before.Commits != 1 || got.Writes-before.Writes != 1 || got.Reads-before.Reads != 1 || got.Retries != 0 || got.Waiting != 0 {
		t.Errorf("got %+v after %+v: want one commit, one write, one read more", got, before)
	}
}
