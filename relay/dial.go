package relay

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/trust"
)

// Time-outs of a dialogue (RFC 5321 4.5.3.2, shortened: the peers are servers of
// a trust space, and the queue comes back).
const (
	dialTimeout    = 30 * time.Second
	commandTimeout = 2 * time.Minute
	finalTimeout   = 10 * time.Minute
)

// dial opens a session with a next hop that has proven itself for the domain.
func (r *Relay) dial(ctx context.Context, hop Hop, domain identity.Domain) (*smtp.Client, *hopConn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", hop.Addr)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Transient, "hop-unreachable", err)
	}
	// A dialogue that hangs before the client has taken over ends with ctx.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	secured, err := r.secure(ctx, conn, hop, domain)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	client := smtp.NewClient(secured)
	client.CommandTimeout, client.SubmissionTimeout = commandTimeout, finalTimeout
	if err := client.Hello(string(r.opts.Host)); err != nil {
		client.Close()
		return nil, nil, fault.Wrap(fault.Transient, fault.Reason(replyFault(err)), err) // nothing is final before MAIL
	}
	return client, secured, nil
}

// secure greets and starts TLS. go-smtp's own client says "EHLO localhost" before
// STARTTLS and cannot be told otherwise; operators check the name, so this part of
// the dialogue is ours and the client begins inside TLS.
func (r *Relay) secure(ctx context.Context, conn net.Conn, hop Hop, domain identity.Domain) (*hopConn, error) {
	// Replies are short: whoever sends more than this is no SMTP server.
	lines := bufio.NewReader(io.LimitReader(conn, 64<<10))
	text := textproto.NewReader(lines)
	if _, _, err := text.ReadResponse(220); err != nil {
		return nil, textFault(err)
	}
	say := func(want int, line string) (string, error) {
		if _, err := io.WriteString(conn, line+"\r\n"); err != nil {
			return "", fault.Wrap(fault.Transient, "hop-unreachable", err)
		}
		_, message, err := text.ReadResponse(want)
		return message, textFault(err)
	}
	offers, err := say(250, "EHLO "+string(r.opts.Host))
	if err != nil {
		return nil, err
	}
	if !offersTLS(offers) {
		return nil, fault.New(fault.Transient, "hop-without-tls") // spec mssante 1.11: queue, then bounce
	}
	if _, err := say(220, "STARTTLS"); err != nil {
		return nil, err
	}
	if lines.Buffered() > 0 { // RFC 3207 4.2: nothing said before TLS counts
		return nil, fault.New(fault.Transient, "hop-injects")
	}
	secured := tls.Client(conn, certs.ClientTLS(ctx, certs.Dial{
		Own: r.Certificate(), Host: hop.Host, Checker: r.Checker, Clock: r.opts.Clock,
		Allowed: func(dn identity.DN) error { return trust.HostAllowed(r.Trust(), dn, domain) },
	}))
	if err := secured.HandshakeContext(ctx); err != nil {
		if reason := fault.Reason(err); reason != "internal" {
			return nil, fault.Wrap(fault.Transient, reason, err)
		}
		return nil, fault.Wrap(fault.Transient, "hop-tls", err)
	}
	return &hopConn{Conn: secured, greeting: strings.NewReader("220 " + hop.Host + "\r\n")}, nil
}

func offersTLS(ehlo string) bool {
	for line := range strings.SplitSeq(ehlo, "\n") {
		if strings.EqualFold(strings.TrimSpace(line), "STARTTLS") {
			return true
		}
	}
	return false
}

// replyFault turns a reply of the next hop into a fault: 5xx is final.
func replyFault(err error) error {
	if err == nil {
		return nil
	}
	if reply, ok := errors.AsType[*smtp.SMTPError](err); ok {
		if reply.Code >= 500 && reply.Code < 600 {
			return fault.Wrap(fault.Denied, "hop-refused", err)
		}
		return fault.Wrap(fault.Transient, "hop-deferred", err)
	}
	if _, ok := errors.AsType[*fault.Error](err); ok { // our own: the body that we send cannot be read
		return fault.Wrap(fault.Transient, fault.Reason(err), err)
	}
	return fault.Wrap(fault.Transient, "hop-broke-off", err)
}

// textFault does the same for the part before TLS, where nothing is final.
func textFault(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*textproto.Error](err); ok {
		return fault.Wrap(fault.Transient, "hop-deferred", err)
	}
	return fault.Wrap(fault.Transient, "hop-broke-off", fmt.Errorf("before TLS: %w", err))
}
