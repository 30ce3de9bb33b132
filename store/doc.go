// Package store is the database: SQLite or PostgreSQL behind one type and one
// SQL text.
//
// The one call most readers need:
//
//	err := db.Write(ctx, func(tx *store.Tx) error {
//		var uid int64
//		err := tx.QueryRow("UPDATE folder SET uid = uid + 1 WHERE box = $1 AND id = $2 RETURNING uid",
//			box, folder).Scan(&uid)
//		if err != nil {
//			return fmt.Errorf("take a UID: %w", err)
//		}
//		tx.Changed("folder:" + folder)
//		_, err = tx.Exec("INSERT INTO message (box, folder, uid, at) VALUES ($1, $2, $3, $4)",
//			box, folder, uid, store.Micros(tx.Now()))
//		return err
//	})
//
// When Write returns nil the change is on the disk; "250 OK" may be said.
//
// # One text for both engines
//
// Placeholders are $1, $2; ON CONFLICT and RETURNING are there; types are TEXT,
// BIGINT and BYTEA; times are unix microseconds, booleans 0 and 1; ids are made
// by the application. No JSON, arrays or AUTOINCREMENT. Text sorts by bytes (a
// PostgreSQL database is made with LOCALE 'C', as Database does). Foreign keys
// are enforced on both. The schema is in migrations/, see its README; a store
// applies what is missing when it is opened, one process at a time.
//
// # SQLite: group commit
//
//	callers           queue              the writer goroutine
//	Write(f1) ──┐                   BEGIN IMMEDIATE
//	Write(f2) ──┼──> f1 f2 f3 ──>     f1
//	Write(f3) ──┘                     SAVEPOINT; f2; RELEASE (or ROLLBACK TO)
//	                                  SAVEPOINT; f3; RELEASE
//	                                COMMIT ──> one flush
//	answers  <────────────────────  f1, f2, f3
//	Publish  <────────────────────  their topics, each once
//
// The file is in WAL mode with synchronous=FULL. A flush costs as much as
// several functions, so those that come while a batch runs join it, up to
// Options.MaxBatch. On 2 cores 32 callers write 20,000 small transactions a
// second together and 3,300 one by one; BenchmarkWrite measures it.
//
// If the engine ends the transaction (the disk is full) or refuses the COMMIT
// (a deferred constraint), the functions of the batch are run once more, each
// in a transaction of its own, and each gets its own answer. After an
// input/output, fsync or corruption error nothing is known about the file until
// it is opened anew: Options.Fatal ends the process and nobody is answered.
//
// # PostgreSQL
//
// Each function has a transaction of its own, READ COMMITTED; the server groups
// the flushes. The first statement of a function locks the rows it decides on,
// in the order: boxes sorted by id, then folders sorted by id, then anything
// else. Where that order is broken and the server finds a deadlock (40P01,
// 40001), or the connection is lost before COMMIT, the function is run again,
// at most ten times.
//
// # Invariants
//
//   - Write returned nil: the change survives the end of the process and of the machine.
//   - Write returned an error: nothing was changed, with one exception, "store-commit-unknown".
//   - A function that fails, panics or exits harms no other one.
//   - A function may run more than once; what it did counts once.
//   - A caller's context is looked at before its turn only, so that hanging up ends nobody else's transaction.
//   - A failed statement spoils its function: nothing of it is committed, on both engines.
//   - Topics are published after the commit, by nobody else, and never for what was rolled back.
//   - Read sees one snapshot, taken by its first statement, and changes nothing.
//   - Tx.Now does not move within one run.
//   - Neither an error nor a log line holds an argument of a query.
//
// # Faults
//
//	Invalid    store-scheme-unknown     neither sqlite: nor postgres:
//	           store-dsn-malformed      the rest of the DSN is not understood
//	           store-encoding           a PostgreSQL database that is not UTF-8
//	Conflict   store-duplicate          a primary key or UNIQUE was violated
//	           store-constraint         another constraint was violated
//	Transient  store-cancelled          the caller hung up; the context's error is inside
//	           store-closed             Close was called
//	           store-full               no room; nothing of this function stayed
//	           store-busy               others held the rows or the file too long
//	           store-timeout            a statement took more than 30 s (PostgreSQL)
//	           store-unavailable        no way to the server
//	           store-commit-unknown     the way to the server was lost during COMMIT
//	Internal   store-engine-too-old     SQLite before 3.51.3, PostgreSQL before 13
//	           store-broken             after an input/output error that did not end the process
//	           store-read-only          a write inside Read
//	           store-rows-open          a statement while the rows of a Query were open
//	           store-tx-over            a Tx used after its function
//	           store-transaction-control  BEGIN, COMMIT and the like inside a function
//	           store-engine             anything else, such as a statement that does not parse
//
// # What it does not do
//
// It does not generate SQL or map rows to structs. It has no nested
// transactions: Write inside Write waits for itself for ever on SQLite. It does
// not cancel statements that run. secure_delete overwrites what is deleted in
// the database file; the log beside it, at most 32 MiB once it was cut back,
// holds the older pages until they are written over or the store is closed.
//
// # Implementation notes
//
// Every connection of SQLite keeps its prepared statements by text; pgx does
// the same for PostgreSQL. Statements run under a context without an end: the
// SQLite driver starts a goroutine for each statement under one that can end.
// An unscanned QueryRow keeps its statement open: on PostgreSQL the next
// statement fails, on SQLite the commit may.
//
// The file PATH.lock serialises migrations between processes; SQLite's own
// locks belong to open files (OFD), so a process may open and close its own
// database file, to copy or search it, without losing them.
package store
