package certs

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Names of the sandbox's two authorities: those of IGC-Santé's test range.
const (
	rootName          = "AC RACINE IGC-SANTE ELEMENTAIRE TEST"
	organisationsName = "AC IGC-SANTE ELEMENTAIRE ORGANISATIONS TEST"
)

// Validities and sizes of what the sandbox issues.
const (
	authorityValidity = 10 * 365 * 24 * time.Hour
	// LeafValidity is three years (spec mssante 2.4).
	LeafValidity = 3 * 365 * 24 * time.Hour
	// rsaBits: RGS B1 takes 2048 until the end of 2030; more only slows the demo.
	rsaBits = 2048
	// backdate lets a machine whose clock is a little behind accept a new certificate.
	backdate = 5 * time.Minute
)

// AuthorityOptions adjusts the sandbox authority. The zero value is the one to use.
type AuthorityOptions struct {
	// Clock tells the time; time.Now when nil.
	Clock func() time.Time
	// BaseURL is written into certificates as the place of the CRLs and of the
	// authorities' certificates. Nothing here follows it. Default
	// "http://igc-sante.invalid", which leads nowhere on purpose.
	BaseURL string
	// CRLValidity is the time from thisUpdate to nextUpdate of a CRL; default 7 days.
	CRLValidity time.Duration
}

func (o AuthorityOptions) withDefaults() AuthorityOptions {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.BaseURL == "" {
		o.BaseURL = "http://igc-sante.invalid"
	}
	if o.CRLValidity == 0 {
		o.CRLValidity = 7 * 24 * time.Hour
	}
	return o
}

// Authority is the sandbox authority: a root, and under it the authority for
// organisations that issues every leaf. It lives in a folder (see the package
// documentation) and is safe for concurrent use.
type Authority struct {
	dir           string
	opts          AuthorityOptions
	root          issuer
	organisations issuer

	// mu serialises what changes the folder: revocations and CRLs.
	mu sync.Mutex
}

// issuer is an authority's certificate with its key and file name.
type issuer struct {
	name string // "root", "organisations": the stem of its files
	cert *x509.Certificate
	key  crypto.Signer
}

// NewAuthority makes a new authority in dir, which it creates. It fails with
// fault.Conflict, reason "authority-exists", when dir already holds one.
func NewAuthority(dir string, o AuthorityOptions) (*Authority, error) {
	if _, err := os.Stat(filepath.Join(dir, "organisations.pem")); err == nil {
		return nil, fault.New(fault.Conflict, "authority-exists")
	}
	for _, d := range []string{dir, filepath.Join(dir, "revoked"), filepath.Join(dir, "public/crl"), filepath.Join(dir, "public/ca")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("new authority: %w", err)
		}
	}
	a := &Authority{dir: dir, opts: o.withDefaults()}
	if err := a.create(); err != nil {
		return nil, fmt.Errorf("new authority: %w", err)
	}
	if err := a.Publish(); err != nil {
		return nil, fmt.Errorf("new authority: %w", err)
	}
	return a, nil
}

// OpenAuthority opens the authority that NewAuthority made in dir and publishes
// fresh CRLs. It fails with fault.NotFound, reason "authority-missing", when
// there is none.
func OpenAuthority(dir string, o AuthorityOptions) (*Authority, error) {
	if _, err := os.Stat(filepath.Join(dir, "organisations.pem")); err != nil {
		return nil, fault.Wrap(fault.NotFound, "authority-missing", err)
	}
	a := &Authority{dir: dir, opts: o.withDefaults()}
	for _, i := range []struct {
		name string
		into *issuer
	}{{"root", &a.root}, {"organisations", &a.organisations}} {
		p, err := LoadPair(filepath.Join(dir, i.name+".pem"), filepath.Join(dir, i.name+".key"))
		if err != nil {
			return nil, fmt.Errorf("open authority: %w", err)
		}
		*i.into = issuer{i.name, p.Leaf, p.Key}
	}
	if err := a.organisations.cert.CheckSignatureFrom(a.root.cert); err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	if err := a.Publish(); err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	return a, nil
}

