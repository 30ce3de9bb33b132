package front

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Bounds are what one client may take. All are set.
type Bounds struct {
	// Conns and PerPeer are numbers of open connections, of all and of one address.
	Conns, PerPeer int
	// Message is the largest message of an APPEND, in octets.
	Message int64
	// PreAuth is the whole time from connecting to having logged in; Session the
	// longest time after that.
	PreAuth, Session time.Duration
	// Idle and Command are the longest silences, between commands and inside one;
	// Write is the time for one write of at most 16 KiB.
	Idle, Command, Write time.Duration
}

// Gate is where connections arrive. It is safe for concurrent use.
type Gate struct {
	library func(net.Listener) error
	tls     *tls.Config
	bounds  Bounds
	log     *slog.Logger

	// ctx ends all sessions; it is the parent of each connection's.
	ctx    context.Context
	cancel context.CancelFunc
	inlet  *inlet
	start  sync.Once
	done   sync.WaitGroup // accept loops, visits, sessions and the library's loop
	total  Crowd[struct{}]
	peers  Crowd[netip.Prefix]
	outs   sync.Pool // of *[outSize]byte

	// mu guards what follows.
	mu        sync.Mutex
	closed    bool
	listeners map[net.Listener]struct{}
	open      map[net.Conn]leaver // by the raw connection
}

// leaver can be told to go.
type leaver interface{ bye() }

// New returns a gate. library serves connections that are secure; each is a *Conn.
func New(library func(net.Listener) error, config *tls.Config, b Bounds, log *slog.Logger) *Gate {
	g := &Gate{
		library: library, tls: config.Clone(), bounds: b, log: log, inlet: newInlet(),
		listeners: map[net.Listener]struct{}{}, open: map[net.Conn]leaver{},
	}
	g.outs.New = func() any { return new([outSize]byte) }
	if g.tls.ClientAuth == tls.NoClientCert {
		g.tls.ClientAuth = tls.RequestClientCert
	}
	if len(g.tls.NextProtos) == 0 {
		// IANA's ALPN id: a client of another protocol ends at the handshake.
		g.tls.NextProtos = []string{"imap"}
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g
}

// Serve accepts connections until the listener is closed or the gate shut down:
// then it returns nil. Implicit ones begin with a TLS handshake (port 993), the
// others in the clear (port 143).
func (g *Gate) Serve(l net.Listener, implicit bool) error {
	if !g.begin(l) {
		l.Close()
		return nil
	}
	defer g.done.Done()
	delay := time.Duration(0)
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			delay = 0
			g.receive(c, implicit)
		case errors.Is(err, net.ErrClosed):
			return nil
		default:
			// Out of file descriptors, most likely: others will leave.
			g.log.Warn("imap.accept", slog.Any("error", err))
			delay = min(max(2*delay, 5*time.Millisecond), time.Second)
			select {
			case <-time.After(delay):
			case <-g.ctx.Done():
				return nil
			}
		}
	}
}

// begin notes a listener, and starts the library's loop with the first.
func (g *Gate) begin(l net.Listener) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.listeners[l] = struct{}{}
	g.done.Add(1)
	g.start.Do(func() {
		g.done.Go(func() { _ = g.library(g.inlet) })
	})
	return true
}
