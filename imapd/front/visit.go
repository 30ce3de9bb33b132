package front

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"sync/atomic"
	"time"
)

// visit is a connection before the library has it: on port 143 a short dialogue
// in the clear that leads to STARTTLS, then the handshake.
type visit struct {
	gate   *Gate
	log    *slog.Logger
	id     string
	remote netip.AddrPort
	guard  *guard
	// greeted says that the client has had its greeting, in the clear.
	greeted bool
	closing atomic.Bool
}

// clearCaps is what may be known before TLS (RFC 9051 6.2.3: LOGINDISABLED).
const clearCaps = "CAPABILITY IMAP4rev1 SASL-IR LITERAL- STARTTLS LOGINDISABLED"

// errDone ends a dialogue in the clear without TLS.
var errDone = errors.New("the dialogue is over")

// converse holds the dialogue in the clear; nil means that the client asked for
// TLS and has sent nothing after it.
func (v *visit) converse() error {
	in := intake{br: bufio.NewReader(v.guard), bounds: earlyBounds()}
	in.literals = 0 // no credential is invited into the clear
	if err := v.say("* OK [" + clearCaps + "] IMAP server ready"); err != nil {
		return err
	}
	v.greeted = true
	for range maxFailures * 4 {
		c, err := in.next()
		if r, ok := asRefusal(err); ok {
			if err := v.refuse(r); err != nil {
				return err
			}
			continue
		} else if err != nil {
			v.parting(err)
			return err
		}
		done, err := v.obey(c, in.br.Buffered())
		if done || err != nil {
			return err
		}
	}
	return errors.Join(errDone, v.say("* BYE Too much talk without TLS"))
}

// obey answers one command; done means that TLS comes next.
func (v *visit) obey(c command, buffered int) (done bool, err error) {
	switch c.name {
	case "CAPABILITY":
		return false, v.say("* "+clearCaps, c.tag+" OK CAPABILITY completed")
	case "NOOP":
		return false, v.say(c.tag + " OK NOOP completed")
	case "LOGOUT":
		return false, errors.Join(errDone, v.say("* BYE Good-bye", c.tag+" OK LOGOUT completed"))
	case "STARTTLS":
		if buffered > 0 {
			// CVE-2011-0411: what came in the clear must not be read as if it had come inside TLS.
			return false, errors.Join(errDone, v.say(c.tag+" BAD Wait for the answer to STARTTLS"))
		}
		return true, v.say(c.tag + " OK Begin TLS negotiation now")
	case "LOGIN", "AUTHENTICATE":
		return false, v.say(c.tag + " NO [PRIVACYREQUIRED] TLS is required first")
	}
	return false, v.say(c.tag + " BAD Log in first")
}

// refuse answers a command that could not be read.
func (v *visit) refuse(r *refusal) error {
	tag := r.tag
	if tag == "" {
		tag = "*"
	}
	if !r.bye {
		return v.say(tag + " " + r.reply)
	}
	return errors.Join(errDone, v.say(tag+" "+r.reply, "* BYE Good-bye"))
}

// parting says good-bye to a client that was too slow, or at a shutdown.
func (v *visit) parting(err error) {
	switch {
	case v.closing.Load():
		_ = v.say("* BYE The server is shutting down")
	case errors.Is(err, os.ErrDeadlineExceeded):
		_ = v.say("* BYE Too long without a command")
	}
}

// say writes lines in the clear.
func (v *visit) say(lines ...string) error {
	var out []byte
	for _, l := range lines {
		out = append(append(out, l...), crlf...)
	}
	_, err := v.guard.Write(out)
	return err
}

// secure does the TLS handshake, which the guard bounds as all before login.
func (v *visit) secure(ctx context.Context, config *tls.Config) (*tls.Conn, error) {
	t := tls.Server(v.guard, config)
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return t, nil
}

// bye ends the visit.
func (v *visit) bye() {
	v.closing.Store(true)
	v.guard.interrupt()
}

// lingerTime is how long a closed connection may still swallow octets.
const lingerTime = time.Second
