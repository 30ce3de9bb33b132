package wiretest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// timeout bounds each step of a dialogue.
const timeout = 60 * time.Second

// SMTP is a session with a server.
type SMTP struct {
	Conn net.Conn
	R    *bufio.Reader
}

// Reply is an SMTP reply: the code, and its lines without it.
type Reply struct {
	Code int
	Text string
}

// OK reports whether the code is 2xx or 3xx.
func (r Reply) OK() bool { return r.Code >= 200 && r.Code < 400 }

// String returns the reply on one line.
func (r Reply) String() string {
	return fmt.Sprintf("%d %s", r.Code, strings.ReplaceAll(r.Text, "\n", " / "))
}

// DialSMTP connects, says EHLO, starts TLS and says EHLO again.
func DialSMTP(addr string, config *tls.Config) (*SMTP, error) {
	conn, err := net.DialTimeout("tcp", addr, timeout)
	if err != nil {
		return nil, err
	}
	c := &SMTP{Conn: conn, R: bufio.NewReaderSize(conn, 4096)}
	if err := c.begin(config); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *SMTP) begin(config *tls.Config) error {
	if _, err := c.expect(220); err != nil {
		return err
	}
	for _, line := range []struct {
		say  string
		want int
	}{{"EHLO client.example", 250}, {"STARTTLS", 220}} {
		if _, err := c.Do(line.say, line.want); err != nil {
			return err
		}
	}
	secured := tls.Client(c.Conn, config)
	c.Conn.SetDeadline(time.Now().Add(timeout))
	if err := secured.Handshake(); err != nil {
		return err
	}
	c.Conn, c.R = secured, bufio.NewReaderSize(secured, 4096)
	_, err := c.Do("EHLO client.example", 250)
	return err
}

// Read reads one reply.
func (c *SMTP) Read() (Reply, error) {
	c.Conn.SetReadDeadline(time.Now().Add(timeout))
	var r Reply
	for {
		line, err := c.R.ReadString('\n')
		if err != nil {
			return r, err
		}
		line = strings.TrimRight(line, "\r\n")
		if len(line) < 3 {
			return r, fmt.Errorf("short reply line %q", line)
		}
		if _, err := fmt.Sscanf(line[:3], "%d", &r.Code); err != nil {
			return r, fmt.Errorf("no code in %q", line)
		}
		if r.Text != "" {
			r.Text += "\n"
		}
		if len(line) > 4 {
			r.Text += line[4:]
		}
		if len(line) == 3 || line[3] != '-' {
			return r, nil
		}
	}
}

func (c *SMTP) expect(want int) (Reply, error) {
	r, err := c.Read()
	if err == nil && r.Code != want {
		err = fmt.Errorf("wanted %d, got %s", want, r)
	}
	return r, err
}

// Do sends one line and reads its reply, which must have the code want; 0 is any.
func (c *SMTP) Do(line string, want int) (Reply, error) {
	c.Conn.SetWriteDeadline(time.Now().Add(timeout))
	if _, err := io.WriteString(c.Conn, line+"\r\n"); err != nil {
		return Reply{}, err
	}
	if want == 0 {
		return c.Read()
	}
	return c.expect(want)
}

// Plain authenticates with a user name and a password.
func (c *SMTP) Plain(user, password string) error {
	_, err := c.Do("AUTH PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+password)), 235)
	return err
}

// Send sends one letter, which must have CRLF line ends: MAIL, RCPTs and DATA in
// one group (RFC 2920), then the content dot-stuffed. It returns the reply that
// decided: the first refusal, or the one to the final dot.
func (c *SMTP) Send(from string, to []string, letter []byte) (Reply, error) {
	var group strings.Builder
	fmt.Fprintf(&group, "MAIL FROM:<%s> SIZE=%d\r\n", from, len(letter))
	for _, rcpt := range to {
		fmt.Fprintf(&group, "RCPT TO:<%s>\r\n", rcpt)
	}
	group.WriteString("DATA\r\n")
	c.Conn.SetWriteDeadline(time.Now().Add(timeout))
	if _, err := io.WriteString(c.Conn, group.String()); err != nil {
		return Reply{}, err
	}
	var refused Reply
	for range len(to) + 2 {
		r, err := c.Read()
		if err != nil {
			if refused.Code != 0 {
				return refused, nil
			}
			return r, err
		}
		if !r.OK() && refused.Code == 0 {
			refused = r
		}
		if r.Code == 354 && refused.Code != 0 { // some recipients only: go on
			refused = Reply{}
		}
	}
	if refused.Code != 0 {
		_, err := c.Do("RSET", 250)
		return refused, err
	}
	c.Conn.SetWriteDeadline(time.Now().Add(timeout))
	if _, err := c.Conn.Write(Stuffed(letter)); err != nil {
		return Reply{}, err
	}
	return c.Read()
}

// Stuffed returns a letter with CRLF line ends as it goes on the wire: dots
// doubled at line starts, the final dot added (RFC 5321 4.5.2).
func Stuffed(letter []byte) []byte {
	out := bytes.ReplaceAll(letter, []byte("\r\n."), []byte("\r\n.."))
	if bytes.HasPrefix(out, []byte(".")) {
		out = append([]byte("."), out...)
	}
	if !bytes.HasSuffix(out, []byte("\r\n")) {
		out = append(out[:len(out):len(out)], "\r\n"...)
	}
	return append(out[:len(out):len(out)], ".\r\n"...)
}

// Close says goodbye and closes the connection.
func (c *SMTP) Close() {
	c.Conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(c.Conn, "QUIT\r\n") // a courtesy
	c.Conn.Close()
}
