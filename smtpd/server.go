package smtpd

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/identity"
)

// Server is the door behind one listener.
type Server struct {
	kind    Kind
	host    string
	tls     *tls.Config
	counter delivery.Counter
	options Options
	log     *slog.Logger

	gate    *gate
	inner   *smtp.Server
	inlet   *inlet
	closing chan struct{} // closed by Shutdown

	running sync.WaitGroup // connections

	mu       sync.Mutex // guards what follows
	listener net.Listener
	ended    chan struct{} // closed at the end of Serve; nil before it
	conns    map[*conn]struct{}
	cut      context.CancelFunc // ends the visits' contexts
}

// New returns a server of a kind that greets as host and brings its callers to
// counter. The TLS configuration is copied; a client certificate is always asked
// for (the counter decides what it is worth), session tickets are off (a resumed
// session would escape the certificate's check; golang/go#70232), and TLS is 1.2
// at least (ECO.1.1.2).
func New(kind Kind, host string, config *tls.Config, counter delivery.Counter, o Options) *Server {
	o = o.withDefaults()
	config = config.Clone()
	config.SessionTicketsDisabled = true
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	if config.ClientAuth == tls.NoClientCert {
		config.ClientAuth = tls.RequestClientCert
	}
	s := &Server{
		kind: kind, host: host, tls: config, counter: counter, options: o,
		log:     o.Logger.With(slog.String("component", "smtpd"), slog.String("kind", kind.String())),
		gate:    newGate(o.Limits),
		inlet:   newInlet(),
		closing: make(chan struct{}),
		conns:   map[*conn]struct{}{},
	}
	s.inner = s.newInner()
	return s
}

// keywords are the extensions that are announced before and inside TLS.
func (s *Server) keywords() []string {
	return []string{
		"PIPELINING", "SIZE " + strconv.FormatInt(s.options.MaxSize, 10),
		"8BITMIME", "SMTPUTF8", "CHUNKING", "DSN", "ENHANCEDSTATUSCODES",
	}
}

// Serve takes connections from l, which it closes, until Shutdown, and then
// returns nil. It is called once. A cancelled ctx cuts every connection; its
// values reach the visits.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	base, cut := context.WithCancel(ctx)
	defer cut()
	ended := make(chan struct{})
	defer close(ended)
	s.mu.Lock()
	s.listener, s.cut, s.ended = l, cut, ended
	select {
	case <-s.closing: // Shutdown came first
		l.Close()
	default:
	}
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { _ = s.Shutdown(ctx) })
	defer stop()
	inner := make(chan struct{})
	go func() {
		defer close(inner)
		_ = s.inner.Serve(s.inlet) // ends with the inlet
	}()

	err := s.accept(base, l)
	s.begin() // the listener may have failed by itself
	s.running.Wait()
	_ = s.inlet.Close()
	<-inner
	_ = s.inner.Shutdown(context.Background()) // its connections are at their end
	return err
}

// accept is the loop of Serve. It outlives what accepting can meet: no file
// descriptors left, a peer that is gone already.
func (s *Server) accept(ctx context.Context, l net.Listener) error {
	pause := 5 * time.Millisecond
	for {
		raw, err := l.Accept()
		select {
		case <-s.closing:
			if err == nil {
				raw.Close()
			}
			return nil
		default:
		}
		switch {
		case err == nil:
			pause = 5 * time.Millisecond
			s.admit(ctx, raw)
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			s.log.Error("smtp.accept-failed", slog.Any("err", err))
			select {
			case <-time.After(pause):
			case <-s.closing:
			}
			pause = min(2*pause, time.Second)
		}
	}
}

// admit begins a connection, if the limits allow.
func (s *Server) admit(ctx context.Context, raw net.Conn) {
	remote := remoteOf(raw)
	if reason, first := s.gate.enter(remote.Addr()); reason != "" {
		if first {
			s.log.Warn("smtp.turned-away", slog.String("reason", reason))
		}
		s.turnAway(raw, reason)
		return
	}
	c := s.newConn(ctx, raw, remote)
	if c == nil {
		_, _ = s.gate.leave(remote.Addr())
		raw.Close()
		return
	}
	go func() {
		defer s.running.Done()
		defer s.forget(c)
		c.serve()
	}()
}

// remoteOf returns the peer's address, zero when it is no TCP address.
func remoteOf(raw net.Conn) netip.AddrPort {
	if a, ok := raw.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

// turnAway says why and closes. It does not wait: what is said fits the socket's
// buffer. Behind TLS there is nothing that could be said.
func (s *Server) turnAway(raw net.Conn, reason string) {
	if s.kind != Submissions {
		raw.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
		_, _ = raw.Write(append(refusal(reason).appendTo(nil), '\r', '\n'))
	}
	raw.Close()
}

// newConn registers a connection; nil when the server closes.
func (s *Server) newConn(ctx context.Context, raw net.Conn, remote netip.AddrPort) *conn {
	id := identity.NewID()
	now := time.Now()
	c := &conn{
		server: s, ctx: ctx, raw: raw, leash: &leash{raw: raw},
		log:    s.log.With(slog.String("conn", id)),
		caller: delivery.Caller{Conn: id, Remote: remote, Local: s.host},
		begun:  now, early: now.Add(s.options.Deadlines.Early),
	}
	c.w = newWire(raw, c.leash, s.options.Deadlines.Write)

	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closing:
		return nil
	default:
	}
	s.conns[c] = struct{}{}
	s.running.Add(1)
	return c
}

// forget unregisters a connection and reports what its peer was turned away for.
func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	turned, strangers := s.gate.leave(c.caller.Remote.Addr())
	if len(turned) > 0 {
		s.summarise(c.ctx, delivery.Caller{Remote: c.caller.Remote, Local: s.host}, turned)
	}
	if len(strangers) > 0 {
		s.summarise(c.ctx, delivery.Caller{Local: s.host}, strangers)
	}
}

// summarise hands a summary on, also while the connections are being cut.
func (s *Server) summarise(ctx context.Context, caller delivery.Caller, tally map[string]int) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	s.options.Refused(ctx, Summary{Kind: s.kind, Caller: caller, Reasons: tally})
}

// Shutdown stops taking connections, tells the idle ones 421, lets letters that
// are under way finish until ctx ends, then cuts what is left (waiting a second
// more for the visits to notice) and returns ctx's error. It may be called more
// than once.
func (s *Server) Shutdown(ctx context.Context) error {
	ended := s.begin()
	if ended == nil {
		return nil
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	s.cut()
	for c := range s.conns {
		c.raw.Close()
	}
	s.mu.Unlock()
	select {
	case <-ended:
	case <-time.After(lastWait):
	}
	return ctx.Err()
}

// lastWait is what a visit that was cut has to return: a commit, not a transfer.
const lastWait = time.Second

// begin begins the end: nothing new comes in, and who waits for a command is
// told. It returns the channel that Serve closes at its end, nil before Serve.
func (s *Server) begin() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closing:
		return s.ended
	default:
	}
	close(s.closing)
	if s.listener != nil {
		s.listener.Close()
	}
	for c := range s.conns {
		c.leash.pull()
	}
	return s.ended
}
