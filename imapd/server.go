package imapd

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync"

	"github.com/emersion/go-imap/v2/imapserver"

	"github.com/vaguemestre/vaguemestre/bus"
	"github.com/vaguemestre/vaguemestre/imapd/front"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/store"
)

// Parts are what a server stands on. All are required.
type Parts struct {
	DB      *store.DB
	Bus     bus.Bus
	Desk    Desk
	Filer   Filer
	Reading *reading.Room
	// TLS holds the server's certificate. Client certificates are requested if
	// it says nothing of them; the Desk verifies them.
	TLS *tls.Config
}

// Options are the optional parts of a server; the zero value is safe.
type Options struct {
	// Logger takes the server's events; nil discards them.
	Logger *slog.Logger
	Limits Limits
	Times  Times
}

// Server is the IMAP door. It is safe for concurrent use.
type Server struct {
	Parts
	log    *slog.Logger
	limits Limits
	times  Times
	gate   *front.Gate
	boxes  front.Crowd[mailbox.BoxID] // sessions
	copies sync.Pool                  // of *[copySize]byte
}

// New returns a server that listens nowhere yet.
func New(p Parts, o Options) *Server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		Parts: p, log: o.Logger.With("component", "imapd"),
		limits: o.Limits.withDefaults(), times: o.Times.withDefaults(),
	}
	s.copies.New = func() any { return new([copySize]byte) }
	library := imapserver.New(&imapserver.Options{
		NewSession: s.newSession, Caps: capabilities(), Logger: libraryLog{s.log},
		// The front has done TLS before the library sees the connection, and lets
		// nobody log in without it.
		InsecureAuth: true,
	})
	s.gate = front.New(library.Serve, p.TLS, front.Bounds{
		Conns: s.limits.Conns, PerPeer: s.limits.PerPeer, Message: s.limits.Message,
		PreAuth: s.times.PreAuth, Session: s.times.Session, Idle: s.times.Idle,
		Command: s.times.Command, Write: s.times.Write,
	}, s.log)
	return s
}

// ServeTLS accepts connections that begin with a TLS handshake (port 993), until
// the listener is closed or the server shut down: then it returns nil.
func (s *Server) ServeTLS(l net.Listener) error { return s.gate.Serve(l, true) }

// ServeSTARTTLS accepts connections that begin in the clear (port 143).
func (s *Server) ServeSTARTTLS(l net.Listener) error { return s.gate.Serve(l, false) }

// Shutdown stops listening, says BYE to every client at the end of its command
// and waits for the sessions. When ctx ends first, it closes what is left and
// returns the context's error.
func (s *Server) Shutdown(ctx context.Context) error { return s.gate.Shutdown(ctx) }
