package smtpd

import (
	"context"
	"log/slog"
	"time"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/identity"
)

// Kind says which of the three SMTP entrances a server is.
type Kind uint8

const (
	// MX is operator to operator: port 25, STARTTLS and a client certificate (spec mssante 2.8).
	MX Kind = iota
	// Submission is port 587: STARTTLS, then AUTH (RFC 6409).
	Submission
	// Submissions is port 465: TLS from the first octet, then AUTH (RFC 8314 3.3).
	Submissions
)

// String returns "mx", "submission" or "submissions".
func (k Kind) String() string {
	switch k {
	case MX:
		return "mx"
	case Submission:
		return "submission"
	default:
		return "submissions"
	}
}

// logins says whether AUTH exists at this entrance.
func (k Kind) logins() bool { return k != MX }

// Options are what a server may be told; the zero value is safe.
type Options struct {
	// Logger gets one event per connection and the causes of our own failures.
	Logger *slog.Logger
	// Refused is called once, at its end, for a connection that was refused
	// something and never had a Visit, so that it leaves a trace too. Connections
	// turned away by a limit are gathered: one summary per peer when its last
	// connection ends, one (without a Remote) for those who had none.
	Refused func(ctx context.Context, s Summary)
	// Postmaster gets what is sent to <Postmaster> without a domain (RFC 5321 4.5.1); zero refuses it.
	Postmaster identity.Address
	// MaxSize is the largest letter in octets, announced as SIZE; default 25,000,000, at most 4 GiB - 1.
	MaxSize int64
	// Limits and Deadlines default field by field.
	Limits    Limits
	Deadlines Deadlines
}

// Limits are counts.
type Limits struct {
	// Recipients of one transaction; default 100 (RFC 5321 4.5.3.1.8).
	Recipients int
	// Errors are bad commands of one connection before it ends; default 10.
	Errors int
	// Chatter are commands that lead to no letter (NOOP, RSET, EHLO, VRFY) since
	// the last one, before the connection ends; default 100.
	Chatter int
	// Logins are failed logins of one connection before it ends; default 3.
	Logins int
	// Connections at one time; default 1024.
	Connections int
	// PerPeer are connections of one remote address (of one /64 in IPv6); default 64.
	PerPeer int
}

// Deadlines are the longest waits.
type Deadlines struct {
	// Early ends a connection that has not begun a transaction (MX) or logged in
	// (submission), counted from its first moment; default 60 s.
	Early time.Duration
	// Handshake is for TLS; default 30 s.
	Handshake time.Duration
	// Command is for the next command line; default 5 min (RFC 5321 4.5.3.2.7).
	Command time.Duration
	// Content is for the next octets of a letter; default 60 s.
	Content time.Duration
	// Grace is the time spent waiting for a letter's octets that needs no Rate; default 30 s.
	Grace time.Duration
	// Rate is the least number of octets per second after Grace; default 1024.
	Rate int64
	// Transaction is from MAIL to the end of the content; default 30 min.
	Transaction time.Duration
	// Write is for the peer to take what we say; default 30 s.
	Write time.Duration
	// Login is the least time before a failed login is answered, so that neither
	// cause shows and guessing is slow; default 250 ms.
	Login time.Duration
}

// Summary tells what the door refused to one connection, or the connections that
// it turned away from one peer.
type Summary struct {
	// Kind is the entrance.
	Kind Kind
	// Caller is what is known of the connection; its TLS is zero if there was no handshake.
	Caller delivery.Caller
	// Reasons counts refusals by reason id.
	Reasons map[string]int
}

// withDefaults fills what is zero.
func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Refused == nil {
		o.Refused = func(context.Context, Summary) {}
	}
	// Spec mssante 6.7: 25 MB, encoded, is the ceiling of the patients' operator.
	o.MaxSize = min(orDefault(o.MaxSize, 25_000_000), 1<<32-1)

	l := &o.Limits
	l.Recipients = orDefault(l.Recipients, 100)
	l.Errors = orDefault(l.Errors, 10)
	l.Chatter = orDefault(l.Chatter, 100)
	l.Logins = orDefault(l.Logins, 3)
	l.Connections = orDefault(l.Connections, 1024)
	l.PerPeer = orDefault(l.PerPeer, 64)

	d := &o.Deadlines
	d.Early = orDefault(d.Early, time.Minute)
	d.Handshake = orDefault(d.Handshake, 30*time.Second)
	d.Command = orDefault(d.Command, 5*time.Minute)
	d.Content = orDefault(d.Content, time.Minute)
	d.Grace = orDefault(d.Grace, 30*time.Second)
	d.Rate = orDefault(d.Rate, 1024)
	d.Transaction = orDefault(d.Transaction, 30*time.Minute)
	d.Write = orDefault(d.Write, 30*time.Second)
	d.Login = orDefault(d.Login, 250*time.Millisecond)
	return o
}

// orDefault returns v, or def when v is not positive.
func orDefault[T int | int64 | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}
