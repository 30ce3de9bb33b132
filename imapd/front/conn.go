package front

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Conn stands between a client and the library, above TLS. To the library it is
// the connection, a net.Conn; it hands it one canonical command at a time (see [intake]) and
// keeps for itself what the library does badly: STARTTLS, APPEND's message, the
// bounds of everything.
//
// The library reads only when it has answered all it was given. So a Read is the
// end of a command: what was written is flushed then, and whose turn it is, the
// client's or the library's, is never in doubt.
type Conn struct {
	gate   *Gate
	log    *slog.Logger
	id     string
	remote netip.AddrPort
	guard  *guard
	tls    *tls.Conn

	// ctx ends when the connection does: the one context that is kept, as the
	// library's sessions are given none.
	ctx    context.Context
	cancel context.CancelFunc

	in      intake
	pending []byte // canonical input that the library has not taken yet

	// What the next line from the client is. Used by the library's goroutine only.
	current  command
	letter   *Upload   // APPEND's message, until its command is over
	idling   bool      // the client is expected to say DONE
	sasl     bool      // the client is expected to answer a challenge
	proven   bool      // logged in
	until    time.Time // of the session: keys are released for a bounded time
	failures int

	// farewell, once set, is our reason to end the connection.
	farewell atomic.Pointer[string]

	// mu guards what follows: in IDLE two goroutines write.
	mu      sync.Mutex
	out     []byte // not yet written to the client; the beginning of buf, or short
	buf     *[outSize]byte
	waiting bool // the library waits for the client: write through
	muted   bool // the library's greeting after STARTTLS is swallowed
	dead    error

	closeOnce sync.Once
}

// newConn takes a connection whose TLS handshake is done.
func newConn(g *Gate, v *visit, t *tls.Conn) *Conn {
	f := &Conn{gate: g, log: v.log, id: v.id, remote: v.remote, guard: v.guard, tls: t, muted: v.greeted}
	f.ctx, f.cancel = context.WithCancel(g.ctx)
	f.in = intake{br: bufio.NewReader(t), bounds: earlyBounds(), message: g.bounds.Message, invite: f.invite}
	return f
}

// Read gives the library its next input. It fails with net.ErrClosed alone, which
// the library takes for an ordinary end.
func (f *Conn) Read(p []byte) (int, error) {
	for len(f.pending) == 0 {
		if err := f.advance(); err != nil {
			f.end(err)
			return 0, net.ErrClosed
		}
	}
	n := copy(p, f.pending)
	f.pending = f.pending[n:]
	return n, nil
}

// advance finds out what the library may read next.
func (f *Conn) advance() error {
	if f.letter != nil {
		up := f.letter
		f.letter = nil
		if err := up.finish(); err != nil {
			return err
		}
		if up.reached {
			f.pending = []byte(up.lit.tail)
			return nil
		}
	}
	if err := f.clientsTurn(); err != nil {
		return err
	}
	defer f.ourTurn()
	switch {
	case f.idling:
		return f.awaitDone()
	case f.sasl:
		return f.awaitAnswer()
	}
	return f.awaitCommand()
}

// clientsTurn flushes, and lets later output (in IDLE) through at once. While the
// client's next line is here already, its answers may travel together.
func (f *Conn) clientsTurn() error {
	here, _ := f.in.br.Peek(f.in.br.Buffered())
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = true
	if !f.idling && bytes.IndexByte(here, '\n') >= 0 {
		return nil
	}
	return f.flush()
}

// ourTurn gathers output again.
func (f *Conn) ourTurn() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = false
}

// awaitCommand reads one command and prepares it for the library.
func (f *Conn) awaitCommand() error {
	switch {
	case f.failures >= maxFailures:
		return &refusal{reply: "BYE Too many mistakes", bye: true}
	case f.farewell.Load() != nil:
		return os.ErrDeadlineExceeded // as the interrupted read would
	}
	if err := f.patience(); err != nil {
		return err
	}
	c, err := f.in.next()
	if err == nil {
		err = f.admit(c)
	}
	if r, ok := asRefusal(err); ok {
		if !f.proven {
			f.failures++
		}
		return f.answer(r)
	} else if err != nil {
		return err
	}
	f.current, f.pending = c, c.line
	f.idling = c.name == "IDLE"
	if c.message != nil {
		f.letter = &Upload{conn: f, lit: c.message, left: c.message.size}
	}
	return nil
}

