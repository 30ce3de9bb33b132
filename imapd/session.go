package imapd

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-sasl"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/imapd/front"
	"github.com/vaguemestre/vaguemestre/imapd/view"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/store"
)

// session is the library's view of one connection: it translates between the
// library's types and ours, one file per noun. Its methods are called by the
// library's goroutine, one at a time; Idle alone runs beside it.
type session struct {
	srv  *Server
	conn *front.Conn

	// After login.
	visitor Visitor
	box     mailbox.Box
	opener  *reading.Opener
	labels  labels
	last    *reading.Opened  // a letter that is fetched in steps
	deleted mailbox.FolderID // by this client
	changed mailbox.FolderID // by this client, in a way that it has not been told
	read    []mailbox.UID    // became \Seen by this command

	// mu guards what Idle shares with the others.
	mu       sync.Mutex
	selected *view.Watch // nil: none
	closed   bool

	idle    sync.WaitGroup // Idle
	rewraps sync.WaitGroup // the write of re-wrapped keys, and of what was read
}

// The library asks for these by type.
var (
	_ imapserver.SessionNamespace   = (*session)(nil)
	_ imapserver.SessionMove        = (*session)(nil)
	_ imapserver.SessionSASL        = (*session)(nil)
	_ imapserver.SessionAppendLimit = (*session)(nil)
)

// capabilities are those that the library needs to be told of; it adds SASL-IR,
// LITERAL-, UNSELECT, ENABLE, IDLE and UTF8=ACCEPT by itself.
func capabilities() imap.CapSet {
	set := imap.CapSet{}
	for _, c := range []imap.Cap{
		imap.CapIMAP4rev1, imap.CapNamespace, imap.CapUIDPlus, imap.CapESearch, imap.CapListExtended,
		imap.CapListStatus, imap.CapMove, imap.CapStatusSize, imap.CapChildren, imap.CapSpecialUse,
	} {
		set[c] = struct{}{}
	}
	return set
}

// newSession is called by the library for each connection.
func (s *Server) newSession(c *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
	conn, ok := c.NetConn().(*front.Conn)
	if !ok {
		panic("imapd: a connection that did not come through the gate")
	}
	return &session{srv: s, conn: conn}, nil, nil
}

// AuthenticateMechanisms names the SASL mechanisms: EXTERNAL when there is a
// certificate to speak for the client.
func (s *session) AuthenticateMechanisms() []string {
	if len(s.conn.TLS().PeerCertificates) > 0 {
		return []string{"EXTERNAL", "PLAIN"}
	}
	return []string{"PLAIN"}
}

// Authenticate begins a SASL exchange.
func (s *session) Authenticate(mechanism string) (sasl.Server, error) {
	switch mechanism {
	case "PLAIN":
		return &asking{conn: s.conn, inner: sasl.NewPlainServer(func(authzid, user, password string) error {
			return s.enter(Attempt{Mechanism: "PLAIN", Authzid: authzid, User: user, Password: password})
		})}, nil
	case "EXTERNAL":
		return &asking{conn: s.conn, inner: sasl.NewExternalServer(func(authzid string) error {
			return s.enter(Attempt{Mechanism: "EXTERNAL", Authzid: authzid})
		})}, nil
	}
	return nil, &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeCannot, Text: "No such mechanism"}
}

// asking tells the front when the client is asked: the next line is no command then.
type asking struct {
	conn  *front.Conn
	inner sasl.Server
}

// Next is a step of the exchange.
func (a *asking) Next(response []byte) ([]byte, bool, error) {
	challenge, done, err := a.inner.Next(response)
	if err == nil {
		a.conn.Asking(!done)
	} else if _, replied := errors.AsType[*imap.Error](err); !replied {
		err = bad("The answer is malformed")
	}
	return challenge, done, err
}

// Login is LOGIN.
func (s *session) Login(user, password string) error {
	return s.enter(Attempt{Mechanism: "LOGIN", User: user, Password: password})
}

// enter asks the desk. What it refuses is answered alike, whatever the cause, and
// after a pause.
func (s *session) enter(a Attempt) error {
	c := s.conn
	a.Conn, a.Remote, a.TLS = c.ID(), c.Remote(), c.TLS()
	v, err := s.srv.Desk.Login(c.Context(), a)
	if err == nil && !s.srv.boxes.Enter(v.Box().ID, s.srv.limits.PerBox) {
		v.Close()
		return s.fail(fault.New(fault.OverQuota, "sessions-limit"))
	}
	if err != nil {
		c.Failed()
		c.Log().LogAttrs(c.Context(), slog.LevelInfo, "imap.login.refused", slog.String("mechanism", a.Mechanism), slog.String("reason", fault.Reason(err)))
		pause(c.Context(), s.srv.times.Penalty)
		if fault.Is(err, fault.Denied) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
			return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeAuthenticationFailed, Text: "Who you are could not be verified"}
		}
		return s.fail(err)
	}
	s.visitor, s.box = v, v.Box()
	s.opener = s.srv.Reading.Opener(reading.Reader{
		By: v.By(), Box: v.Box(), Keys: v.Keys(), Via: "imap", Conn: c.ID(), Remote: c.Remote().Addr(),
	})
	c.Proved()
	c.Log().LogAttrs(c.Context(), slog.LevelInfo, "imap.login", slog.String("mechanism", a.Mechanism), slog.String("box", string(s.box.ID)))
	return nil
}

// AppendLimit is announced as APPENDLIMIT (RFC 7889).
func (s *session) AppendLimit() uint32 {
	return uint32(min(s.srv.limits.Message, 1<<32-1))
}

// Close ends the session. The library calls it when the connection is gone, maybe
// while its IDLE still runs.
func (s *session) Close() error {
	s.conn.Cancel()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.idle.Wait()
	s.unselect()
	s.rewraps.Wait()
	if s.visitor != nil {
		s.srv.boxes.Leave(s.box.ID)
		s.visitor.Close()
	}
	return nil
}

// snapshot runs fn in a read transaction.
func (s *session) snapshot(fn func(tx *store.Tx) error) error {
	return s.srv.DB.Read(s.conn.Context(), fn)
}

// change runs fn in a write transaction.
func (s *session) change(fn func(tx *store.Tx) error) error {
	return s.srv.DB.Write(s.conn.Context(), fn)
}

// folder finds a folder of the box by its name.
func (s *session) folder(name string) (f mailbox.Folder, err error) {
	err = s.snapshot(func(tx *store.Tx) (err error) {
		f, err = mailbox.FolderByName(tx, s.visitor.Keys(), s.box.ID, name)
		return err
	})
	return f, err
}

// pause waits, or less when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
