package certs_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// handshake joins a server and a client over loopback and returns what the
// server saw, with the errors of both sides.
func handshake(t *testing.T, server, client *tls.Config) (seen tls.ConnectionState, serverErr, clientErr error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		raw, err := listener.Accept()
		if err != nil {
			done <- err
			return
		}
		defer raw.Close()
		conn := tls.Server(raw, server)
		err = conn.HandshakeContext(ctx)
		if err == nil {
			// The first octet of the client ends its side of a TLS 1.3 handshake.
			_, err = conn.Read(make([]byte, 1))
		}
		seen = conn.ConnectionState()
		done <- err
	}()
	raw, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(raw, client)
	clientErr = conn.HandshakeContext(ctx)
	if clientErr == nil {
		_, clientErr = conn.Write([]byte("x"))
	}
	serverErr = <-done
	raw.Close()
	return seen, serverErr, clientErr
}

// auditCase is a row of the operators' conformance tests (spec mssante 1.10;
// ECO.1.1.4, ECO.1.1.5, ECO.1.1.6), less the peer without TLS, who is the door's
// business.
type auditCase struct {
	name   string
	pair   certs.Pair // zero: none
	reason string
}

func (w *world) auditCases(listed string) []auditCase {
	w.t.Helper()
	valid := w.enrol(operator(listed))
	expired := operator(listed)
	expired.NotBefore, expired.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	early := operator(listed)
	early.NotBefore, early.NotAfter = time.Now().Add(24*time.Hour), time.Now().Add(48*time.Hour)
	revoked := w.enrol(operator(listed))
	if err := w.authority.Revoke(revoked.Leaf.SerialNumber, certs.CessationOfOperation); err != nil {
		w.t.Fatal(err)
	}
	w.refresh()
	otherDN := operator("autre.chu.example")
	otherDN.DNS = append(otherDN.DNS, listed)
	return []auditCase{
		{"cert-valide", valid, ""},
		{"cert-expire", w.enrol(expired), "certificate-expired"},
		{"not yet valid", w.enrol(early), "certificate-not-yet-valid"},
		{"cert-revoque", revoked, "certificate-revoked"},
		{"cert-non-igc", stranger(w.t).enrol(operator(listed)), "certificate-untrusted"},
		{"self-signed with IGC-SANTE in its issuer's name", w.impostor(listed), "certificate-untrusted"},
		{"cert-cn-diff-dn", w.enrol(otherDN), "not-listed"},
		{"cert-no-match", w.enrol(operator("ailleurs.example")), "certificate-wrong-name"},
		{"none", certs.Pair{}, "certificate-missing"},
	}
}

// impostor is self-signed by a key of its own under the issuing authority's name.
func (w *world) impostor(host string) certs.Pair {
	key := newKey(w.t)
	parent := *w.authority.Organisations()
	parent.PublicKey = key.Public()
	return certs.Pair{Leaf: forge(w.t, template(host), key.Public(), &parent, key), Key: key}
}

// listed is the trust space of these tests: one subject.
func listed(want identity.DN) func(identity.DN) error {
	return func(dn identity.DN) error {
		if !dn.Equal(want) {
			return fault.New(fault.Denied, "not-listed")
		}
		return nil
	}
}

// TestAuditMatrixAtTheMX: the peer calls us; a door would run these two lines
// after the handshake, which itself succeeds so that the refusal has words.
func TestAuditMatrixAtTheMX(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const host = "smtp.chu.example"
	own := w.enrol(operator("mx.ville.example"))
	cases := w.auditCases(host)
	dn, err := cases[0].pair.DN()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		client := &tls.Config{InsecureSkipVerify: true}
		if c.pair.Leaf != nil {
			client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				pair := c.pair.TLS()
				return &pair, nil
			}
		}
		state, serverErr, clientErr := handshake(t, certs.PeerServerTLS(own.TLS()), client)
		if serverErr != nil || clientErr != nil {
			t.Errorf("%s: handshake: %v, %v", c.name, serverErr, clientErr)
			continue
		}
		verdict, err := w.checker.Check(t.Context(), state.PeerCertificates, certs.AsPeer, time.Now())
		if err == nil {
			err = listed(dn)(verdict.DN)
		}
		want := c.reason
		if want == "certificate-wrong-name" {
			want = "not-listed" // a caller has no host name to match: its DN decides
		}
		if got := reasonOf(err); got != want {
			t.Errorf("%s: got %q, want %q", c.name, got, want)
		}
	}
}

