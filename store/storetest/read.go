package storetest

import (
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/store"
)

func snapshot(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db, "a", "b")
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		var before, after int64
		if err := tx.QueryRow("SELECT n FROM suite_counter WHERE id = 'a'").Scan(&before); err != nil {
			return err
		}
		must(t, db, func(tx *store.Tx) error { // by somebody else, meanwhile
			if err := add(tx, "a"); err != nil {
				return err
			}
			return add(tx, "b")
		})
		if err := tx.QueryRow("SELECT sum(n) FROM suite_counter").Scan(&after); err != nil {
			return err
		}
		if before != 0 || after != 0 {
			t.Errorf("read %d, then %d: want the snapshot of the first statement", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantCount(t, db, "a", 1)
}

func readOnly(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db, "a")
	err := db.Read(t.Context(), func(tx *store.Tx) error { return add(tx, "a") })
	wantFault(t, err, fault.Internal, "store-read-only")
	wantCount(t, db, "a", 0)
}

func readsOwnWrites(t *testing.T, open Opener) {
	db := open(t, store.Options{Readers: 2})
	counters(t, db, "a")
	for i := range int64(50) {
		must(t, db, func(tx *store.Tx) error { return add(tx, "a") })
		wantCount(t, db, "a", i+1)
	}
}

func closing(t *testing.T, open Opener) {
	db := open(t, store.Options{Conns: 1})
	counters(t, db, "a")
	release := hold(t, db)
	const waiters = 5
	answers := make(chan error, waiters)
	for range waiters {
		go func() {
			answers <- db.Write(t.Context(), func(tx *store.Tx) error { return add(tx, "a") })
		}()
	}
	waitFor(t, func() bool { return db.Stats().Waiting == waiters })
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	select {
	case err := <-closed:
		t.Fatalf("closed while a function was running: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	release() // and its function succeeds
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	for range waiters {
		// On SQLite those that joined the running batch may be done.
		if err := <-answers; err != nil {
			wantFault(t, err, fault.Transient, "store-closed")
		}
	}
	nothing := func(*store.Tx) error { return nil }
	wantFault(t, db.Write(t.Context(), nothing), fault.Transient, "store-closed")
	wantFault(t, db.Read(t.Context(), nothing), fault.Transient, "store-closed")
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func fixedNow(t *testing.T, open Opener) {
	clock := time.Date(2026, 11, 21, 9, 0, 0, 123456789, time.FixedZone("CET", 3600))
	db := open(t, store.Options{Clock: func() time.Time {
		clock = clock.Add(time.Second)
		return clock
	}})
	for _, run := range []func(func(*store.Tx) error) error{
		func(fn func(*store.Tx) error) error { return db.Write(t.Context(), fn) },
		func(fn func(*store.Tx) error) error { return db.Read(t.Context(), fn) },
	} {
		err := run(func(tx *store.Tx) error {
			first := tx.Now()
			if got := tx.Now(); !got.Equal(first) || !got.Equal(clock.Truncate(time.Microsecond)) {
				t.Errorf("the time went from %v to %v, the clock shows %v", first, got, clock)
			}
			if first.Location() != time.UTC || !store.Time(store.Micros(first)).Equal(first) {
				t.Errorf("%v is not UTC to the microsecond", first)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func sortsByBytes(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db)
	want := []string{"-", "A", "B", "Z", "_", "a", "b", "z", "é"}
	for range 100 {
		want = append(want, "~"+identity.NewID())
	}
	// In byte order: "~" comes before the two bytes of "é".
	want = append(append(want[:8:8], want[9:]...), "é")
	must(t, db, func(tx *store.Tx) error {
		for i := len(want) - 1; i >= 0; i-- {
			if err := insert(tx, want[i]); err != nil {
				return err
			}
		}
		return nil
	})
	var got []string
	if err := db.Read(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Query("SELECT id FROM suite_counter WHERE id > $1 ORDER BY id", "")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			got = append(got, id)
		}
		return rows.Err()
	}); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("got %d rows, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("row %d: got %q, want %q", i, got[i], want[i])
		}
	}
}
