package store

import (
	"context"
	"errors"

	"github.com/vaguemestre/vaguemestre/fault"
)

// runBatch runs the first job and all that wait behind it in one transaction,
// also those that come while it runs.
func (w *writer) runBatch(first *job) {
	kept := false // the transaction is open and holds something
	for j := first; j != nil; j = w.more() {
		if !w.take(j) {
			continue
		}
		w.batch = append(w.batch, j)
		var err error
		if kept {
			err = w.runBehind(j)
		} else {
			kept, err = w.runFirst(j)
		}
		if err != nil {
			w.again(err)
			return
		}
	}
	w.counted(len(w.batch))
	if kept {
		if err := w.conn.do("COMMIT"); err != nil {
			w.again(err)
			return
		}
		w.count.commits.Add(1)
	}
	w.answer()
}

// runFirst opens the transaction and runs a job in it. There is nothing before
// it to be saved, so it needs no savepoint: if it fails, the whole is rolled
// back. An error says that the engine failed.
func (w *writer) runFirst(j *job) (kept bool, err error) {
	if err := w.conn.do("BEGIN IMMEDIATE"); err != nil {
		return false, err
	}
	if w.call(j); !j.out.bad() {
		return true, nil
	}
	_ = w.conn.do("ROLLBACK") // fails if the engine did it already
	return false, fatalCause(j)
}

// runBehind runs a job in a transaction that holds the work of others. An error
// says that the engine ended the transaction.
func (w *writer) runBehind(j *job) error {
	if err := w.conn.do("SAVEPOINT f"); err != nil {
		return err
	}
	if w.call(j); j.out.bad() {
		if err := errors.Join(fatalCause(j), w.conn.do("ROLLBACK TO f")); err != nil {
			return err
		}
	}
	return w.conn.do("RELEASE f")
}

// call runs a job's function.
func (w *writer) call(j *job) {
	w.count.writes.Add(1)
	run(&Tx{ctx: context.Background(), conn: w.conn, now: w.o.now()}, j.fn, &j.out)
}

// fatalCause returns the error that ends the process, if the job met one.
func fatalCause(j *job) error {
	for _, err := range []error{j.out.engine, j.out.err} {
		if fatalSQLite(err) {
			return err
		}
	}
	return nil
}

// again handles the end of a batch's transaction: the engine ended it (disk
// full), or would not commit it (a deferred constraint). Every function that
// did not panic is run once more by itself, also those that had failed: what
// they saw of the others was never committed.
func (w *writer) again(cause error) {
	if w.die(cause) {
		return
	}
	_ = w.conn.do("ROLLBACK") // fails if the engine did it already
	if len(w.batch) == 1 {    // it was alone already
		w.batch[0].out = outcome{err: explainSQLite(cause)}
		w.answer()
		return
	}
	w.o.Logger.Warn("store.rerun", "functions", len(w.batch), "error", cause)
	for _, j := range w.batch {
		if j.out.panicked != nil {
			close(j.done)
			continue
		}
		w.single = append(w.single, j)
	}
	w.batch = w.batch[:0]
}

// runAlone runs the next of the functions that need a transaction of their own.
func (w *writer) runAlone() {
	j := w.single[0]
	w.single = w.single[1:]
	w.batch = append(w.batch, j)
	w.count.retries.Add(1)
	kept, err := w.runFirst(j)
	if kept {
		if err = w.conn.do("COMMIT"); err == nil {
			w.count.commits.Add(1)
		}
	}
	if err != nil {
		w.again(err)
		return
	}
	w.answer()
}

// abandon cleans up after a function that ended the goroutine: it is answered,
// the others of its batch are run again.
func (w *writer) abandon() {
	_ = w.conn.do("ROLLBACK")
	for _, j := range w.batch {
		if j.out.exited || j.out.panicked != nil {
			close(j.done)
			continue
		}
		w.single = append(w.single, j)
	}
	w.batch = w.batch[:0]
}

// answer tells every caller of the batch how its function ended, then
// publishes the topics of those that stayed, each once.
func (w *writer) answer() {
	var topics []string
	for _, j := range w.batch {
		if !j.out.bad() {
			topics = append(topics, j.out.topics...)
		}
		close(j.done)
	}
	clear(w.batch)
	w.batch = w.batch[:0]
	w.o.publish(topics)
}

// die ends the process if an error says that the file's state is in doubt. If
// Options.Fatal returns all the same, the writer ends and answers everybody.
func (w *writer) die(err error) bool {
	if !fatalSQLite(err) {
		return false
	}
	w.o.Fatal(err)
	w.broken = true
	for _, j := range append(w.batch, w.single...) {
		j.out = outcome{err: fault.Wrap(fault.Internal, "store-broken", err)}
		close(j.done)
	}
	w.batch, w.single = nil, nil
	return true
}