// TestAuditMatrixOfTheRelay: we call the peer; the handshake itself refuses.
func TestAuditMatrixOfTheRelay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const host = "mx.chu.example"
	own := w.enrol(operator("smtp.ville.example"))
	cases := w.auditCases(host)
	dn, err := cases[0].pair.DN()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.pair.Leaf == nil {
			continue // a server always shows one
		}
		client := certs.ClientTLS(t.Context(), certs.Dial{Own: own.TLS(), Host: host, Checker: w.checker, Allowed: listed(dn)})
		server := certs.PeerServerTLS(c.pair.TLS())
		server.CipherSuites = nil // the impostor has an ECDSA key
		state, _, err := handshake(t, server, client)
		if got := reasonOf(err); got != c.reason {
			t.Errorf("%s: got %q (%v), want %q", c.name, got, err, c.reason)
		}
		if c.reason == "" && (len(state.PeerCertificates) == 0 || !state.PeerCertificates[0].Equal(own.Leaf)) {
			t.Errorf("%s: our own certificate was not shown", c.name)
		}
	}
}

func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.Reason(err)
}

func TestClientTLSNeedsAllItsParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pair := w.enrol(operator("mx.chu.example"))
	client := certs.ClientTLS(t.Context(), certs.Dial{Own: pair.TLS(), Host: "mx.chu.example", Checker: w.checker})
	if _, _, err := handshake(t, certs.PeerServerTLS(pair.TLS()), client); err == nil {
		t.Error("connected without a decision on the subject")
	}
}

// TestVersionsAndSuites holds ECO.1.1.2 and ECO.1.1.3, and refuses what is below.
func TestVersionsAndSuites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pair := w.enrol(operator("mx.chu.example"))
	peer, user := certs.PeerServerTLS(pair.TLS()), certs.UserServerTLS(pair.TLS(), nil)
	suites := func(version uint16, ids ...uint16) *tls.Config {
		return &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: version, CipherSuites: ids}
	}
	for _, c := range []struct {
		name       string
		client     *tls.Config
		peer, user bool
	}{
		{"TLS 1.3", suites(tls.VersionTLS13), true, true},
		{"0xC030", suites(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384), true, true},
		{"0xC02F", suites(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), true, true},
		{"ChaCha20", suites(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256), false, true},
		{"CBC with SHA-1", suites(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA), false, false},
		{"no forward secrecy", suites(tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_GCM_SHA256), false, false},
		{"TLS 1.1", suites(tls.VersionTLS11), false, false},
		{"TLS 1.0", suites(tls.VersionTLS10), false, false},
	} {
		for _, s := range []struct {
			name   string
			server *tls.Config
			want   bool
		}{{"peer", peer, c.peer}, {"user", user, c.user}} {
			_, serverErr, clientErr := handshake(t, s.server, c.client)
			if got := serverErr == nil && clientErr == nil; got != s.want {
				t.Errorf("%s on %s listener: got %v (%v, %v), want %v", c.name, s.name, got, serverErr, clientErr, s.want)
			}
		}
	}
}

// TestNoSessionIsResumed: a ticket made before a revocation must not carry the
// peer past it.
func TestNoSessionIsResumed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own, peer := w.enrol(operator("mx.ville.example")), w.enrol(operator("smtp.chu.example"))
	server := certs.PeerServerTLS(own.TLS())
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client := &tls.Config{
			InsecureSkipVerify: true, ServerName: "mx.ville.example", MaxVersion: version,
			Certificates: []tls.Certificate{peer.TLS()}, ClientSessionCache: tls.NewLRUClientSessionCache(4),
		}
		for range 2 {
			state, serverErr, clientErr := handshake(t, server, client)
			if serverErr != nil || clientErr != nil {
				t.Fatal(serverErr, clientErr)
			}
			if state.DidResume || len(state.PeerCertificates) == 0 {
				t.Errorf("version %x: resumed", version)
			}
		}
	}
}

func TestUserListenerNamesTheIssuers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own, box := w.enrol(operator("imap.chu.example")), w.enrol(person("Docteur Un"))
	named := 0
	client := &tls.Config{
		InsecureSkipVerify: true,
		GetClientCertificate: func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			named = len(r.AcceptableCAs)
			pair := box.TLS()
			return &pair, r.SupportsCertificate(&pair)
		},
	}
	server := certs.UserServerTLS(own.TLS(), []*x509.Certificate{w.authority.Organisations()})
	state, serverErr, clientErr := handshake(t, server, client)
	if serverErr != nil || clientErr != nil || named != 1 {
		t.Fatalf("%v, %v, %d issuers named", serverErr, clientErr, named)
	}
	verdict, err := w.checker.Check(t.Context(), state.PeerCertificates, certs.AsClient, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if cn, _ := verdict.DN.Attribute("CN"); cn != "Docteur Un" {
		t.Errorf("subject %q", cn)
	}
}
