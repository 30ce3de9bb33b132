// Package storetest gives tests real databases, and holds the contract of
// package store.
//
// A house tests its SQL on both engines:
//
//	storetest.Each(t, func(t *testing.T, db *store.DB) {
//		err := db.Write(t.Context(), func(tx *store.Tx) error { … })
//		…
//	})
//
// Each database is fresh, has all migrations and goes away with the test. On
// PostgreSQL it is a copy of a migrated template in a server of the test
// binary's own (package pgtest). EachWith takes options, such as a Publish hook
// or a Clock; Open opens a database once more, after db.Close.
//
// Run is the contract: every engine passes it.
package storetest
