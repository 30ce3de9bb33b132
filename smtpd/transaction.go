package smtpd

import (
	"log/slog"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
)

// mail handles MAIL FROM.
func (d *dialogue) mail(arg []byte) {
	switch {
	case !d.hello, d.open:
		// RFC 5321 4.1.4: a second MAIL is 503 and leaves the first as it was.
		d.refuse(reasonOrder)
		return
	case d.server.kind.logins() && !d.loggedIn:
		d.refuse(reasonLoginFirst)
		return
	case d.arrival != nil:
		d.turnAway()
		return
	}
	e, reason := parseMail(string(arg), d.server.kind.logins())
	switch {
	case reason != "":
		d.refuse(reason)
	case e.size > d.server.options.MaxSize:
		d.decline(reasonTooLarge) // RFC 1870 6.1: at once
	default:
		d.path, d.utf8 = e.address, e.utf8
		d.pass("MAIL", append([]byte("MAIL "), arg...))
	}
}

// rcpt handles RCPT TO.
func (d *dialogue) rcpt(arg []byte) {
	switch {
	case !d.open:
		d.refuse(reasonOrder)
		return
	case d.recipients >= d.server.options.Limits.Recipients:
		d.decline(reasonRecipients)
		return
	}
	line := append([]byte("RCPT "), arg...)
	if to, rest, bare := cutPostmaster(string(arg)); bare && !d.server.options.Postmaster.IsZero() {
		line = []byte("RCPT " + to + d.server.options.Postmaster.String() + rest)
	}
	e, reason := parseRcpt(string(line[len("RCPT "):]), d.utf8)
	if reason != "" {
		d.decline(reason) // a person may mistype many; the transaction has its budget
		return
	}
	d.path = e.address
	d.pass("RCPT", line)
}

// cutPostmaster recognises the one recipient that needs no domain (RFC 5321 4.5.1)
// and returns what stands around its name.
func cutPostmaster(arg string) (before, after string, ok bool) {
	const name = "<Postmaster>"
	i := strings.IndexByte(arg, '<')
	if i < 0 || len(arg) < i+len(name) || !strings.EqualFold(arg[i:i+len(name)], name) {
		return "", "", false
	}
	return arg[:i+1], arg[i+len(name)-1:], true
}

// data handles DATA.
func (d *dialogue) data(arg []byte) {
	switch {
	case d.w.talks(0):
		// RFC 2920 3.1: DATA is the last command of a group. What follows it unasked
		// would be content if DATA is accepted, and commands if not.
		d.stop(reasonPipelining)
	case len(arg) > 0:
		d.refuse(reasonMalformed)
	case !d.open, d.recipients == 0:
		d.refuse(reasonOrder)
	default:
		d.first = nil
		d.pass("DATA", []byte("DATA"))
	}
}

// receive gives the visit the content and decides the reply to its end. The inner
// server then reads a final dot of ours: it knows the content only by its end.
func (d *dialogue) receive() error {
	c := d.newContent(d.first)
	d.leash.work(true)
	defer d.leash.work(false)
	d.reading = true
	err := d.visit.Data(d.ctx, c)
	d.reading = false
	d.tell()
	if err == nil && c.err == nil {
		err = fault.New(fault.Internal, "content-not-read")
	}
	large := c.reason == reasonTooLarge
	c.drain()
	d.feed = []byte(".\r\n")

	switch {
	case c.reason == reasonAborted:
		d.reply(Reply{}) // the command that ended the series gets one
		return c.err
	case c.failed():
		d.stop(c.reason)
		d.reply(Reply{})
		return c.err
	case large:
		d.note(reasonTooLarge)
		d.reply(refusal(reasonTooLarge))
		return fault.New(fault.Invalid, reasonTooLarge)
	case err != nil:
		return d.fail(err)
	}
	d.letters++
	d.chatter = 0
	// A command that is already here was sent before our 250, and proves nothing.
	d.owed = !d.w.pressed()
	d.reply(reply(250, 0, 0, "Letter kept"))
	return nil
}

// fail decides the reply to a fault of the visit, and logs its cause if it is ours.
func (d *dialogue) fail(err error) error {
	d.logCause(err)
	d.reply(ReplyTo(err))
	return err
}

// logCause logs what a peer is not told.
func (c *conn) logCause(err error) {
	switch fault.KindOf(err) {
	case fault.Internal, fault.Transient, fault.Conflict:
		c.log.Error("smtp.visit-failed", slog.String("reason", fault.Reason(err)), slog.Any("err", err))
	}
}
