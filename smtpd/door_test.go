package smtpd_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vaguemestre/vaguemestre/smtpd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// door is a server on loopback with its desk.
type door struct {
	*desk
	server *smtpd.Server
	addr   string
	kind   smtpd.Kind
	ended  chan error
}

// open starts a door; it is shut, and its letters stay, at the end of the test.
func open(t testing.TB, kind smtpd.Kind, o smtpd.Options) *door {
	t.Helper()
	return openAt(t, kind, o, newDesk(t))
}

// openAt starts a door before a desk.
func openAt(t testing.TB, kind smtpd.Kind, o smtpd.Options, k *desk) *door {
	t.Helper()
	k.submission = kind != smtpd.MX
	if o.Refused == nil {
		o.Refused = k.summary
	}
	if o.Deadlines.Login == 0 {
		o.Deadlines.Login = time.Millisecond
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{desk: k, kind: kind, addr: l.Addr().String(), ended: make(chan error, 1)}
	d.server = smtpd.New(kind, doorHost, authority().server(t), k, o)
	go func() { d.ended <- d.server.Serve(context.Background(), l) }()
	t.Cleanup(func() { d.shut(t) })
	return d
}

// shut closes the door and checks that every visit was closed.
func (d *door) shut(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := d.server.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open != 0 {
		t.Errorf("%d visits were not closed", d.open)
	}
}

// peer is a client that says exactly what it is told.
type peer struct {
	t    testing.TB
	raw  net.Conn
	conn net.Conn
	r    *bufio.Reader
	cert string
}

// dial connects; at a door with implicit TLS the handshake is done.
func (d *door) dial(t testing.TB, cert string) *peer {
	t.Helper()
	// A small window: a peer that does not read is soon felt.
	small := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<10)
		})
	}}
	raw, err := small.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	p := &peer{t: t, raw: raw, conn: raw, r: bufio.NewReader(raw), cert: cert}
	if d.kind == smtpd.Submissions {
		if err := p.secure(); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// enter dials, greets and does TLS, up to the EHLO inside.
func (d *door) enter(t testing.TB, cert string) *peer {
	t.Helper()
	p := d.dial(t, cert)
	p.want("220")
	if d.kind != smtpd.Submissions {
		p.say("EHLO " + hospital + "\r\n")
		p.want("250")
		p.say("STARTTLS\r\n")
		p.want("220")
		if err := p.secure(); err != nil {
			t.Fatal(err)
		}
	}
	p.say("EHLO " + hospital + "\r\n")
	p.want("250")
	return p
}

// secure does the TLS handshake.
func (p *peer) secure() error {
	c := tls.Client(p.raw, authority().client(p.t, p.cert))
	p.raw.SetDeadline(time.Now().Add(5 * time.Second))
	if err := c.Handshake(); err != nil {
		return err
	}
	p.raw.SetDeadline(time.Time{})
	p.conn, p.r = c, bufio.NewReader(c)
	return nil
}

// say sends octets as they are.
func (p *peer) say(s string) {
	p.t.Helper()
	p.conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(p.conn, s); err != nil {
		p.t.Logf("saying %.40q: %v", s, err)
	}
}

// reply reads one reply, its lines joined by LF; "CLOSED" when there is none.
func (p *peer) reply(patience time.Duration) string {
	p.conn.SetReadDeadline(time.Now().Add(patience))
	var lines []string
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			if len(lines) == 0 && line == "" {
				if errors.Is(err, os.ErrDeadlineExceeded) {
					return "SILENCE"
				}
				return "CLOSED"
			}
			return strings.Join(append(lines, line, "BROKEN OFF"), "\n")
		}
		lines = append(lines, strings.TrimSuffix(line, "\r\n"))
		if len(line) < 4 || line[3] != '-' {
			return strings.Join(lines, "\n")
		}
	}
}

// want reads one reply and fails the test unless it begins with prefix.
func (p *peer) want(prefix string) string {
	p.t.Helper()
	got := p.reply(5 * time.Second)
	if !strings.HasPrefix(got, prefix) {
		p.t.Fatalf("got %q, want %q...", got, prefix)
	}
	return got
}

// envelope says MAIL and one RCPT per address, and reads the 250s.
func (p *peer) envelope(from string, to ...string) {
	p.t.Helper()
	p.say("MAIL FROM:<" + from + ">\r\n")
	p.want("250")
	for _, a := range to {
		p.say("RCPT TO:<" + a + ">\r\n")
		p.want("250")
	}
}
