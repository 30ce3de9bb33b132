package smtpd_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/smtpd"
)

// TestConnectionsPerPeer turns away what is too much, with a reply, and sums it up
// once when the peer has gone.
func TestConnectionsPerPeer(t *testing.T) {
	t.Parallel()
	d := open(t, smtpd.MX, smtpd.Options{Limits: smtpd.Limits{PerPeer: 2}})
	first, second := d.dial(t, ""), d.dial(t, "")
	first.want("220")
	second.want("220")
	for range 3 {
		p := d.dial(t, "")
		p.want("421 4.7.0")
		if got := p.reply(time.Second); got != "CLOSED" {
			t.Errorf("then %q", got)
		}
	}
	first.conn.Close()
	waitFor(t, func() bool {
		p := d.dial(t, "")
		defer p.conn.Close()
		return strings.HasPrefix(p.reply(time.Second), "220")
	})
	second.conn.Close()
	d.shut(t)
	if got := d.tally(); !strings.HasPrefix(got, "connections-per-peer ") || d.leaves != 1 {
		t.Errorf("%d summaries: %q", d.leaves, got)
	}
}

// TestConnectionsInAll turns away when the door is full.
func TestConnectionsInAll(t *testing.T) {
	t.Parallel()
	for _, kind := range []smtpd.Kind{smtpd.MX, smtpd.Submissions} {
		d := open(t, kind, smtpd.Options{Limits: smtpd.Limits{Connections: 1}})
		first := d.dial(t, "user1")
		first.want("220")
		raw, err := net.Dial("tcp", d.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		said, _ := io.ReadAll(raw)
		if want := map[smtpd.Kind]string{smtpd.MX: "421 4.3.2", smtpd.Submissions: ""}[kind]; !strings.HasPrefix(string(said), want) {
			t.Errorf("%v: %q", kind, said)
		}
	}
}

// TestPeerThatNeverReads cannot hold a connection: what is said to it waits no
// longer than the write deadline.
func TestPeerThatNeverReads(t *testing.T) {
	t.Parallel()
	d := open(t, smtpd.MX, smtpd.Options{
		Limits:    smtpd.Limits{Chatter: 1 << 30},
		Deadlines: smtpd.Deadlines{Write: 200 * time.Millisecond},
	})
	p := d.enter(t, hospital)
	block := []byte(strings.Repeat("EHLO a\r\n", 100))
	for {
		p.conn.SetWriteDeadline(time.Now().Add(20 * time.Second))
		_, err := p.conn.Write(block)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("the door still waits")
		}
		if err != nil {
			break
		}
	}
	d.shut(t)
	if got := d.tally(); got != "peer-not-reading 1\n" {
		t.Errorf("refused %q", got)
	}
}

// TestHandshakeThatNeverEnds is ended by its deadline.
func TestHandshakeThatNeverEnds(t *testing.T) {
	t.Parallel()
	for _, kind := range []smtpd.Kind{smtpd.MX, smtpd.Submissions} {
		d := open(t, kind, smtpd.Options{Deadlines: smtpd.Deadlines{Handshake: 50 * time.Millisecond}})
		raw, err := net.Dial("tcp", d.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		if kind == smtpd.MX {
			time.Sleep(20 * time.Millisecond)
			_, _ = io.WriteString(raw, "STARTTLS\r\n")
		}
		raw.SetReadDeadline(time.Now().Add(5 * time.Second))
		said, err := io.ReadAll(raw)
		if err != nil {
			t.Errorf("%v: after %q: %v", kind, said, err)
		}
		d.shut(t)
		if got := d.tally(); got != "tls-handshake 1\n" {
			t.Errorf("%v: refused %q", kind, got)
		}
	}
}

// TestOneSummaryPerConnection: what was refused before and inside TLS comes out
// once, whether there was a visit or not.
func TestOneSummaryPerConnection(t *testing.T) {
	t.Parallel()
	for cert, want := range map[string]string{
		hospital:  "command-unknown 2\ntls-required 1\n",
		"revoked": "certificate-revoked 1\ncommand-unknown 2\ntls-required 1\n",
	} {
		d := open(t, smtpd.MX, smtpd.Options{})
		p := d.dial(t, cert)
		p.want("220")
		p.say("XYZZY\r\n")
		p.want("500")
		p.say("MAIL FROM:<>\r\n")
		p.want("530")
		p.say("STARTTLS\r\n")
		p.want("220")
		if err := p.secure(); err != nil {
			t.Fatal(err)
		}
		p.say("XYZZY\r\nQUIT\r\n")
		p.want("500")
		p.want("221")
		d.shut(t)
		if got := d.tally(); got != want || d.leaves != 1 {
			t.Errorf("%s: %d summaries: %q", cert, d.leaves, got)
		}
	}
}

// TestQuietVisitLeavesNothing: who did nothing wrong is not in any summary.
func TestQuietVisitLeavesNothing(t *testing.T) {
	t.Parallel()
	d := open(t, smtpd.MX, smtpd.Options{})
	for _, cert := range []string{hospital, ""} {
		p := d.dial(t, cert)
		p.want("220")
		p.say("EHLO a\r\n")
		p.want("250")
		p.conn.Close()
	}
	p := d.enter(t, hospital)
	p.conn.Close()
	d.shut(t)
	if d.leaves != 0 {
		t.Errorf("%d summaries: %q", d.leaves, d.tally())
	}
}

// TestShutdown tells the idle ones, lets a letter finish, and takes nobody new.
func TestShutdown(t *testing.T) {
	t.Parallel()
	k := newDesk(t)
	k.entered, k.proceed = make(chan struct{}), make(chan struct{})
	d := openAt(t, smtpd.MX, smtpd.Options{}, k)
	clear := d.dial(t, "")
	clear.want("220")
	idle := d.enter(t, hospital)
	busy := d.enter(t, hospital)
	busy.envelope("dr.martin@"+hospital, "patient1@"+patients)
	busy.say("DATA\r\n")
	<-k.entered

	ended := make(chan error)
	go func() { ended <- d.server.Shutdown(t.Context()) }()
	clear.want("421 4.3.2")
	idle.want("421 4.3.2")
	if _, err := net.DialTimeout("tcp", d.addr, time.Second); err == nil {
		t.Error("a new connection was taken")
	}
	close(k.proceed)
	busy.want("354")
	busy.say("Subject: t\r\n\r\n.\r\n")
	busy.want("250")
	busy.want("421 4.3.2")
	if err := <-ended; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if err := <-d.ended; err != nil {
		t.Errorf("serve: %v", err)
	}
	if got := d.tally(); got != "" || len(d.kept()) != 1 {
		t.Errorf("refused %q, kept %d", got, len(d.kept()))
	}
}

// TestShutdownCuts a letter that does not end in time; nothing of it is kept.
func TestShutdownCuts(t *testing.T) {
	t.Parallel()
	d := open(t, smtpd.MX, smtpd.Options{})
	p := d.enter(t, hospital)
	p.envelope("dr.martin@"+hospital, "patient1@"+patients)
	p.say("DATA\r\n")
	p.want("354")
	p.say("Subject: half\r\n")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := d.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v", err)
	}
	if got := p.reply(time.Second); got != "CLOSED" {
		t.Errorf("got %q", got)
	}
	if len(d.kept()) != 0 {
		t.Error("a letter was kept")
	}
}

