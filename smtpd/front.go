package smtpd

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
)

// conn is one connection, from its greeting to its summary.
type conn struct {
	server *Server
	// ctx is what the visit's calls get, cancelled when Shutdown cuts: the one
	// context kept in a struct, since go-smtp hands none down.
	ctx    context.Context
	log    *slog.Logger
	raw    net.Conn
	leash  *leash
	w      *wire
	caller delivery.Caller

	early time.Time // when it must have begun something; zero once it has
	begun time.Time

	visit   delivery.Visit
	reading bool  // it is in Data
	arrival error // why there is no visit

	tally   map[string]int // what the door refused, by reason
	unsaid  []string       // of these, what the visit is told when its Data has returned
	errors  int            // bad commands
	chatter int            // commands that led to no letter
	letters int

	over   bool // no further command is read
	parted bool // the peer said QUIT
	broken bool // nothing more can be said
	left   bool // the last words were said
}

// earlyPeek is how long the door listens before it greets: who speaks first does
// not speak SMTP.
const earlyPeek = 2 * time.Millisecond

// serve runs one connection to its end.
func (c *conn) serve() {
	defer c.conclude()
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("smtp.panic", slog.Any("panic", p))
		}
	}()
	if c.server.kind != Submissions && !c.clear() {
		c.leave()
		return
	}
	secure, ok := c.handshake()
	if !ok {
		return
	}
	c.w = newWire(secure, c.leash, c.server.options.Deadlines.Write)
	c.converse()
}

// converse runs the dialogue over a stream that is secure by now.
func (c *conn) converse() {
	visit, err := c.server.counter.Arrive(c.ctx, c.caller)
	if err != nil {
		c.arrival = err
		c.logCause(err)
		c.note(fault.Reason(err))
	} else {
		c.visit = visit
		c.tell()
	}
	if c.server.kind == Submissions && !c.welcome(0) {
		c.leave()
		return
	}
	d := &dialogue{conn: c, done: make(chan struct{})}
	c.server.inlet.hand(c.ctx, d)
}

// welcome greets, unless the peer has spoken.
func (c *conn) welcome(patience time.Duration) bool {
	if c.w.talks(patience) {
		c.stop(reasonEarly)
		return false
	}
	c.say(Reply{Code: 220, Text: c.server.host + " ESMTP"})
	return true
}

// clear is the dialogue before TLS; it reports whether TLS is to begin.
func (c *conn) clear() bool {
	if !c.welcome(earlyPeek) {
		return false
	}
	for !c.over {
		line, err := c.w.line(maxLine, c.by())
		if err != nil {
			var stop *stopped
			errors.As(err, &stop)
			c.stop(stop.reason)
			return false
		}
		verb, arg := cutCommand(line)
		if verb == "STARTTLS" && len(arg) == 0 {
			return c.startTLS()
		}
		c.obeyClear(verb, arg)
	}
	return false
}

// obeyClear answers a command before TLS (RFC 3207 4).
func (c *conn) obeyClear(verb string, arg []byte) {
	switch verb {
	case "EHLO", "HELO":
		if !validHello(arg) {
			c.refuse(reasonMalformed)
			return
		}
		c.introduce(verb == "EHLO", append(c.server.keywords(), "STARTTLS")...)
		c.chat()
	case "NOOP", "RSET":
		c.say(reply(250, 0, 0, "OK"))
		c.chat()
	case "QUIT":
		c.say(reply(221, 0, 0, "Goodbye"))
		c.over, c.parted = true, true
	case "STARTTLS":
		c.refuse(reasonMalformed) // RFC 3207 4: no parameter
	case "MAIL", "RCPT", "DATA", "VRFY":
		c.refuse(reasonTLS)
	case "BDAT":
		c.stop(reasonTLS) // octets follow that are no commands
	case "AUTH":
		c.refuse(reasonTLSLogin)
	default:
		c.refuse(reasonOfVerb(verb))
	}
}

// startTLS agrees to TLS, unless something was sent along: it came in clear and
// would be read as if it had come inside (CVE-2011-0411).
func (c *conn) startTLS() bool {
	if c.w.pressed() {
		c.stop(reasonTLSInject)
		return false
	}
	c.say(reply(220, 0, 0, "Go on"))
	return c.w.flush() == nil
}

