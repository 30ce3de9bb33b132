package smtpd_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/vaguemestre/vaguemestre/smtpd"
)

// BenchmarkLetters counts letters through the door to a Visit that discards them,
// over mutual TLS, beside the library's bare server in the same run: the price of
// the front is the ratio of the two.
func BenchmarkLetters(b *testing.B) {
	for _, size := range []int{2 << 10, 50 << 10, 1 << 20} {
		for _, conns := range []int{1, 8} {
			b.Run(fmt.Sprintf("%dKiB/%d/door", size>>10, conns), func(b *testing.B) { letters(b, doorAddr(b), size, conns) })
			b.Run(fmt.Sprintf("%dKiB/%d/bare", size>>10, conns), func(b *testing.B) { letters(b, bareAddr(b), size, conns) })
		}
	}
}

// doorAddr starts our door.
func doorAddr(b *testing.B) string {
	k := newDesk(b)
	k.discard = true
	return openAt(b, smtpd.MX, smtpd.Options{}, k).addr
}

// bareAddr starts the library's server, which does TLS itself.
func bareAddr(b *testing.B) string {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return discard{}, nil }))
	s.Domain, s.TLSConfig = doorHost, authority().server(b)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(l)
	}()
	b.Cleanup(func() {
		_ = s.Shutdown(context.Background())
		<-ended
	})
	return l.Addr().String()
}

// discard is a session of the bare server.
type discard struct{}

func (discard) Reset()                               {}
func (discard) Logout() error                        { return nil }
func (discard) Mail(string, *smtp.MailOptions) error { return nil }
func (discard) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (discard) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// letters sends b.N letters over a number of connections.
func letters(b *testing.B, addr string, size, conns int) {
	line := strings.Repeat("a line of a letter, as long as most are", 2)[:74] + "\r\n"
	letter := "Subject: t\r\n\r\n" + strings.Repeat(line, size/len(line)) + ".\r\n"
	work := make(chan struct{})
	failed := make(chan error, conns)
	for range conns {
		c := dialBench(b, addr)
		go func() { failed <- c.carry(work, letter) }()
	}
	b.SetBytes(int64(len(letter)))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	for range conns {
		if err := <-failed; err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "letters/s")
}

// benchPeer is a client that costs little.
type benchPeer struct {
	conn net.Conn
	r    *bufio.Reader
}

func dialBench(b *testing.B, addr string) *benchPeer {
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	p := &benchPeer{conn: raw, r: bufio.NewReader(raw)}
	for _, s := range []string{"", "EHLO a\r\n", "STARTTLS\r\n"} {
		if err := p.ask(s, 1); err != nil {
			b.Fatal(err)
		}
	}
	p.conn = tls.Client(raw, authority().client(b, hospital))
	p.r = bufio.NewReader(p.conn)
	if err := p.ask("EHLO a\r\n", 1); err != nil {
		b.Fatal(err)
	}
	return p
}

// carry sends a letter for each piece of work.
func (p *benchPeer) carry(work <-chan struct{}, letter string) error {
	defer p.conn.Close()
	for range work {
		if err := p.ask("MAIL FROM:<dr.martin@"+hospital+">\r\nRCPT TO:<patient1@"+patients+">\r\nDATA\r\n", 3); err != nil {
			return err
		}
		if err := p.ask(letter, 1); err != nil {
			return err
		}
	}
	return p.ask("QUIT\r\n", 1)
}

// ask says s and reads n replies that accept.
func (p *benchPeer) ask(s string, n int) error {
	if _, err := io.WriteString(p.conn, s); err != nil {
		return err
	}
	for n > 0 {
		line, err := p.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if line[0] > '3' {
			return fmt.Errorf("%s", line)
		}
		if line[3] == ' ' {
			n--
		}
	}
	return nil
}
