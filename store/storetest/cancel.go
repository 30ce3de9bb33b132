package storetest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

func cancelledBefore(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ran := false
	fn := func(*store.Tx) error {
		ran = true
		return nil
	}
	for _, err := range []error{db.Write(ctx, fn), db.Read(ctx, fn)} {
		wantFault(t, err, fault.Transient, "store-cancelled")
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled inside", err)
		}
	}
	if ran {
		t.Error("the function ran")
	}
}

func cancelledWaiting(t *testing.T, open Opener) {
	db := open(t, store.Options{Conns: 1})
	counters(t, db, "a")
	release := hold(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	var ran atomic.Bool
	answer := make(chan error, 1)
	go func() {
		answer <- db.Write(ctx, func(tx *store.Tx) error {
			ran.Store(true)
			return add(tx, "a")
		})
	}()
	waitFor(t, func() bool { return db.Stats().Waiting == 1 })
	cancel()
	select {
	case err := <-answer: // while the turn is still taken
		wantFault(t, err, fault.Transient, "store-cancelled")
	case <-time.After(30 * time.Second):
		t.Fatal("the caller was not answered")
	}
	release()
	must(t, db, func(*store.Tx) error { return nil }) // its turn would have come before this one
	if ran.Load() {
		t.Error("the function ran although its caller was told that it would not")
	}
	wantCount(t, db, "a", 0)
}

func cancelledDuring(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	counters(t, db, "a", "b")
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Write(ctx, func(tx *store.Tx) error {
		if err := add(tx, "a"); err != nil {
			return err
		}
		cancel()
		time.Sleep(10 * time.Millisecond) // whoever watches the context has noticed
		return add(tx, "b")
	})
	if err != nil {
		t.Errorf("got %v, want the outcome of the run", err)
	}
	wantCount(t, db, "a", 1)
	wantCount(t, db, "b", 1)
}

func cancelledReading(t *testing.T, open Opener) {
	db := open(t, store.Options{Readers: 1, Conns: 1})
	counters(t, db, "a")
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Read(ctx, func(tx *store.Tx) error {
		var n int
		if err := tx.QueryRow("SELECT n FROM suite_counter").Scan(&n); err != nil {
			return err
		}
		cancel()
		return tx.QueryRow("SELECT n FROM suite_counter").Scan(&n)
	})
	wantFault(t, err, fault.Transient, "store-cancelled")
	wantCount(t, db, "a", 0) // the only connection is free and sound
}
