// Package pgtest runs a PostgreSQL server of our own, for tests, benchmarks and
// demos: Debian's programs, a new cluster in a scratch folder, a Unix socket in
// that folder and no port.
//
// In a test:
//
//	server := pgtest.Shared(t)             // one per test binary, not durable
//	server := pgtest.New(t, pgtest.Options{Durable: true})
//
// Tests of packages above store want storetest.Each or storetest.Postgres
// instead, which come with the schema. In a program:
//
//	server, err := pgtest.Start(ctx, dir, pgtest.Options{Durable: true})
//	defer server.Stop()
//	server.Create(ctx, "mail", "")
//	db, err := store.Open(ctx, server.DSN("mail"), store.Options{})
//
//	DIR/data           the cluster
//	DIR/log            the server's log
//	DIR/.s.PGSQL.5432  the socket; the folder is closed to other users
//
// Invariants: the server ends with the process that started it, also when that
// is killed; its folder is left empty; text sorts by bytes. A machine without
// PostgreSQL is an error, never a skip.
package pgtest
