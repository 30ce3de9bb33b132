package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
)

// closed is what a read tells when the server ended the connection.
const closed = "CLOSE"

// peer plays one script over one connection.
type peer struct {
	v       vector
	m       mapping
	conn    net.Conn
	raw     *net.TCPConn
	r       *bufio.Reader
	tls     *tls.Config
	timeout time.Duration
	ehlo    string // the script's last EHLO line
	started bool   // STARTTLS was sent by the script
	last    string // last reply
	notes   []string
	users   map[string]demo.Person // the fixture's, by the names that scripts use
}

// latin1 turns the script's text into octets: one a code point.
func latin1(s string) []byte {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}

// reply reads one SMTP reply and returns all its lines, CLOSE, or "" on a time-out.
func (p *peer) reply(within time.Duration) string {
	p.conn.SetReadDeadline(time.Now().Add(within))
	var lines []string
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			if nerr := net.Error(nil); errors.As(err, &nerr) && nerr.Timeout() {
				return ""
			}
			return closed
		}
		line = strings.TrimRight(line, "\r\n")
		lines = append(lines, line)
		if len(line) < 4 || line[3] != '-' {
			p.last = line
			return strings.Join(lines, "\n")
		}
	}
}

// matches reports whether the last line of a reply matches one of the patterns.
func matches(reply string, patterns []string) bool {
	if reply == closed {
		for _, pattern := range patterns {
			if pattern == closed {
				return true
			}
		}
		return false
	}
	last := reply[strings.LastIndexByte(reply, '\n')+1:]
	for _, pattern := range patterns {
		if re, err := regexp.Compile(pattern); err == nil && re.MatchString(last+" ") {
			return true
		}
	}
	return false
}

// send writes octets; a connection that is gone is seen by the next read.
func (p *peer) send(b []byte) {
	p.conn.SetWriteDeadline(time.Now().Add(p.timeout))
	_, _ = p.conn.Write(b)
}

// say sends a text of the script, mapped.
func (p *peer) say(s string) {
	s = p.m.text(s)
	upper := strings.ToUpper(s)
	if strings.HasPrefix(upper, "EHLO") || strings.HasPrefix(upper, "HELO") {
		p.ehlo = s
	}
	if strings.HasPrefix(upper, "STARTTLS") && !strings.HasPrefix(upper, "STARTTLS ") {
		p.started = true
	}
	p.send(latin1(s))
}

// handshake plays a tls step; next is the step after it, nil at the end.
func (p *peer) handshake(mayFail bool, next map[string]json.RawMessage) error {
	if !p.started {
		p.send([]byte("STARTTLS\r\n"))
		if got := p.reply(p.timeout); !matches(got, []string{"^220"}) {
			return p.orNote(mayFail, fmt.Errorf("STARTTLS answered %q", got))
		}
	}
	p.conn.SetDeadline(time.Now().Add(p.timeout))
	conn := tls.Client(p.conn, p.tls)
	if err := conn.Handshake(); err != nil {
		return p.orNote(mayFail, fmt.Errorf("handshake: %w", err))
	}
	p.conn.SetDeadline(time.Time{})
	p.conn, p.r = conn, bufio.NewReader(conn)
	var text string
	_ = json.Unmarshal(next["s"], &text)
	name := p.v.name()
	if strings.HasPrefix(strings.ToUpper(text), "EHLO") || strings.HasPrefix(name, "inject-") || strings.HasPrefix(name, "twice-") {
		return nil
	}
	p.send(latin1(p.ehlo))
	if got := p.reply(p.timeout); !matches(got, []string{"^250"}) {
		return fmt.Errorf("EHLO inside TLS answered %q", got)
	}
	return nil
}

func (p *peer) orNote(may bool, err error) error {
	if may {
		p.notes = append(p.notes, err.Error())
		return nil
	}
	return err
}

// drain reads replies until time is up or the connection ends.
func (p *peer) drain(d time.Duration) []string {
	var got []string
	for end := time.Now().Add(d); ; {
		left := time.Until(end)
		if left <= 0 {
			return got
		}
		reply := p.reply(left)
		if reply == "" {
			return got
		}
		got = append(got, reply)
		if reply == closed {
			return got
		}
	}
}

// decode returns the octets of a b64 step, mapped as text.
func (p *peer) decode(s string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, err
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return latin1(p.m.text(string(runes))), nil
}

// dial opens a connection to host:port without waiting for its greeting.
func (p *peer) dial(addr string, implicit bool) error {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return err
	}
	p.raw = conn.(*net.TCPConn)
	p.conn = conn
	if implicit {
		t := tls.Client(conn, p.tls)
		if err := t.Handshake(); err != nil {
			conn.Close()
			return err
		}
		p.conn = t
	}
	p.r = bufio.NewReader(p.conn)
	return nil
}

// clientTLS trusts the authority's root and shows the certificate in the files.
func clientTLS(ca, cert, key string) (*tls.Config, error) {
	data, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, errors.New("the authority's file holds no certificate")
	}
	c := &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// discard swallows what comes for a while.
func discard(r io.Reader) { _, _ = io.Copy(io.Discard, r) }
