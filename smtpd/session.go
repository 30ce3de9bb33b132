package smtpd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"unicode"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/vaguemestre/vaguemestre/delivery"
)

// newInner returns go-smtp's server as the dialogues use it: without TLS, limits
// or deadlines, which stand above it.
func (s *Server) newInner() *smtp.Server {
	inner := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		d, ok := c.Conn().(*dialogue)
		if !ok {
			return nil, errors.New("not a dialogue")
		}
		return &session{d: d}, nil
	}))
	inner.Domain = s.host
	inner.AllowInsecureAuth = true
	inner.MaxLineLength = 0
	inner.EnableSMTPUTF8 = true
	inner.EnableDSN = true
	inner.ErrorLog = panicLog{s}
	return inner
}

// errDecided is given to the inner server for a command whose reply is decided.
// It never reaches the peer.
var errDecided = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 0, 0}, Message: "decided"}

// session is the inner server's view of a visit.
type session struct{ d *dialogue }

var _ smtp.AuthSession = (*session)(nil)

// decided hides an error whose reply the dialogue holds.
func decided(err error) error {
	if err != nil {
		return errDecided
	}
	return nil
}

// Mail begins a transaction. The address is the one that the dialogue parsed.
func (s *session) Mail(_ string, o *smtp.MailOptions) error {
	d := s.d
	err := d.visit.Mail(d.ctx, d.path, delivery.MailOptions{
		Size:       o.Size,
		UTF8:       o.UTF8,
		EightBit:   o.Body == smtp.Body8BitMIME,
		Ret:        string(o.Return),
		EnvelopeID: o.EnvelopeID,
	})
	if err != nil {
		err = d.fail(err)
	}
	return decided(err)
}

// Rcpt adds a recipient.
func (s *session) Rcpt(_ string, o *smtp.RcptOptions) error {
	d := s.d
	if strings.ContainsFunc(o.OriginalRecipient, unicode.IsControl) {
		// xtext can hide a line end; it would come out in a report's fields.
		d.note(reasonParamBad)
		d.reply(refusal(reasonParamBad))
		return errDecided
	}
	options := delivery.RcptOptions{
		OriginalType: string(o.OriginalRecipientType),
		Original:     o.OriginalRecipient,
	}
	for _, n := range o.Notify {
		options.Notify = append(options.Notify, string(n))
	}
	err := d.visit.Rcpt(d.ctx, d.path, options)
	if err != nil {
		err = d.fail(err)
	}
	return decided(err)
}

// Data takes the content from the wire; the reader it is given holds only the end.
func (s *session) Data(io.Reader) error { return decided(s.d.receive()) }

// Reset forgets the transaction.
func (s *session) Reset() {
	d := s.d
	if d.open {
		d.transaction = transaction{}
		d.visit.Reset()
	}
}

// Logout does nothing: the front closes the visit.
func (s *session) Logout() error { return nil }

// AuthMechanisms are announced by the dialogue itself.
func (s *session) AuthMechanisms() []string { return nil }

// Auth begins a login.
func (s *session) Auth(mechanism string) (sasl.Server, error) { return s.d.saslServer(mechanism) }

// panicLog takes what the inner server has to say of itself: panics below it.
type panicLog struct{ s *Server }

// Printf logs the arguments, but for the peer's address.
func (l panicLog) Printf(_ string, v ...any) {
	what := make([]string, 0, len(v))
	for _, a := range v {
		if _, ok := a.(net.Addr); !ok {
			what = append(what, fmt.Sprintf("%s", a))
		}
	}
	l.s.log.Error("smtp.inner", slog.String("what", strings.Join(what, ": ")))
}

// Println logs the arguments.
func (l panicLog) Println(v ...any) { l.Printf("", v...) }

// inlet is the listener of the inner server: the front hands it dialogues.
type inlet struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newInlet() *inlet {
	return &inlet{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Accept waits for a dialogue.
func (l *inlet) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (l *inlet) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr names nothing real.
func (l *inlet) Addr() net.Addr { return &net.UnixAddr{Name: "inlet", Net: "unix"} }

// hand gives the inner server a dialogue and waits for its end.
func (l *inlet) hand(ctx context.Context, d *dialogue) {
	select {
	case l.conns <- d:
		<-d.done
	case <-l.done:
	case <-ctx.Done():
	}
}
