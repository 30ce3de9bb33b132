package front

import (
	"net"
	"os"
	"sync"
	"time"
)

// guard is the connection under TLS. It alone sets deadlines: the library above
// forgets some (a client that connects and stays silent would be kept for ever)
// and counts others from the wrong moment, so its wishes end in [Conn].
//
// Reading has two bounds: idle, renewed by each read, and until, which nothing
// renews. Writing has one per call: TLS hands down at most one record of 16 KiB,
// so that is also a minimum rate.
type guard struct {
	net.Conn
	write time.Duration

	mu    sync.Mutex
	idle  time.Duration
	until time.Time // zero: no bound
	limit time.Time // of writing, asked for by crypto/tls when it closes
	cut   bool
}

// newGuard bounds c until the client has proven who it is.
func newGuard(c net.Conn, b Bounds) *guard {
	return &guard{Conn: c, write: b.Write, idle: b.PreAuth, until: time.Now().Add(b.PreAuth)}
}

// expect replaces the bounds of reading. A zero until is no bound.
func (g *guard) expect(idle time.Duration, until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.idle, g.until = idle, until
}

// interrupt ends the read that is under way, and every later one.
func (g *guard) interrupt() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cut = true
	_ = g.Conn.SetReadDeadline(time.Unix(1, 0))
}

// Read reads within the bounds; it fails with os.ErrDeadlineExceeded at their end.
func (g *guard) Read(p []byte) (int, error) {
	if err := g.arm(); err != nil {
		return 0, err
	}
	return g.Conn.Read(p)
}

// arm sets the deadline of the next read.
func (g *guard) arm() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cut {
		return os.ErrDeadlineExceeded
	}
	end := time.Now().Add(g.idle)
	if !g.until.IsZero() && g.until.Before(end) {
		end = g.until
	}
	return g.Conn.SetReadDeadline(end)
}

// Write writes p within the time for one write.
func (g *guard) Write(p []byte) (int, error) {
	end := time.Now().Add(g.write)
	g.mu.Lock()
	if !g.limit.IsZero() && g.limit.Before(end) {
		end = g.limit
	}
	g.mu.Unlock()
	if err := g.Conn.SetWriteDeadline(end); err != nil {
		return 0, err
	}
	return g.Conn.Write(p)
}

// SetDeadline does nothing: the guard owns the deadlines.
func (g *guard) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing: the guard owns the deadlines.
func (g *guard) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline can only shorten: crypto/tls bounds its closing alert with it.
func (g *guard) SetWriteDeadline(t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit = t
	return nil
}

// closeWrite tells the peer that nothing more comes.
func (g *guard) closeWrite() {
	if c, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}
