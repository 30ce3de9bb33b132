package store

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"

	"github.com/vaguemestre/vaguemestre/fault"
)

// writer is SQLite's one writing connection and the goroutine that drives it.
// All fields below the line belong to that goroutine.
type writer struct {
	o     Options
	count *counters
	queue chan *job
	stop  chan struct{} // closed by shut: no more jobs are taken
	ended chan struct{} // closed by the goroutine at its end
	once  sync.Once

	// ---
	conn   *statements
	batch  []*job // being run, none answered yet
	single []*job // to be run again, each in a transaction of its own
	crowd  int    // how many came together lately; it decays by one a batch
	waited bool   // this batch has waited for company already
	broken bool   // the file's state is in doubt; nothing is written any more
}

// job is one function waiting for its turn or its answer.
type job struct {
	fn    func(*Tx) error
	state atomic.Int32  // waiting, then taken or left
	done  chan struct{} // closed with the answer
	out   outcome
}

// The states of a job. Only the writer takes it, only its caller leaves it.
const (
	waiting = iota
	taken
	left
)

// newWriter starts the goroutine.
func newWriter(conn *sql.Conn, o Options, count *counters) *writer {
	w := &writer{
		o: o, count: count, conn: newStatements(conn),
		queue: make(chan *job, 4*o.MaxBatch),
		stop:  make(chan struct{}),
		ended: make(chan struct{}),
	}
	go w.loop()
	return w
}

// shut ends the goroutine after the batch it is in, and waits for it.
func (w *writer) shut() {
	w.once.Do(func() { close(w.stop) })
	<-w.ended
}

// write queues fn and waits for its answer.
func (w *writer) write(ctx context.Context, fn func(*Tx) error) error {
	if ctx.Err() != nil {
		return cancelled(ctx)
	}
	j := &job{fn: fn, done: make(chan struct{})}
	w.count.waiting.Add(1)
	select {
	case w.queue <- j:
	case <-w.stop:
		w.leave(j)
		return w.gone()
	case <-ctx.Done():
		w.leave(j)
		return cancelled(ctx)
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		if w.leave(j) {
			return cancelled(ctx)
		}
		<-j.done
	case <-w.ended:
		if w.leave(j) {
			return w.gone()
		}
		<-j.done
	}
	return j.out.deliver()
}

// leave takes a job out of the queue; false if its turn has come already.
func (w *writer) leave(j *job) bool { return w.move(j, left) }

// take begins a job's turn; false if its caller has left.
func (w *writer) take(j *job) bool { return w.move(j, taken) }

func (w *writer) move(j *job, to int32) bool {
	if !j.state.CompareAndSwap(waiting, to) {
		return false
	}
	w.count.waiting.Add(-1)
	return true
}

// gone is the answer of a store that takes no more functions.
func (w *writer) gone() error {
	select {
	case <-w.ended:
		if w.broken { // read after ended was closed
			return fault.New(fault.Internal, "store-broken")
		}
	default:
	}
	return fault.New(fault.Transient, "store-closed")
}

// loop runs batches until the store is closed. A function that ends its
// goroutine (t.FailNow in a test) ends this one: another takes over.
func (w *writer) loop() {
	finished := false
	defer func() {
		if !finished {
			w.abandon()
			go w.loop()
			return
		}
		_ = w.conn.close()
		close(w.ended)
	}()
	for !w.broken {
		if len(w.single) > 0 {
			w.runAlone()
			continue
		}
		first, ok := w.next()
		if !ok {
			break
		}
		w.runBatch(first)
	}
	w.once.Do(func() { close(w.stop) })
	finished = true
}

// next waits for a job.
func (w *writer) next() (*job, bool) {
	select {
	case <-w.stop:
		return nil, false
	default:
	}
	select {
	case j := <-w.queue:
		return j, true
	case <-w.stop:
		return nil, false
	}
}
