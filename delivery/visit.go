package delivery

import (
	"context"
	"crypto/tls"
	"io"
	"net/netip"

	"github.com/vaguemestre/vaguemestre/identity"
)

// Counter is where an SMTP door brings its callers: the trust-space MX has one,
// submission another.
type Counter interface {
	// Arrive opens a visit for a connection whose TLS handshake is done. A caller
	// who may not come in (no certificate, revoked, unknown DN) is refused here
	// with a fault; the door answers it at the first command that asks for
	// something (MAIL, AUTH).
	Arrive(ctx context.Context, c Caller) (Visit, error)
}

// Caller is what is known of a connection before its first command.
type Caller struct {
	// Conn names the connection in logs and traces.
	Conn string
	// Remote is the peer's address.
	Remote netip.AddrPort
	// Local is the door's own name, as it greets (a host name).
	Local string
	// TLS is the finished handshake.
	TLS tls.ConnectionState
}

// Visit is one caller's connection. Its methods are called one at a time, in the
// order of the SMTP dialogue; every refusal is a fault with a reason id, and the
// door alone turns it into a reply.
type Visit interface {
	// Hello records the name given in EHLO or HELO. It never refuses.
	Hello(name string)
	// Login proves who submits; the MX refuses it with fault.Denied "login-not-here".
	Login(ctx context.Context, c Credentials) error
	// Mail begins a transaction. A zero from is the null sender.
	Mail(ctx context.Context, from identity.Address, o MailOptions) error
	// Rcpt adds a recipient.
	Rcpt(ctx context.Context, to identity.Address, o RcptOptions) error
	// Data takes the message, without dot-stuffing and without the final dot, and
	// returns nil only when it is durable. It may return before r is drained only
	// with an error. An error of r itself means that the peer is gone or broke the
	// framing: nothing is kept.
	Data(ctx context.Context, r io.Reader) error
	// Reset forgets the transaction.
	Reset()
	// Heard says that the caller sent a further command after a final dot: it has
	// its 250, so a later identical letter is a new one.
	Heard()
	// Refused notes that the door itself refused something, by reason id; one
	// audit leaf per visit tells which, and how often.
	Refused(reason string)
	// Close ends the visit.
	Close()
}

// Credentials are what a caller says of itself in AUTH; the certificate, if any,
// is in Caller.TLS.
type Credentials struct {
	// Mechanism is "EXTERNAL", "PLAIN" or "LOGIN".
	Mechanism string
	// Authzid is the identity to act as; empty means the authenticated one.
	Authzid string
	// Authcid is the user name of PLAIN and LOGIN: a box address.
	Authcid string
	// Password is an app password; empty for EXTERNAL.
	Password string
}

// MailOptions are the parameters of MAIL FROM.
type MailOptions struct {
	// Size is the announced size in octets, 0 if none (RFC 1870).
	Size int64
	// UTF8 says that SMTPUTF8 was given (RFC 6531).
	UTF8 bool
	// EightBit says that BODY=8BITMIME was given (RFC 6152).
	EightBit bool
	// Ret is "FULL", "HDRS" or empty (RFC 3461 4.3).
	Ret string
	// EnvelopeID is ENVID decoded from xtext, empty if none (RFC 3461 4.4).
	EnvelopeID string
}

// RcptOptions are the parameters of RCPT TO.
type RcptOptions struct {
	// Notify holds NEVER, or any of SUCCESS, FAILURE and DELAY; empty if not given (RFC 3461 4.1).
	Notify []string
	// OriginalType and Original are ORCPT, decoded (RFC 3461 4.2).
	OriginalType, Original string
}
