package bench

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// patience bounds each step of a dialogue.
const patience = 60 * time.Second

// refusal is a reply that was not hoped for.
type refusal struct{ line string }

func (r refusal) Error() string { return "refused: " + r.line }

// session is one SMTP connection after STARTTLS. It allocates next to nothing per
// letter: the client shares the machine with what it measures.
type session struct {
	conn net.Conn
	r    *bufio.Reader
}

// dial connects, says EHLO, starts TLS with the certificate of config and says
// EHLO again.
func dial(ctx context.Context, addr string, config *tls.Config) (*session, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn, r: bufio.NewReader(conn)}
	if err := s.begin(ctx, config); err != nil {
		s.conn.Close()
		return nil, fmt.Errorf("begin a session: %w", err)
	}
	return s, nil
}

func (s *session) begin(ctx context.Context, config *tls.Config) error {
	if err := s.expect('2'); err != nil {
		return err
	}
	if err := errors.Join(s.say("EHLO bench.example\r\n"), s.expect('2')); err != nil {
		return err
	}
	if err := errors.Join(s.say("STARTTLS\r\n"), s.expect('2')); err != nil {
		return err
	}
	secured := tls.Client(s.conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return err
	}
	s.conn, s.r = secured, bufio.NewReader(secured)
	return errors.Join(s.say("EHLO bench.example\r\n"), s.expect('2'))
}

// send sends one letter as a relay does: the group MAIL, RCPT, DATA in one go
// (RFC 2920), then the content with its final dot. It returns when the last octet
// of the letter was handed over and when the reply to it had come. A refusal
// leaves the session usable.
func (s *session) send(group string, wire []byte) (sent, answered time.Time, err error) {
	if err = s.say(group); err != nil {
		return sent, answered, err
	}
	var refused error
	for _, want := range []byte{'2', '2', '3'} {
		switch err = s.expect(want); {
		case err == nil:
		case errors.As(err, new(refusal)):
			refused = cmp.Or(refused, err)
		default:
			return sent, answered, err
		}
	}
	if refused != nil {
		return sent, answered, errors.Join(refused, s.reset())
	}
	if _, err = s.conn.Write(wire); err != nil {
		return sent, answered, err
	}
	sent = time.Now()
	err = s.expect('2')
	return sent, time.Now(), err
}

// reset ends a transaction that was refused.
func (s *session) reset() error {
	return errors.Join(s.say("RSET\r\n"), s.expect('2'))
}

func (s *session) say(line string) error {
	s.conn.SetDeadline(time.Now().Add(patience))
	_, err := io.WriteString(s.conn, line)
	return err
}

// expect reads one reply, whose code must begin with class.
func (s *session) expect(class byte) error {
	for {
		line, err := s.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) < 4 {
			return refusal{string(line)}
		}
		if line[3] == '-' {
			continue
		}
		if line[0] != class {
			return refusal{string(line[:len(line)-1])}
		}
		return nil
	}
}

// close says goodbye and closes the connection.
func (s *session) close() {
	if s.say("QUIT\r\n") == nil {
		_ = s.expect('2') // a courtesy
	}
	s.conn.Close()
}
