package front

import (
	"net"
	"sync"
)

// inlet is the listener through which the library gets its connections.
type inlet struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newInlet() *inlet { return &inlet{conns: make(chan net.Conn), done: make(chan struct{})} }

// put hands a connection over; false means that nobody takes it any more.
func (i *inlet) put(c net.Conn) bool {
	select {
	case i.conns <- c:
		return true
	case <-i.done:
		return false
	}
}

// Accept returns the next connection.
func (i *inlet) Accept() (net.Conn, error) {
	select {
	case c := <-i.conns:
		return c, nil
	case <-i.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and put.
func (i *inlet) Close() error {
	i.once.Do(func() { close(i.done) })
	return nil
}

// Addr is that of nothing.
func (i *inlet) Addr() net.Addr { return &net.UnixAddr{Name: "front", Net: "front"} }
