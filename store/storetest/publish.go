package storetest

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/vaguemestre/vaguemestre/store"
)

func publishes(t *testing.T, open Opener) {
	var (
		db   *store.DB
		rec  recorder
		seen atomic.Int64
	)
	db = open(t, store.Options{Publish: func(topics []string) {
		seen.Store(count(t, db, "a")) // what a subscriber would read at once
		rec.publish(topics)
	}})
	counters(t, db, "a")
	must(t, db, func(tx *store.Tx) error {
		tx.Changed("folder:2", "box:1")
		if err := add(tx, "a"); err != nil {
			return err
		}
		tx.Changed("box:1", "folder:2")
		if got := rec.topics(); len(got) > 0 {
			t.Errorf("published %q before the commit", got)
		}
		return nil
	})
	waitFor(t, func() bool { return len(rec.topics()) > 0 })
	if want := []string{"box:1", "folder:2"}; !slices.Equal(rec.calls[0], want) {
		t.Errorf("published %q, want %q", rec.calls[0], want)
	}
	if seen.Load() != 1 {
		t.Error("the change was published before it could be read")
	}
	must(t, db, func(tx *store.Tx) error { return add(tx, "a") })
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if len(rec.calls) != 1 {
		t.Errorf("published %q: a write without topics publishes nothing", rec.calls[1:])
	}
}

func dropsTopics(t *testing.T, open Opener) {
	rec := &recorder{}
	db := open(t, store.Options{Publish: rec.publish})
	counters(t, db, "a")
	good := func(tx *store.Tx) error {
		tx.Changed("good")
		return add(tx, "a")
	}
	bad := func(tx *store.Tx) error {
		tx.Changed("bad")
		_ = add(tx, "a")
		return errors.New("no")
	}
	duplicate := func(tx *store.Tx) error {
		tx.Changed("bad")
		return insert(tx, "a")
	}
	errs := together(t, db, bad, good, duplicate, good, bad)
	if errs[0] == nil || errs[1] != nil || errs[2] == nil || errs[3] != nil || errs[4] == nil {
		t.Fatal(errs)
	}
	if err := db.Close(); err != nil { // everything is published by now
		t.Fatal(err)
	}
	want := []string{"good"}
	if db.Engine() == "postgres" {
		want = []string{"good", "good"} // one call a transaction
	}
	if got := rec.topics(); !slices.Equal(got, want) {
		t.Errorf("published %q, want %q", got, want)
	}
}
