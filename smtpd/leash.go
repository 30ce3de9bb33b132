package smtpd

import (
	"net"
	"sync"
	"time"
)

// leash holds the read deadline of one connection, so that Shutdown can end a
// wait for a command without cutting a letter in two.
type leash struct {
	raw net.Conn

	// mu guards the fields below and the order of deadlines set on raw.
	mu      sync.Mutex
	closing bool
	busy    bool
}

// until sets the end of the next wait for the peer. Once the server closes, a
// connection that carries no letter waits for nothing any more.
func (l *leash) until(t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing && !l.busy {
		t = time.Unix(1, 0)
	}
	l.raw.SetReadDeadline(t)
}

// work says whether a letter is under way.
func (l *leash) work(busy bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = busy
}

// pull ends the present wait, unless a letter is under way.
func (l *leash) pull() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closing = true
	if !l.busy {
		l.raw.SetReadDeadline(time.Unix(1, 0))
	}
}

// occupied reports whether a letter is under way.
func (l *leash) occupied() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.busy
}

// pulled reports whether the server closes.
func (l *leash) pulled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closing
}
