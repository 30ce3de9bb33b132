package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// tooManyRefusals ends a connection's load: something is wrong, not busy.
const tooManyRefusals = 200

// target is a server under load.
type target struct {
	name   string // "floor", "sqlite", "postgres"
	addr   string
	config *tls.Config
	from   string
	to     []string // the boxes the letters are spread over
	// read tells what the server has used so far.
	read func(ctx context.Context) (reading, error)
}

// crew are the connections that load a target until they are stopped.
type crew struct {
	workers []*worker
	serial  *atomic.Int64
	cancel  context.CancelFunc
	wait    sync.WaitGroup
}

// worker is one connection; its fields are its goroutine's until it ended.
type worker struct {
	session *session
	letter  *letter
	group   []string
	taken   []taken
	refused int
	err     error
}

// taken is a letter that got its 250: when, and how long after its last octet.
type taken struct {
	at      time.Time
	latency time.Duration
}

// engage opens conns connections to a target, all of them before the first letter
// leaves, and sends letters of size octets over each, one after the other, until
// the crew is stopped. Connection i begins with box i and goes round.
func engage(ctx context.Context, t target, size, conns int) (*crew, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &crew{serial: new(atomic.Int64), cancel: cancel, workers: make([]*worker, conns)}
	model := newLetter(t.from, t.to[0], size)
	for i := range c.workers {
		s, err := dial(ctx, t.addr, t.config)
		if err != nil {
			c.hangUp()
			cancel()
			return nil, fmt.Errorf("connection %d to %s: %w", i+1, t.name, err)
		}
		w := &worker{session: s, letter: model.clone(), taken: make([]taken, 0, 1024)}
		for j := range t.to {
			w.group = append(w.group, envelope(t.from, t.to[(i+j)%len(t.to)], model.size()))
		}
		c.workers[i] = w
	}
	for _, w := range c.workers {
		c.wait.Go(func() { w.work(ctx, c.serial) })
	}
	return c, nil
}

// envelope is the group of commands before a letter (RFC 2920).
func envelope(from, to string, size int) string {
	return fmt.Sprintf("MAIL FROM:<%s> SIZE=%d\r\nRCPT TO:<%s>\r\nDATA\r\n", from, size, to)
}

// work sends letters until ctx ends; the letter under way is finished.
func (w *worker) work(ctx context.Context, serial *atomic.Int64) {
	for i := 0; ctx.Err() == nil; i++ {
		w.letter.number(serial.Add(1))
		sent, answered, err := w.session.send(w.group[i%len(w.group)], w.letter.wire)
		switch _, refused := errors.AsType[refusal](err); {
		case err == nil:
			w.taken = append(w.taken, taken{answered, answered.Sub(sent)})
		case refused && w.refused < tooManyRefusals:
			w.refused++
			w.err = err
		default:
			w.err = err
			return
		}
	}
}

// stop ends the load and waits for it. The error is the first failure of a
// connection; refusals count as such.
func (c *crew) stop() error {
	c.cancel()
	c.wait.Wait()
	c.hangUp()
	for _, w := range c.workers {
		if w.err != nil {
			return w.err
		}
	}
	return nil
}

func (c *crew) hangUp() {
	for _, w := range c.workers {
		if w != nil {
			w.session.close()
		}
	}
}

// between returns the latencies of the letters taken in a window, and how many
// letters were refused in all. Call it after stop.
func (c *crew) between(from, to time.Time) (latencies []time.Duration, refused int) {
	for _, w := range c.workers {
		refused += w.refused
		for _, t := range w.taken {
			if !t.at.Before(from) && t.at.Before(to) {
				latencies = append(latencies, t.latency)
			}
		}
	}
	return latencies, refused
}
