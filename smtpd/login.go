package smtpd

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/emersion/go-sasl"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
)

// mechanisms are those of AUTH for this caller: EXTERNAL needs a client certificate.
func (d *dialogue) mechanisms() []string {
	if len(d.caller.TLS.PeerCertificates) == 0 {
		return []string{"PLAIN", "LOGIN"}
	}
	return []string{"EXTERNAL", "PLAIN", "LOGIN"}
}

// auth handles AUTH (RFC 4954 4).
func (d *dialogue) auth(arg []byte) {
	mechanism, initial, given := bytes.Cut(arg, []byte(" "))
	switch {
	case !d.server.kind.logins():
		d.refuse(reasonLoginNotHere)
	case !d.hello, d.open:
		d.refuse(reasonOrder)
	case d.loggedIn:
		d.refuse(reasonLoginAgain)
	case len(mechanism) == 0:
		d.refuse(reasonMalformed)
	case d.arrival != nil:
		d.turnAway()
	case !d.offered(string(mechanism)):
		d.refuse(reasonLoginMechanism)
	case given && !validResponse(initial):
		d.refuse(reasonSASL)
	default:
		d.pass("AUTH", append([]byte("AUTH "), arg...))
	}
}

// offered reports whether a mechanism is one of ours.
func (d *dialogue) offered(mechanism string) bool {
	for _, m := range d.mechanisms() {
		if strings.EqualFold(m, mechanism) {
			return true
		}
	}
	return false
}

// respond handles a line of an AUTH exchange: base64, or "*" to cancel it.
func (d *dialogue) respond(line []byte) {
	switch {
	case len(line) == 1 && line[0] == '*':
		d.pass("AUTH", line)
		d.note(reasonSASLCancelled)
		d.reply(refusal(reasonSASLCancelled))
	case len(line) > 0 && !validResponse(line):
		// The inner server has other words for it: let it cancel.
		d.blame()
		d.pass("AUTH", []byte("*"))
		d.note(reasonSASL)
		d.reply(refusal(reasonSASL))
	default:
		d.pass("AUTH", line)
	}
}

// validResponse reports whether b is base64, or the "=" that stands for nothing.
func validResponse(b []byte) bool {
	if len(b) == 1 && b[0] == '=' {
		return true
	}
	_, err := base64.StdEncoding.Strict().Decode(make([]byte, base64.StdEncoding.DecodedLen(len(b))), b)
	return err == nil && len(b) > 0
}

// saslServer returns our side of a mechanism.
func (d *dialogue) saslServer(mechanism string) (sasl.Server, error) {
	switch mechanism {
	case "EXTERNAL":
		return sasl.NewExternalServer(func(authzid string) error {
			return d.login(delivery.Credentials{Mechanism: mechanism, Authzid: authzid})
		}), nil
	case "PLAIN":
		return sasl.NewPlainServer(func(authzid, authcid, password string) error {
			return d.login(delivery.Credentials{Mechanism: mechanism, Authzid: authzid, Authcid: authcid, Password: password})
		}), nil
	case "LOGIN":
		return &loginServer{check: func(authcid, password string) error {
			return d.login(delivery.Credentials{Mechanism: mechanism, Authcid: authcid, Password: password})
		}}, nil
	}
	return nil, errors.New("unknown mechanism")
}

// login asks the visit and decides the reply to a failure. Every refusal reads the
// same and takes at least the same time, whatever was wrong: the name, the
// password, or the right to log in this way.
func (d *dialogue) login(c delivery.Credentials) error {
	begun := time.Now()
	err := d.visit.Login(d.ctx, c)
	if err == nil {
		return nil
	}
	d.logCause(err)
	d.failures++
	d.wait(time.Until(begun.Add(d.server.options.Deadlines.Login)))
	switch fault.KindOf(err) {
	case fault.Invalid, fault.NotFound, fault.Denied:
		d.reply(refusal(reasonLoginFailed))
	default:
		d.reply(refusal(reasonLoginDown))
	}
	if d.failures >= d.server.options.Limits.Logins {
		d.stop(reasonLogins)
		d.reply(Reply{})
	}
	return err
}

// wait lets time pass, unless the server closes.
func (c *conn) wait(pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.server.closing:
	}
}

// loginServer is the server side of the LOGIN mechanism (draft-murchison-sasl-login):
// a user name, then a password, each asked for. The library has its client side only.
type loginServer struct {
	check    func(authcid, password string) error
	authcid  string
	gotLogin bool
}

// Next implements sasl.Server.
func (s *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case response == nil:
		return []byte("Username:"), false, nil
	case !s.gotLogin:
		s.authcid, s.gotLogin = string(response), true
		return []byte("Password:"), false, nil
	default:
		return nil, true, s.check(s.authcid, string(response))
	}
}
