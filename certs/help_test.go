package certs_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/fault"
)

// world is a sandbox with CRLs loaded and a checker.
type world struct {
	t         *testing.T
	dir       string
	authority *certs.Authority
	crls      *certs.CRLs
	checker   *certs.Checker
}

// generated holds what costs time and may be shared: the folder of an authority,
// copied for each world, and one RSA key for servers.
var generated struct {
	sync.Once
	dir string
	key *rsa.PrivateKey
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if generated.dir != "" {
		os.RemoveAll(generated.dir)
	}
	os.Exit(code)
}

func generate() (err error) {
	if generated.dir, err = os.MkdirTemp("", "certs-test-"); err != nil {
		return err
	}
	if _, err = certs.NewAuthority(filepath.Join(generated.dir, "a"), certs.AuthorityOptions{}); err != nil {
		return err
	}
	generated.key, err = rsa.GenerateKey(rand.Reader, 2048)
	return err
}

// newWorld opens a copy of the one authority; stranger makes another.
func newWorld(t *testing.T) *world {
	t.Helper()
	generated.Do(func() { generated.err = generate() })
	if generated.err != nil {
		t.Fatal(generated.err)
	}
	dir := filepath.Join(t.TempDir(), "authority")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(generated.dir, "a"))); err != nil {
		t.Fatal(err)
	}
	authority, err := certs.OpenAuthority(dir, certs.AuthorityOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return worldOf(t, dir, authority)
}

// stranger makes an authority of the same names and other keys.
func stranger(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	authority, err := certs.NewAuthority(dir, certs.AuthorityOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return worldOf(t, dir, authority)
}

func worldOf(t *testing.T, dir string, authority *certs.Authority) *world {
	t.Helper()
	w := &world{t: t, dir: dir, authority: authority}
	w.crls = w.openCRLs(t.TempDir(), certs.CRLOptions{})
	if err := w.crls.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.checker = newChecker(t, authority.Anchors(), w.crls)
	return w
}

func newChecker(t *testing.T, anchors certs.Anchors, crls *certs.CRLs) *certs.Checker {
	t.Helper()
	checker, err := certs.NewChecker(anchors, crls, certs.CheckerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return checker
}

// openCRLs returns CRLs that fetch from what the authority publishes.
func (w *world) openCRLs(dir string, o certs.CRLOptions) *certs.CRLs {
	w.t.Helper()
	crls, err := certs.OpenCRLs(dir, w.sources(), w.fetch, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return crls
}

func (w *world) sources() []certs.CRLSource {
	return []certs.CRLSource{
		{Name: "root", URL: "crl/root.crl", Issuer: w.authority.Root()},
		{Name: "organisations", URL: "crl/organisations.crl", Issuer: w.authority.Organisations()},
	}
}

func (w *world) fetch(_ context.Context, url string) ([]byte, error) {
	return fs.ReadFile(w.authority.Public(), url)
}

// enrol issues one pair; servers share one RSA key.
func (w *world) enrol(r certs.Request) certs.Pair {
	w.t.Helper()
	if r.Profile == certs.ServerTLS && generated.key != nil {
		leaf, err := w.authority.Issue(r, generated.key.Public())
		if err != nil {
			w.t.Fatal(err)
		}
		return certs.Pair{Leaf: leaf, Chain: []*x509.Certificate{w.authority.Organisations()}, Key: generated.key}
	}
	pairs, err := w.authority.Enrol(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return pairs[0]
}

// issuer returns the organisations' authority with its key: what a forger would
// need, and what tests use to sign what the authority itself refuses.
func (w *world) issuer() certs.Pair {
	w.t.Helper()
	p, err := certs.LoadPair(filepath.Join(w.dir, "organisations.pem"), filepath.Join(w.dir, "organisations.key"))
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// refresh publishes and fetches the CRLs again.
func (w *world) refresh() {
	w.t.Helper()
	if err := w.crls.Refresh(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// reason checks a leaf now and returns the reason of the refusal, "" if none.
func (w *world) reason(leaf *x509.Certificate, use certs.Usage) string {
	w.t.Helper()
	return reasonAt(w.t, w.checker, leaf, use, time.Now())
}

func reasonAt(t *testing.T, c *certs.Checker, leaf *x509.Certificate, use certs.Usage, at time.Time) string {
	t.Helper()
	verdict, err := c.Check(t.Context(), []*x509.Certificate{leaf}, use, at)
	if err != nil {
		return fault.Reason(err)
	}
	if verdict.DN.IsZero() || !verdict.Leaf.Equal(leaf) {
		t.Errorf("accepted without saying whom: %+v", verdict)
	}
	return ""
}

// operator is the request for a hospital's SSL certificate.
func operator(host string) certs.Request {
	return certs.Request{
		Profile: certs.ServerTLS,
		Subject: certs.Subject{Department: "Paris (75)", Organisation: "CHU IMAGINAIRE", Structure: "1750048886", Name: host},
		DNS:     []string{host},
	}
}

// person is the request for a box's certificate.
func person(name string) certs.Request {
	r := operator("")
	r.Profile, r.Subject.Name, r.DNS = certs.PersonCli, name, nil
	return r
}

// template is a well-formed leaf of a client, for forging.
func template(name string) *x509.Certificate {
	set := func(oid int, v string) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: asn1.ObjectIdentifier{2, 5, 4, oid}, Value: v}}
	}
	raw, err := asn1.Marshal(pkix.RDNSequence{
		set(6, "FR"), set(8, "Paris (75)"), set(10, "CHU IMAGINAIRE"), set(11, "1750048886"), set(3, name),
	})
	if err != nil {
		panic(err)
	}
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		RawSubject:   raw,
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{name},
	}
}

// forge signs any template with any parent.
func forge(t *testing.T, leaf *x509.Certificate, public crypto.PublicKey, parent *x509.Certificate, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, leaf, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// tool finds a program that the test compares with. Where CORPUS=required its
// absence is a failure.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CORPUS") == "required" {
			t.Fatalf("%s is required: %v", name, err)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}