// Root returns the root's certificate: the anchor to pin.
func (a *Authority) Root() *x509.Certificate { return a.root.cert }

// Organisations returns the issuing authority's certificate: the issuer to pin.
func (a *Authority) Organisations() *x509.Certificate { return a.organisations.cert }

// Anchors returns what a Checker of this sandbox pins.
func (a *Authority) Anchors() Anchors {
	return Anchors{Roots: []*x509.Certificate{a.root.cert}, Issuers: []*x509.Certificate{a.organisations.cert}}
}

// Public returns the files that the authority publishes, to be served as they
// are (http.FileServerFS will do): crl/root.crl, crl/organisations.crl (DER),
// ca/root.cer, ca/organisations.cer (DER), ca/root.pem and ca/chain.pem.
func (a *Authority) Public() fs.FS { return os.DirFS(filepath.Join(a.dir, "public")) }

// create makes both authorities and writes their files, certificates last, so
// that a folder with organisations.pem is complete.
func (a *Authority) create() error {
	keys, err := rsaKeys(2)
	if err != nil {
		return err
	}
	now := a.opts.Clock().UTC().Truncate(time.Second)
	for i, into := range []*issuer{&a.root, &a.organisations} {
		*into = issuer{name: []string{"root", "organisations"}[i], key: keys[i]}
		template, err := a.authorityTemplate(i == 0, now)
		if err != nil {
			return err
		}
		parent := template
		if i > 0 {
			parent = a.root.cert
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, keys[i].Public(), keys[0])
		if err != nil {
			return err
		}
		if into.cert, err = x509.ParseCertificate(der); err != nil {
			return err
		}
	}
	return a.save()
}

// save writes keys and certificates.
func (a *Authority) save() error {
	for _, i := range []issuer{a.root, a.organisations} {
		key, err := keyPEM(i.key)
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(a.dir, i.name+".key"), key); err != nil {
			return err
		}
		if err := writeFile(filepath.Join(a.dir, i.name+".pem"), certificatePEM(i.cert)); err != nil {
			return err
		}
	}
	return a.publishAnchors()
}

// authorityTemplate returns the template of the root or of the issuing authority.
func (a *Authority) authorityTemplate(root bool, now time.Time) (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber:          serial,
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(authorityValidity),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		SignatureAlgorithm:    x509.SHA256WithRSA,
	}
	name := rootName
	if !root {
		name = organisationsName
		t.MaxPathLenZero = true
		t.CRLDistributionPoints = []string{a.opts.BaseURL + "/crl/root.crl"}
		t.IssuingCertificateURL = []string{a.opts.BaseURL + "/ca/root.cer"}
	}
	t.RawSubject, err = asn1.Marshal(pkix.RDNSequence{
		attribute(countryOID(), "FR"), attribute(organisationOID(), "ASIP-SANTE"),
		attribute(unitOID(), "0002 187512751"), attribute(commonNameOID(), name),
	})
	return t, err
}

// rsaKeys makes n RSA keys at once on all processors: key generation is what a
// new sandbox spends its time on.
func rsaKeys(n int) ([]crypto.Signer, error) {
	keys := make([]crypto.Signer, n)
	var g errgroup.Group
	for i := range keys {
		g.Go(func() (err error) {
			keys[i], err = rsa.GenerateKey(rand.Reader, rsaBits)
			return err
		})
	}
	return keys, g.Wait()
}

// newSerial returns a positive serial number of 126 random bits (RFC 5280
// 4.1.2.2 allows 20 octets; CA/B asks for 64 bits of chance).
func newSerial() (*big.Int, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return nil, err
	}
	b[0] = b[0]&0x3f | 0x40
	return new(big.Int).SetBytes(b), nil
}
