package smtpd

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
)

// dialogue is the conversation inside TLS. To go-smtp's server it is the
// connection: Read yields the next command that the inner server is to see, Write
// takes what it answers.
type dialogue struct {
	*conn

	done   chan struct{} // closed by Close
	closed bool

	feed   []byte // what the inner server has still to read
	verb   string // the command that it works on
	inner  []byte // its unfinished reply line
	replay []byte // a command line read inside a BDAT series, to be obeyed after it

	answered bool  // the session has decided the reply to verb
	answer   Reply // that reply; Code 0 says nothing

	hello    bool   // EHLO or HELO was accepted
	heloName string // the name it gave
	loggedIn bool
	exchange bool // an AUTH exchange waits for the next line
	failures int  // failed logins
	owed     bool // the peer, silent at its 250, has not been heard since

	transaction
}

// transaction is the state between MAIL and the end of the content.
type transaction struct {
	open       bool
	path       identity.Address // of the MAIL or RCPT that is being handled; zero is <>
	utf8       bool             // MAIL said SMTPUTF8
	recipients int
	first      *chunk    // the BDAT that began the content
	end        time.Time // of the budget
}

// Read gives the inner server its next command.
func (d *dialogue) Read(p []byte) (n int, err error) {
	defer d.survive(&err)
	for len(d.feed) == 0 {
		if d.closed {
			return 0, io.EOF
		}
		if d.over {
			d.leave()
			return 0, io.EOF
		}
		d.next()
	}
	n = copy(p, d.feed)
	d.feed = d.feed[n:]
	return n, nil
}

// Write takes the inner server's replies, a signal each.
func (d *dialogue) Write(p []byte) (n int, err error) {
	defer d.survive(&err)
	d.inner = append(d.inner, p...)
	for {
		line, rest, whole := bytes.Cut(d.inner, []byte("\r\n"))
		if !whole {
			return len(p), nil
		}
		if len(line) >= 4 && line[3] == ' ' {
			code, _ := strconv.Atoi(string(line[:3]))
			d.settle(code, line[4:])
		}
		d.inner = append(d.inner[:0], rest...)
	}
}

// Close ends the dialogue for the inner server; the front then ends the connection.
func (d *dialogue) Close() error {
	if !d.closed {
		d.over, d.closed = true, true
		_ = d.w.flush()
		close(d.done)
	}
	return nil
}

// survive turns a panic (our own bug) into the end of this connection only.
func (d *dialogue) survive(err *error) {
	if p := recover(); p != nil {
		d.log.Error("smtp.panic", slog.Any("panic", p))
		d.over, d.broken = true, true
		*err = io.EOF
	}
}

// LocalAddr and the following make the dialogue a net.Conn. The inner server sets
// no deadline: the wire has its own.
func (d *dialogue) LocalAddr() net.Addr              { return d.raw.LocalAddr() }
func (d *dialogue) RemoteAddr() net.Addr             { return d.raw.RemoteAddr() }
func (d *dialogue) SetDeadline(time.Time) error      { return nil }
func (d *dialogue) SetReadDeadline(time.Time) error  { return nil }
func (d *dialogue) SetWriteDeadline(time.Time) error { return nil }

// next reads one command and obeys it.
func (d *dialogue) next() {
	if d.replay != nil {
		line := d.replay
		d.replay = nil
		d.obey(line)
		return
	}
	limit := maxLine
	if d.server.kind.logins() && !d.loggedIn {
		limit = maxSASL
	}
	line, err := d.w.line(limit, d.by())
	if err != nil {
		d.stop(d.reasonOf(err))
		return
	}
	d.obey(line)
}

// by is when the next command must be here.
func (d *dialogue) by() time.Time {
	by := d.conn.by()
	if !d.end.IsZero() && d.end.Before(by) {
		by = d.end
	}
	return by
}

// reasonOf tells which wait ended with err.
func (d *dialogue) reasonOf(err error) string {
	var stop *stopped
	if !errors.As(err, &stop) {
		return reasonInternal
	}
	if stop.reason == reasonSilent && !d.end.IsZero() && !time.Now().Before(d.end) {
		return reasonTransaction
	}
	return stop.reason
}

