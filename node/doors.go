package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/imapd"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/smtpd"
	"github.com/vaguemestre/vaguemestre/web"
)

// door is one open listener.
type door struct {
	name     string
	addr     string
	shutdown func(context.Context) error
}

// Addr returns host:port of an open door ("mx", "submission", "submissions",
// "imap", "imaps", "https"), "" if it is shut.
func (n *Node) Addr(name string) string {
	for _, d := range n.doors {
		if d.name == name {
			return d.addr
		}
	}
	return ""
}

// openDoors listens everywhere first and serves then, so that a port that is
// taken stops the start.
func (n *Node) openDoors(ctx context.Context) error {
	listen := n.Config.Listen
	imap := n.imapServer()
	pages, err := n.webServer()
	if err != nil {
		return fmt.Errorf("web: %w", err)
	}
	shown, err := n.webCertificate()
	if err != nil {
		return fmt.Errorf("web.cert: %w", err)
	}
	for _, d := range []struct {
		name, addr string
		open       func(net.Listener) func(context.Context) error
	}{
		{"mx", listen.MX, n.openSMTP(smtpd.MX)},
		{"submission", listen.Submission, n.openSMTP(smtpd.Submission)},
		{"submissions", listen.Submissions, n.openSMTP(smtpd.Submissions)},
		{"imap", listen.IMAP, n.openIMAP(imap, imap.ServeSTARTTLS)},
		{"imaps", listen.IMAPS, n.openIMAP(imap, imap.ServeTLS)},
		{"https", listen.HTTPS, n.openWeb(pages, shown)},
	} {
		if d.addr == "" {
			continue
		}
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", d.addr)
		if err != nil {
			return fmt.Errorf("listen.%s: %w", d.name, err)
		}
		n.doors = append(n.doors, door{d.name, l.Addr().String(), d.open(l)})
		n.log.Info("door.open", "component", "node", "door", d.name, "addr", l.Addr().String())
	}
	return nil
}

// closeDoors drains all doors at once.
func (n *Node) closeDoors(ctx context.Context) error {
	failures := make([]error, len(n.doors))
	var wg sync.WaitGroup
	for i, d := range n.doors {
		wg.Go(func() { failures[i] = d.shutdown(ctx) })
	}
	wg.Wait()
	return errors.Join(failures...)
}

func (n *Node) openSMTP(kind smtpd.Kind) func(net.Listener) func(context.Context) error {
	return func(l net.Listener) func(context.Context) error {
		counter, conf := n.Office.Operators(), certs.PeerServerTLS(n.trust.cert)
		if kind != smtpd.MX {
			counter, conf = n.Office.People(), certs.UserServerTLS(n.trust.cert, n.trust.issuers)
		}
		limits := n.Config.Limits
		s := smtpd.New(kind, n.Config.Operator.Host, conf, counter, smtpd.Options{
			Logger: n.log, Postmaster: n.Office.Postmaster(), MaxSize: n.Office.MaxSize(),
			Limits:  smtpd.Limits{Connections: limits.Connections, PerPeer: limits.ConnectionsPerPeer},
			Refused: func(_ context.Context, s smtpd.Summary) { n.Office.AuditRefusals(s.Caller, s.Reasons) },
		})
		n.workers.Go(func() {
			if err := s.Serve(context.Background(), l); err != nil {
				n.log.Error("door.failed", "component", "node", "door", kind.String(), "error", err)
			}
		})
		return s.Shutdown
	}
}

func (n *Node) imapServer() *imapd.Server {
	limits := n.Config.Limits
	return imapd.New(imapd.Parts{
		DB: n.DB, Bus: n.Bus, Desk: desk{n.Porter}, Filer: filer{n.Office}, Reading: n.Reading,
		TLS: certs.UserServerTLS(n.trust.cert, n.trust.issuers),
	}, imapd.Options{Logger: n.log, Limits: imapd.Limits{
		Conns: limits.Connections, PerPeer: limits.ConnectionsPerPeer, Message: n.Office.MaxSize(),
	}})
}

func (n *Node) openIMAP(s *imapd.Server, serve func(net.Listener) error) func(net.Listener) func(context.Context) error {
	return func(l net.Listener) func(context.Context) error {
		n.workers.Go(func() {
			if err := serve(l); err != nil {
				n.log.Error("door.failed", "component", "node", "door", "imap", "error", err)
			}
		})
		return s.Shutdown
	}
}

func (n *Node) webServer() (*web.Server, error) {
	return web.New(web.Parts{
		DB: n.DB, Blobs: n.Blobs, Works: n.works, Porter: n.Porter, Reading: n.Reading, Office: n.Office, Bus: n.Bus, Log: n.log,
	}, web.Options{
		Name: n.Config.Operator.Name, Host: n.Config.Operator.Host, Hosts: n.Config.Web.Hosts, Help: n.Config.Web.Help, Clock: n.opts.Clock,
	})
}

// webCertificate is what browsers are shown.
func (n *Node) webCertificate() (tls.Certificate, error) {
	w := n.Config.Web
	if w.Cert == "" {
		return n.trust.cert, nil
	}
	return tls.LoadX509KeyPair(n.Config.path(w.Cert), n.Config.path(w.Key))
}

func (n *Node) openWeb(pages *web.Server, shown tls.Certificate) func(net.Listener) func(context.Context) error {
	return func(l net.Listener) func(context.Context) error {
		s := &http.Server{
			Handler:           pages,
			ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
			MaxHeaderBytes: 16 << 10,
			TLSConfig:      certs.UserServerTLS(shown, nil),
			ErrorLog:       log.New(io.Discard, "", 0), // handshakes that fail are the peer's
		}
		s.RegisterOnShutdown(pages.Drain)
		n.workers.Go(func() {
			if err := s.ServeTLS(l, "", ""); !errors.Is(err, http.ErrServerClosed) {
				n.log.Error("door.failed", "component", "node", "door", "https", "error", err)
			}
		})
		return func(ctx context.Context) error { return drain(ctx, s) }
	}
}

// drain lets requests end, for half of the time that is left, and cuts off the rest:
// net/http waits five seconds for connections on which nobody has asked for anything.
func drain(ctx context.Context, s *http.Server) error {
	patience := ctx
	if end, bounded := ctx.Deadline(); bounded {
		var cancel context.CancelFunc
		patience, cancel = context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
	}
	if err := s.Shutdown(patience); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return s.Close()
}

// desk lets IMAP's callers in by the porter.
type desk struct{ porter *porter.Porter }

// Login implements imapd.Desk.
func (d desk) Login(ctx context.Context, a imapd.Attempt) (imapd.Visitor, error) {
	s, err := d.porter.Open(ctx, porter.Attempt{
		Conn: a.Conn, Remote: a.Remote.Addr(), TLS: a.TLS, Scope: account.IMAP,
		Mechanism: a.Mechanism, Authzid: a.Authzid, Login: a.User, Password: a.Password,
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// filer files what IMAP's callers append.
type filer struct{ office *delivery.Office }

// Append implements imapd.Filer.
func (f filer) Append(ctx context.Context, v imapd.Visitor, a imapd.Appended, r io.Reader) (mailbox.Placed, error) {
	return f.office.Append(ctx, delivery.Append{
		Box: v.Box().ID, Folder: a.Folder, Flags: a.Flags, Internal: a.Internal, Keys: v.Keys(),
	}, r)
}
