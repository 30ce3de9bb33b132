package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Subject is what IGC-Santé writes into the subject of an organisation's
// certificate, in this order (spec mssante 2.4).
type Subject struct {
	// Department is ST: "Paris (75)".
	Department string
	// Organisation is O.
	Organisation string
	// Structure is OU: "1" and a FINESS of 9 characters, or "3" and a SIRET of 14 digits.
	Structure string
	// Name is CN: a host, an application or a person.
	Name string
}

// Request asks the sandbox authority for a certificate.
type Request struct {
	Profile Profile
	Subject Subject
	// DNS and IPs are the names of a server; its CN must be among DNS.
	DNS []string
	IPs []net.IP
	// Email stands in a stamp's subjectAltName (spec mssante 1.5); optional.
	Email string
	// NotBefore and NotAfter bound the validity; zero means now and LeafValidity
	// later. A past NotAfter gives an expired certificate, for tests.
	NotBefore, NotAfter time.Time
}

// Issue signs a certificate for a public key. The certificate is linted first:
// one that is off its profile fails with fault.Invalid, reason
// "certificate-off-profile", and is never signed.
func (a *Authority) Issue(r Request, public crypto.PublicKey) (*x509.Certificate, error) {
	template, err := a.template(r)
	if err != nil {
		return nil, err
	}
	if err := lint(template, public, a.organisations.cert, r.Profile); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.organisations.cert, public, a.organisations.key)
	if err != nil {
		return nil, fmt.Errorf("issue: %w", err)
	}
	return x509.ParseCertificate(der)
}

// Enrol makes a key for each request and issues its certificate, on all
// processors at once. The pairs come in the order of the requests. RSA keys cost
// some 100 ms of processor each, P-256 keys next to nothing.
func (a *Authority) Enrol(requests ...Request) ([]Pair, error) {
	pairs := make([]Pair, len(requests))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, r := range requests {
		g.Go(func() error {
			key, err := newKey(r.Profile)
			if err != nil {
				return err
			}
			leaf, err := a.Issue(r, key.Public())
			if err != nil {
				return fmt.Errorf("enrol %s: %w", r.Subject.Name, err)
			}
			pairs[i] = Pair{Leaf: leaf, Chain: []*x509.Certificate{a.organisations.cert}, Key: key}
			return nil
		})
	}
	return pairs, g.Wait()
}

// newKey makes the kind of key that the profile wants.
func newKey(p Profile) (crypto.Signer, error) {
	s, ok := p.shape()
	switch {
	case !ok:
		return nil, fault.New(fault.Invalid, "certificate-off-profile")
	case s.rsa:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// template turns a request into what crypto/x509 signs.
func (a *Authority) template(r Request) (*x509.Certificate, error) {
	s, ok := r.Profile.shape()
	if !ok {
		return nil, fault.New(fault.Invalid, "certificate-off-profile")
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	subject, err := r.Subject.raw()
	if err != nil {
		return nil, fmt.Errorf("issue: %w", err)
	}
	policy, err := x509.OIDFromInts(ints(s.policy))
	if err != nil {
		return nil, fmt.Errorf("issue: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber:          serial,
		RawSubject:            subject,
		NotBefore:             r.NotBefore,
		NotAfter:              r.NotAfter,
		KeyUsage:              s.keyUsage,
		ExtKeyUsage:           s.extended,
		Policies:              []x509.OID{policy},
		BasicConstraintsValid: true,
		DNSNames:              r.DNS,
		IPAddresses:           r.IPs,
		SignatureAlgorithm:    x509.SHA256WithRSA,
		// The same places as the real ones have; relying software of ours never
		// follows them.
		CRLDistributionPoints: []string{a.opts.BaseURL + "/crl/organisations.crl"},
		IssuingCertificateURL: []string{a.opts.BaseURL + "/ca/organisations.cer"},
	}
	if r.Email != "" {
		t.EmailAddresses = []string{r.Email}
	}
	if t.NotBefore.IsZero() {
		t.NotBefore = a.opts.Clock().UTC().Truncate(time.Second).Add(-backdate)
	}
	if t.NotAfter.IsZero() {
		t.NotAfter = t.NotBefore.Add(LeafValidity)
	}
	return t, nil
}

// raw returns the DER of the subject: C, ST, O, OU, CN.
func (s Subject) raw() ([]byte, error) {
	return asn1.Marshal(pkix.RDNSequence{
		attribute(countryOID(), "FR"), attribute(provinceOID(), s.Department), attribute(organisationOID(), s.Organisation),
		attribute(unitOID(), s.Structure), attribute(commonNameOID(), s.Name),
	})
}

func attribute(oid asn1.ObjectIdentifier, value string) pkix.RelativeDistinguishedNameSET {
	return pkix.RelativeDistinguishedNameSET{{Type: oid, Value: value}}
}

func commonNameOID() asn1.ObjectIdentifier   { return asn1.ObjectIdentifier{2, 5, 4, 3} }
func countryOID() asn1.ObjectIdentifier      { return asn1.ObjectIdentifier{2, 5, 4, 6} }
func provinceOID() asn1.ObjectIdentifier     { return asn1.ObjectIdentifier{2, 5, 4, 8} }
func organisationOID() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 4, 10} }
func unitOID() asn1.ObjectIdentifier         { return asn1.ObjectIdentifier{2, 5, 4, 11} }

func ints(oid asn1.ObjectIdentifier) []uint64 {
	out := make([]uint64, len(oid))
	for i, n := range oid {
		out[i] = uint64(n)
	}
	return out
}
