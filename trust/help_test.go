package trust_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/trust"
)

// sandbox is an authority with a stamp, shared by the tests: its RSA keys are
// what costs time.
type sandbox struct {
	authority     *certs.Authority
	checker       *certs.Checker
	stamp         certs.Pair // the pinned signer
	renewed       certs.Pair // the same subject, another key
	stranger      certs.Pair // a stamp of somebody else
	revoked       certs.Pair // the pinned subject, revoked
	unknownIssuer certs.Pair // the pinned subject, from another authority
	policy        trust.SignerPolicy
}

var shared struct {
	sync.Once
	dir string
	s   *sandbox
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.dir != "" {
		os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

func theSandbox(t testing.TB) *sandbox {
	t.Helper()
	shared.Do(func() { shared.s, shared.err = newSandbox() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.s
}

func newSandbox() (*sandbox, error) {
	var err error
	if shared.dir, err = os.MkdirTemp("", "trust-test-"); err != nil {
		return nil, err
	}
	a, err := certs.NewAuthority(filepath.Join(shared.dir, "authority"), certs.AuthorityOptions{})
	if err != nil {
		return nil, err
	}
	other, err := certs.NewAuthority(filepath.Join(shared.dir, "other"), certs.AuthorityOptions{})
	if err != nil {
		return nil, err
	}
	s := &sandbox{authority: a}
	pairs, err := a.Enrol(stamp("liste.mss.example"), stamp("liste.mss.example"), stamp("autre.mss.example"), stamp("liste.mss.example"))
	if err != nil {
		return nil, err
	}
	s.stamp, s.renewed, s.stranger, s.revoked = pairs[0], pairs[1], pairs[2], pairs[3]
	if pairs, err = other.Enrol(stamp("liste.mss.example")); err != nil {
		return nil, err
	}
	s.unknownIssuer = pairs[0]
	if err := a.Revoke(s.revoked.Leaf.SerialNumber, certs.KeyCompromise); err != nil {
		return nil, err
	}
	crls, err := certs.OpenCRLs(filepath.Join(shared.dir, "crl"), []certs.CRLSource{
		{Name: "root", URL: "crl/root.crl", Issuer: a.Root()},
		{Name: "organisations", URL: "crl/organisations.crl", Issuer: a.Organisations()},
	}, func(_ context.Context, url string) ([]byte, error) { return fs.ReadFile(a.Public(), url) }, certs.CRLOptions{})
	if err != nil {
		return nil, err
	}
	if err := crls.Refresh(context.Background()); err != nil {
		return nil, err
	}
	if s.checker, err = certs.NewChecker(a.Anchors(), crls, certs.CheckerOptions{}); err != nil {
		return nil, err
	}
	dn, err := s.stamp.DN()
	s.policy = trust.SignerPolicy{DN: dn, Check: s.check}
	return s, err
}

func stamp(name string) certs.Request {
	return certs.Request{Profile: certs.OrgSign, Email: "liste@mss.example", Subject: certs.Subject{
		Department: "Hauts-de-Seine (92)", Organisation: "PRESTATAIRE IMAGINAIRE", Structure: "347976684200724", Name: name,
	}}
}

// check is the SignerCheck as a node wires it.
func (s *sandbox) check(cert *x509.Certificate, at time.Time) error {
	_, err := s.checker.Check(context.Background(), []*x509.Certificate{cert}, certs.AsSigner, at)
	return err
}

// sign signs a list as the pinned signer.
func (s *sandbox) sign(t testing.TB, l trust.List) []byte {
	t.Helper()
	return signBy(t, s.stamp, l)
}

func signBy(t testing.TB, p certs.Pair, l trust.List) []byte {
	t.Helper()
	xml, err := trust.Sign(l, p.Key, p.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	return xml
}

// day is when the lists of these tests are generated.
func day() time.Time { return time.Now().UTC().Truncate(time.Second) }

const (
	hospital = "CN=smtp.chu.example,OU=1750048886,O=CHU IMAGINAIRE,ST=Paris (75),C=FR"
	city     = "CN=smtp.ville.example,OU=300000000000001,O=VILLE,ST=Paris (75),C=FR"
	patients = "CN=smtps1.patients.example,OU=318003502400041,O=CNAM,ST=Paris (75),C=FR"
	nobody   = "CN=smtp.absent.example,OU=300000000000002,O=ABSENT,ST=Paris (75),C=FR"
)

// small is a list with the operators of the demo.
func small(at time.Time) trust.List {
	return trust.List{Generated: at, Rows: []trust.Row{
		{Domain: "chu.mss.example", DN: hospital, Description: "Hôpital & recherche", Contact: "Contact fictif", Support: "support"},
		{Domain: "labo.chu.mss.example", DN: hospital},
		{Domain: "ville.mss.example", DN: city},
		{Domain: "partage.mss.example", DN: hospital},
		{Domain: "partage.mss.example", DN: city},
		{Domain: "patient.mss.example", DN: patients},
	}}
}

// large is a list of n rows over n/16 subjects.
func large(n int) trust.List {
	l := trust.List{Generated: day()}
	for i := range n {
		l.Rows = append(l.Rows, trust.Row{
			Domain:      fmt.Sprintf("etablissement-%d.mss.example", i),
			Description: "Établissement de santé imaginaire, messagerie sécurisée",
			DN:          fmt.Sprintf("CN=smtp-%d.operateur.example,OU=3%014d,O=OPERATEUR %d,ST=Paris (75),C=FR", i/16, i/16, i/16),
			Contact:     "Prénom Nom fictif, 01 00 00 00 00, contact@operateur.example",
			Support:     "Support fictif, 01 00 00 00 00, support@operateur.example",
			Updated:     l.Generated,
		})
	}
	return l
}

// space signs and verifies the small list.
func space(t *testing.T) *trust.Space {
	t.Helper()
	s := theSandbox(t)
	out, err := trust.Verify(s.sign(t, small(day())), s.policy, trust.Mark{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func dn(t *testing.T, text string) identity.DN {
	t.Helper()
	d, err := identity.ParseDN(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func address(t *testing.T, text string) identity.Address {
	t.Helper()
	if text == "" {
		return identity.Address{}
	}
	a, err := identity.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Reason(err)
}
