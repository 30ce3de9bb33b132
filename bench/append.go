package bench

import (
	"os"
	"sync/atomic"
	"time"
)

const (
	// gather is how many appends one batch takes at most.
	gather = 1024
	// keepFile is the size from which the file is emptied, between two loads: a
	// floor needs no old letters.
	keepFile = 64 << 20
	// pause is a silence that says that a load is over.
	pause = 100 * time.Millisecond
)

// appender appends records to one file with group commit: one goroutine takes
// what waits, writes it, flushes once and answers all. Nothing durable on one
// disk can do less.
type appender struct {
	file    *os.File
	queue   chan appended
	ended   chan struct{}
	flushes atomic.Int64
}

// appended is one record on its way.
type appended struct {
	data []byte
	done chan error
}

// errEnded is what a record gets that came after the end.
type errEnded struct{}

func (errEnded) Error() string { return "the appender ended" }

// newAppender opens the file; run must run for append to return.
func newAppender(file string) (*appender, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &appender{file: f, queue: make(chan appended, gather), ended: make(chan struct{})}, nil
}

// append returns once data is durable. done is the caller's own channel of
// capacity 1.
func (a *appender) append(data []byte, done chan error) error {
	select {
	case a.queue <- appended{data, done}:
	case <-a.ended:
		return errEnded{}
	}
	select {
	case err := <-done:
		return err
	case <-a.ended:
		return errEnded{}
	}
}

// end makes run return.
func (a *appender) end() { close(a.ended) }

// run works until end, then closes the file.
func (a *appender) run() {
	defer a.file.Close()
	var size int64
	last := time.Now()
	batch := make([]appended, 0, gather)
	for {
		select {
		case first := <-a.queue:
			batch = append(batch[:0], first)
		case <-a.ended:
			return
		}
		if size > keepFile && time.Since(last) > pause && a.file.Truncate(0) == nil {
			size = 0
		}
		batch = a.waiting(batch)
		n, err := a.commit(batch)
		size, last = size+n, time.Now()
		for _, r := range batch {
			r.done <- err
		}
	}
}

// waiting appends what waits now.
func (a *appender) waiting(batch []appended) []appended {
	for len(batch) < gather {
		select {
		case r := <-a.queue:
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// commit writes a batch and flushes it.
func (a *appender) commit(batch []appended) (written int64, err error) {
	for _, r := range batch {
		n, err := a.file.Write(r.data)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	a.flushes.Add(1)
	return written, a.file.Sync()
}
