package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// peerSuites are the suites of TLS 1.2 between operators: of the four of
// ECO.1.1.3 (0xC030, 0xC02F, 0xC028, 0xC027), the two with GCM, which is "one of"
// them (spec mssante 2.6).
func peerSuites() []uint16 {
	return []uint16{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
}

// userSuites are the suites of TLS 1.2 towards people and machines: ANSSI TLS
// guide v1.2, authenticated encryption only.
func userSuites() []uint16 {
	return append(peerSuites(),
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256)
}

// base is what every configuration has in common: TLS 1.2 and up (ECO.1.1.2),
// curves of the ANSSI TLS guide v1.2. Tickets are off: a session that was resumed would outlive
// a revocation (spec security 2.6).
func base(own tls.Certificate, suites []uint16) *tls.Config {
	return &tls.Config{
		Certificates:           []tls.Certificate{own},
		MinVersion:             tls.VersionTLS12,
		CipherSuites:           suites,
		CurvePreferences:       []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384},
		SessionTicketsDisabled: true,
	}
}

// PeerServerTLS returns the configuration of the listener for operators, the MX.
// It asks for a client certificate and takes any, or none: the door judges what
// came with [Checker.Check], as AsPeer, so that a refusal is an SMTP reply with a
// reason and not a broken handshake.
func PeerServerTLS(own tls.Certificate) *tls.Config {
	c := base(own, peerSuites())
	c.ClientAuth = tls.RequestClientCert
	return c
}

// UserServerTLS returns the configuration of a listener for people and machines:
// submission, IMAP, HTTPS. When issuers are given it asks for a client
// certificate and names them, so that a mail client offers the right one; the
// door judges it with [Checker.Check], as AsClient. Without issuers it asks for
// none.
func UserServerTLS(own tls.Certificate, issuers []*x509.Certificate) *tls.Config {
	c := base(own, userSuites())
	if len(issuers) > 0 {
		c.ClientAuth = tls.RequestClientCert
		c.ClientCAs = x509.NewCertPool()
		for _, i := range issuers {
			c.ClientCAs.AddCert(i)
		}
	}
	return c
}

// Dial describes one outgoing connection to another operator's MX. All fields
// but Clock are required.
type Dial struct {
	// Own is the certificate that we show.
	Own tls.Certificate
	// Host is the name that the server's certificate must hold: the MX's name, or
	// an IP address where the configuration names one.
	Host string
	// Checker judges the server's certificate.
	Checker *Checker
	// Allowed decides on the server's subject: is it listed for the domain that the
	// letter goes to?
	Allowed func(dn identity.DN) error
	// Clock tells the time; time.Now when nil.
	Clock func() time.Time
}

// ClientTLS returns the configuration of one outgoing connection. The handshake
// fails with a fault of the Checker's, with fault.Denied, reason
// "certificate-wrong-name", or with what Allowed returned; take it out of the
// handshake's error with [fault.Reason].
func ClientTLS(ctx context.Context, d Dial) *tls.Config {
	clock := d.Clock
	if clock == nil {
		clock = time.Now
	}
	c := base(d.Own, peerSuites())
	c.ServerName = d.Host
	// The standard verification is replaced, not left out: VerifyConnection runs on
	// every handshake and checks more (pinned issuers, usage, revocation, subject).
	c.InsecureSkipVerify = true
	c.VerifyConnection = func(s tls.ConnectionState) error { return d.verify(ctx, s, clock()) }
	return c
}

// verify judges the server of one handshake.
func (d Dial) verify(ctx context.Context, s tls.ConnectionState, now time.Time) error {
	if d.Checker == nil || d.Allowed == nil || d.Host == "" {
		return errors.New("certs: Dial is incomplete")
	}
	verdict, err := d.Checker.Check(ctx, s.PeerCertificates, AsServer, now)
	if err != nil {
		return err
	}
	if err := verdict.Leaf.VerifyHostname(d.Host); err != nil {
		return fault.Wrap(fault.Denied, "certificate-wrong-name", err)
	}
	return d.Allowed(verdict.DN)
}
