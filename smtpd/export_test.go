package smtpd

import (
	"context"
	"net"
	"time"
)

// Converse runs the dialogue inside TLS over a stream that is no TLS, for tests
// that feed octets directly. It must be called while Serve runs.
func (s *Server) Converse(ctx context.Context, raw net.Conn) {
	c := s.newConn(ctx, raw, remoteOf(raw))
	if c == nil {
		return
	}
	defer s.running.Done()
	defer c.conclude()
	c.early = time.Now().Add(s.options.Deadlines.Early)
	c.converse()
}

// Listed reports whether a reason id stands in the reply table.
func Listed(reason string) (Reply, bool) { return replyFor(reason) }

// ParseMail and ParseRcpt parse the arguments of MAIL and RCPT: the address as
// printed ("" for the null sender), or the reason to refuse.
func ParseMail(arg string) (address, reason string) {
	e, reason := parseMail(arg, true)
	return printed(e), reason
}

// ParseRcpt is ParseMail for RCPT.
func ParseRcpt(arg string) (address, reason string) {
	e, reason := parseRcpt(arg, true)
	return printed(e), reason
}

func printed(e envelope) string {
	if e.address.IsZero() {
		return ""
	}
	return e.address.String()
}