// patience waits for the first octet of a command, then hurries.
func (f *Conn) patience() error {
	if !f.proven {
		return nil // the guard holds the time to log in
	}
	f.guard.expect(f.gate.bounds.Idle, f.until)
	if _, err := f.in.br.Peek(1); err != nil {
		return err
	}
	f.guard.expect(f.gate.bounds.Command, f.until)
	return nil
}

// admit refuses what is out of place before the library sees it.
func (f *Conn) admit(c command) error {
	v, _ := verbOf(c.name)
	switch {
	case c.name == "STARTTLS":
		return &refusal{tag: c.tag, reply: "BAD TLS is already active"}
	case f.proven || v.early:
		return nil
	case c.message != nil:
		return f.in.skip(c.message, &refusal{tag: c.tag, reply: "BAD Log in first"})
	}
	return &refusal{tag: c.tag, reply: "BAD Log in first"}
}

// awaitDone reads the line that ends IDLE. Anything but DONE ends the connection:
// the library would answer while its IDLE is still writing.
func (f *Conn) awaitDone() error {
	f.guard.expect(f.gate.bounds.Idle, f.until)
	line, err := f.in.line(64)
	switch {
	case errors.Is(err, errLong), err == nil && !bytes.EqualFold(line, []byte("DONE")):
		return &refusal{reply: "BYE IDLE ends with DONE", bye: true}
	case err != nil:
		return err
	}
	f.idling = false
	f.pending = []byte("DONE\r\n")
	return nil
}

// awaitAnswer reads the client's answer to a SASL challenge. The library reads at
// most 4096 octets of it.
func (f *Conn) awaitAnswer() error {
	line, err := f.in.line(4000)
	if errors.Is(err, errLong) || err == nil && bytes.IndexByte(line, 0) >= 0 {
		return &refusal{reply: "BYE The answer is too long", bye: true}
	} else if err != nil {
		return err
	}
	f.sasl = false
	f.pending = append(line, crlf...)
	return nil
}

// answer sends a refusal; the error it returns ends the connection.
func (f *Conn) answer(r *refusal) error {
	tag := r.tag
	if tag == "" {
		tag = "*"
	}
	level := slog.LevelInfo
	if f.proven {
		level = slog.LevelDebug
	}
	f.log.LogAttrs(f.ctx, level, "imap.refused", slog.Bool("bye", r.bye))
	if r.bye {
		return r
	}
	return f.say(tag + " " + r.reply + crlf)
}

// say writes a line of our own and flushes.
func (f *Conn) say(line string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.out = append(f.out, line...)
	return f.flush()
}

// invite asks the client for a literal.
func (f *Conn) invite() error { return f.say("+ Ready\r\n") }

// end is called with what ended reading: it says good-bye where that makes sense.
func (f *Conn) end(err error) {
	var bye string
	r, refused := asRefusal(err)
	switch {
	case refused && r.tag != "":
		bye = r.tag + " " + r.reply + "\r\n* BYE Good-bye\r\n"
	case refused && len(r.reply) > 3 && r.reply[:3] == "BYE":
		bye = "* " + r.reply + crlf
	case refused:
		bye = "* " + r.reply + "\r\n* BYE Good-bye\r\n"
	case f.farewell.Load() != nil:
		bye = "* BYE " + *f.farewell.Load() + crlf
	case errors.Is(err, os.ErrDeadlineExceeded):
		bye = "* BYE Too long without a command\r\n"
	case !errors.Is(err, io.EOF):
		f.log.LogAttrs(f.ctx, slog.LevelDebug, "imap.broken")
	}
	if bye != "" {
		_ = f.say(bye)
		f.linger()
	}
	f.cancel()
	f.guard.Close()
}

// linger lets the client read our last words: closing with its octets unread would
// make its system throw them away.
func (f *Conn) linger() {
	_ = f.tls.CloseWrite()
	f.guard.closeWrite()
	f.guard.expect(lingerTime, time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, f.guard, 256<<10)
}