// handshake does TLS under its deadline.
func (c *conn) handshake() (*tls.Conn, bool) {
	deadlines := &c.server.options.Deadlines
	by := time.Now().Add(deadlines.Handshake)
	if c.early.Before(by) {
		by = c.early
	}
	c.leash.until(by)
	c.raw.SetWriteDeadline(by)
	secure := tls.Server(c.raw, c.server.tls)
	if err := secure.Handshake(); err != nil {
		if !errors.Is(err, io.EOF) && !c.leash.pulled() {
			c.note(reasonHandshake)
		}
		return nil, false
	}
	c.caller.TLS = secure.ConnectionState()
	return secure, true
}

// by is when the next command must be here.
func (c *conn) by() time.Time {
	by := time.Now().Add(c.server.options.Deadlines.Command)
	if !c.early.IsZero() && c.early.Before(by) {
		return c.early
	}
	return by
}

// introduce answers EHLO with the keywords, HELO without.
func (c *conn) introduce(extended bool, keywords ...string) {
	lines := []string{c.server.host}
	if extended {
		lines = append(lines, keywords...)
	}
	for i, l := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		c.w.out = append(c.w.out, "250"+sep+l+"\r\n"...)
	}
	c.press()
}

// say gives a reply; it leaves with the next wait for the peer.
func (c *conn) say(r Reply) {
	c.w.say(r)
	c.press()
}

// press makes the peer read when much is to be said.
func (c *conn) press() {
	var failed *stopped
	if len(c.w.out) >= outSize && errors.As(c.w.flush(), &failed) {
		c.stop(failed.reason)
	}
}

// note counts something that the door refused.
func (c *conn) note(reason string) {
	if c.tally == nil {
		c.tally = map[string]int{}
	}
	c.tally[reason]++
	c.unsaid = append(c.unsaid, reason)
	c.tell()
}

// tell tells the visit what was refused: its methods are called one at a time, so
// not while it takes a letter.
func (c *conn) tell() {
	if c.visit == nil || c.reading {
		return
	}
	for _, reason := range c.unsaid {
		c.visit.Refused(reason)
	}
	c.unsaid = nil
}

// decline refuses something that a well-made client may ask.
func (c *conn) decline(reason string) {
	c.note(reason)
	c.say(refusal(reason))
}

// refuse refuses a bad command; too many end the connection.
func (c *conn) refuse(reason string) {
	c.decline(reason)
	c.blame()
}

// blame counts a bad command.
func (c *conn) blame() {
	if c.errors++; c.errors >= c.server.options.Limits.Errors {
		c.stop(reasonErrors)
	}
}

// turnAway says why the caller may not come in.
func (c *conn) turnAway() {
	c.say(ReplyTo(c.arrival))
	c.blame()
}

// chat counts a command that leads to no letter.
func (c *conn) chat() {
	if c.chatter++; c.chatter >= c.server.options.Limits.Chatter {
		c.stop(reasonChatter)
	}
}

// stop says why the connection ends; no further command is read. The quiet ends
// of a connection that has done its business are no refusal.
func (c *conn) stop(reason string) {
	if c.over {
		return
	}
	c.over, c.broken = true, reason == reasonDeaf
	switch {
	case reason == reasonClosing, reason == reasonGone && !c.leash.occupied():
	case reason == reasonSilent && c.early.IsZero() && !c.leash.occupied():
	default:
		c.note(reason)
	}
	c.say(refusal(reason))
}

// leave says the last words.
func (c *conn) leave() {
	switch {
	case c.broken, c.left:
	case c.parted:
		_ = c.w.flush()
	default:
		c.w.linger()
	}
	c.left = true
}

// conclude closes the connection and sums it up.
func (c *conn) conclude() {
	if c.broken {
		c.raw.Close() // nobody takes TLS's goodbye
	}
	c.w.conn.Close()
	if c.visit != nil {
		c.reading = false // it panicked, if it still was
		c.tell()
		c.visit.Close()
	} else if len(c.tally) > 0 {
		c.server.summarise(c.ctx, c.caller, c.tally)
	}
	refused := slices.Sorted(maps.Keys(c.tally))
	c.log.Info("smtp.ended",
		slog.Duration("lasted", time.Since(c.begun)),
		slog.Int("letters", c.letters),
		slog.String("refused", strings.Join(refused, " ")))
}