// TestShutdownBeforeServe leaves nothing behind.
func TestShutdownBeforeServe(t *testing.T) {
	t.Parallel()
	s := smtpd.New(smtpd.MX, doorHost, authority().server(t), newDesk(t), smtpd.Options{})
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context(), l); err != nil {
		t.Error(err)
	}
}

// TestServeEndsWithItsContext and cuts what is there.
func TestServeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := smtpd.New(smtpd.MX, doorHost, authority().server(t), newDesk(t), smtpd.Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, l) }()
	raw, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// flaky is a listener whose first accepts fail.
type flaky struct {
	net.Listener
	left int
	mu   sync.Mutex
}

func (f *flaky) Accept() (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left > 0 {
		f.left--
		return nil, errors.New("accept: too many open files")
	}
	return f.Listener.Accept()
}

// TestAcceptSurvivesErrors: the loop goes on when accepting fails for a while.
func TestAcceptSurvivesErrors(t *testing.T) {
	t.Parallel()
	s := smtpd.New(smtpd.MX, doorHost, authority().server(t), newDesk(t), smtpd.Options{})
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- s.Serve(t.Context(), &flaky{Listener: inner, left: 3}) }()
	raw, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	raw.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 3)
	if _, err := io.ReadFull(raw, b); err != nil || string(b) != "220" {
		t.Errorf("%q, %v", b, err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestFailedLoginsTakeTheirTime: the answer to a failure comes no sooner than the
// floor, whatever was wrong.
func TestFailedLoginsTakeTheirTime(t *testing.T) {
	t.Parallel()
	d := open(t, smtpd.Submission, smtpd.Options{Deadlines: smtpd.Deadlines{Login: 80 * time.Millisecond}})
	p := d.enter(t, "")
	for _, response := range []string{"AG5vLm9uZUBwYXRpZW50Lm1lcy50ZXN0AGJhZA==", "AHBhdGllbnQxQHBhdGllbnQubWVzLnRlc3QAYmFk"} {
		begun := time.Now()
		p.say("AUTH PLAIN " + response + "\r\n")
		p.want("535 5.7.8")
		if took := time.Since(begun); took < 80*time.Millisecond {
			t.Errorf("answered after %v", took)
		}
	}
}

// waitFor asks again until it is so.
func waitFor(t *testing.T, so func() bool) {
	t.Helper()
	for range 200 {
		if so() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it never was so")
}

// TestLastWordsReachAPeerThatStillSpeaks: the door reads on to nowhere for a
// moment, so that no reset runs over its 421.
func TestLastWordsReachAPeerThatStillSpeaks(t *testing.T) {
	t.Parallel()
	d := open(t, smtpd.MX, smtpd.Options{Limits: smtpd.Limits{Chatter: 5}})
	p := d.enter(t, hospital)
	p.conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
	for range 20 {
		if _, err := io.WriteString(p.conn, strings.Repeat("NOOP\r\n", 1000)); err != nil {
			t.Fatalf("while speaking: %v", err)
		}
	}
	got := p.reply(5 * time.Second)
	for strings.HasPrefix(got, "250") {
		got = p.reply(5 * time.Second)
	}
	if !strings.HasPrefix(got, "421 4.7.0") {
		t.Errorf("last words %q", got)
	}
}
