package smtpd_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"testing"
	"time"
)

// The names in the tests' certificates and addresses.
const (
	doorHost = "mx.patient.mes.test"
	hospital = "hopital-a.mss.test"
	labo     = "labo-b.mss.test"
	patients = "patient.mes.test"
)

// pki is a small authority that signs the door's and the peers' certificates.
type pki struct {
	ca    *x509.Certificate
	key   *ecdsa.PrivateKey
	roots *x509.CertPool

	mu     sync.Mutex
	issued map[string]tls.Certificate
}

// authority returns the test binary's only authority: keys take time to make.
var authority = sync.OnceValue(func() *pki {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	p := &pki{ca: ca, key: key, roots: x509.NewCertPool(), issued: map[string]tls.Certificate{}}
	p.roots.AddCert(ca)
	return p
})

// certificate returns the certificate of a name, always the same.
func (p *pki) certificate(t testing.TB, name string) tls.Certificate {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.issued[name]; ok {
		return c
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(p.issued) + 2)), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{name, "localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, p.ca, key.Public(), p.key)
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	p.issued[name] = c
	return c
}

// server is the door's TLS configuration.
func (p *pki) server(t testing.TB) *tls.Config {
	t.Helper()
	return &tls.Config{Certificates: []tls.Certificate{p.certificate(t, doorHost)}, ClientAuth: tls.RequestClientCert}
}

// client is a peer's TLS configuration; without a name it has no certificate.
func (p *pki) client(t testing.TB, name string) *tls.Config {
	t.Helper()
	c := &tls.Config{RootCAs: p.roots, ServerName: doorHost}
	if name != "" {
		c.Certificates = []tls.Certificate{p.certificate(t, name)}
	}
	return c
}