// obey handles one command line: answers it, or passes it on.
func (d *dialogue) obey(line []byte) {
	d.hear()
	if d.exchange {
		d.respond(line)
		return
	}
	verb, arg := cutCommand(line)
	if len(line) > maxLine && verb != "AUTH" {
		d.stop(reasonLineLong)
		return
	}
	switch verb {
	case "EHLO", "HELO":
		d.greet(verb, arg)
	case "AUTH":
		d.auth(arg)
	case "MAIL":
		d.mail(arg)
	case "RCPT":
		d.rcpt(arg)
	case "DATA":
		d.data(arg)
	case "BDAT":
		d.bdat(arg)
	case "RSET", "QUIT":
		if len(arg) > 0 {
			d.refuse(reasonMalformed)
			return
		}
		d.pass(verb, []byte(verb))
	case "NOOP":
		d.say(reply(250, 0, 0, "OK"))
		d.chat()
	case "VRFY":
		// RFC 5321 7.3: the same words for every name.
		d.say(reply(252, 5, 2, "Send the letter and see"))
		d.chat()
	case "STARTTLS":
		d.refuse(reasonOrder)
	default:
		d.refuse(reasonOfVerb(verb))
	}
}

// reasonOfVerb tells a command of some standard from none.
func reasonOfVerb(verb string) string {
	switch verb {
	case "EXPN", "HELP", "TURN", "ETRN", "ATRN", "SEND", "SOML", "SAML", "BURL":
		return reasonNotHere
	}
	return reasonUnknown
}

// cutCommand splits a line into its verb in upper case and the rest without
// surrounding spaces (RFC 5321 4.1.1 tolerates trailing ones).
func cutCommand(line []byte) (verb string, arg []byte) {
	word, arg, _ := bytes.Cut(line, []byte(" "))
	if len(word) > len("STARTTLS") {
		return "", nil
	}
	return strings.ToUpper(string(word)), bytes.Trim(arg, " ")
}

// greet handles EHLO and HELO.
func (d *dialogue) greet(verb string, arg []byte) {
	if !validHello(arg) {
		d.refuse(reasonMalformed)
		return
	}
	d.heloName = string(arg)
	d.chat()
	d.pass(verb, []byte(verb+" "+d.heloName))
}

// pass gives the inner server a command line.
func (d *dialogue) pass(verb string, line []byte) {
	if d.over {
		return
	}
	d.verb, d.answered, d.answer = verb, false, Reply{}
	d.feed = append(append(make([]byte, 0, len(line)+2), line...), "\r\n"...)
}

// reply decides what is said to the command that the inner server works on.
func (d *dialogue) reply(r Reply) { d.answered, d.answer = true, r }

// settle hears the inner server's answer to verb and gives ours.
func (d *dialogue) settle(code int, text []byte) {
	verb := d.verb
	switch code {
	case 334:
		d.exchange = true
		d.w.out = append(append(append(d.w.out, "334 "...), text...), "\r\n"...)
		return
	case 354:
		if verb == "DATA" {
			d.say(Reply{Code: 354, Text: "Go on, end with CRLF.CRLF"})
		}
		return
	}
	d.verb = ""
	switch {
	case verb == "": // its greeting: ours was said
	case code == 421: // it met a panic below, and closes
		d.say(reply(421, 3, 0, "Try again later"))
		d.over = true
	case d.answered:
		d.say(d.answer)
		if verb == "MAIL" {
			d.chat()
		}
	case code/100 == 2:
		d.accept(verb)
	default:
		d.refuse(innerReason(verb))
	}
	if verb == "AUTH" {
		d.exchange = false
		d.w.forget()
	}
}

// innerReason tells what the inner server can still find wrong with a command
// that was let through.
func innerReason(verb string) string {
	switch verb {
	case "MAIL", "RCPT":
		return reasonParamBad
	case "AUTH":
		return reasonSASL
	default:
		return reasonOrder
	}
}

// accept records what the inner server accepted and says so.
func (d *dialogue) accept(verb string) {
	switch verb {
	case "EHLO", "HELO":
		d.hello = true
		if d.visit != nil {
			d.visit.Hello(d.heloName)
		}
		d.introduce(verb == "EHLO", d.keywords()...)
	case "AUTH":
		d.loggedIn = true
		d.early = time.Time{}
		d.say(reply(235, 7, 0, "Logged in"))
	case "MAIL":
		d.open = true
		d.end = time.Now().Add(d.server.options.Deadlines.Transaction)
		d.early = time.Time{}
		d.say(reply(250, 1, 0, "Sender taken"))
	case "RCPT":
		d.recipients++
		d.say(reply(250, 1, 5, "Recipient taken"))
	case "RSET":
		d.say(reply(250, 0, 0, "Forgotten"))
		d.chat()
	case "QUIT":
		d.say(reply(221, 0, 0, "Goodbye"))
		d.over, d.parted = true, true
	}
}

// keywords are the extensions announced inside TLS.
func (d *dialogue) keywords() []string {
	k := d.server.keywords()
	if d.server.kind.logins() {
		k = append(k, "AUTH "+strings.Join(d.mechanisms(), " "))
	}
	return k
}

// hear tells the visit that the peer has its 250.
func (d *dialogue) hear() {
	if d.owed {
		d.owed = false
		d.visit.Heard()
	}
}
