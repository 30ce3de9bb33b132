package deliverytest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/trust"
)

// The domains of the tests' trust space: ours, our patients', another operator's.
const (
	Hospital = "chu.mss.example"
	Patients = "patient.mss.example"
	City     = "ville.mss.example"
)

// Sandbox is the authority of a trust space, with what is shared for its cost.
type Sandbox struct {
	*certs.Authority
	key    *rsa.PrivateKey // of every server
	stamp  certs.Pair
	policy trust.SignerPolicy
}

// generated is what a test binary makes once.
//
//nolint:gochecknoglobals // RSA keys, for all tests of a binary
var generated struct {
	sync.Mutex
	dir     string
	sandbox *Sandbox
	other   *Sandbox
}

// Main runs the tests of a package and removes what they share.
func Main(m *testing.M) {
	code := m.Run()
	if generated.dir != "" {
		_ = os.RemoveAll(generated.dir) // a leftover in the temporary folder harms nobody
	}
	os.Exit(code)
}

// TheSandbox returns the authority of this test binary.
func TheSandbox(tb testing.TB) *Sandbox {
	tb.Helper()
	return shared(tb, "ours", &generated.sandbox)
}

// Stranger returns an authority of the same names with other keys: nobody believes it.
func Stranger(tb testing.TB) *Sandbox {
	tb.Helper()
	return shared(tb, "other", &generated.other)
}

func shared(tb testing.TB, name string, s **Sandbox) *Sandbox {
	tb.Helper()
	generated.Lock()
	defer generated.Unlock()
	if *s == nil {
		made, err := newSandbox(name)
		if err != nil {
			tb.Fatal(err)
		}
		*s = made
	}
	return *s
}

func newSandbox(name string) (s *Sandbox, err error) {
	if generated.dir == "" {
		if generated.dir, err = os.MkdirTemp("", "deliverytest-"); err != nil {
			return nil, err
		}
	}
	s = new(Sandbox)
	if s.Authority, err = certs.NewAuthority(filepath.Join(generated.dir, name), certs.AuthorityOptions{}); err != nil {
		return nil, err
	}
	pairs, err := s.Enrol(certs.Request{Profile: certs.OrgSign, Email: "liste@mss.example", Subject: subject("liste.mss.example")})
	if err != nil {
		return nil, err
	}
	s.stamp = pairs[0]
	dn, err := s.stamp.DN()
	if err != nil {
		return nil, err
	}
	s.policy = trust.SignerPolicy{DN: dn, Check: func(*x509.Certificate, time.Time) error { return nil }}
	s.key, err = rsa.GenerateKey(rand.Reader, 2048)
	return s, err
}

func subject(name string) certs.Subject {
	return certs.Subject{Department: "Paris (75)", Organisation: "ORGANISATION IMAGINAIRE", Structure: "1750048886", Name: name}
}

// Server issues an operator's certificate for a host; change, if any, has the last
// word on the request.
func (s *Sandbox) Server(tb testing.TB, host string, change func(*certs.Request)) certs.Pair {
	tb.Helper()
	r := certs.Request{Profile: certs.ServerTLS, Subject: subject(host), DNS: []string{host}}
	if change != nil {
		change(&r)
	}
	leaf, err := s.Issue(r, s.key.Public())
	if err != nil {
		tb.Fatal(err)
	}
	return certs.Pair{Leaf: leaf, Chain: []*x509.Certificate{s.Organisations()}, Key: s.key}
}

// Person issues a client certificate for a box.
func (s *Sandbox) Person(tb testing.TB, name string) certs.Pair {
	tb.Helper()
	pairs, err := s.Enrol(certs.Request{Profile: certs.PersonCli, Subject: subject(name)})
	if err != nil {
		tb.Fatal(err)
	}
	return pairs[0]
}

// Checker returns a checker of this authority. Refresh lets it see revocations.
func (s *Sandbox) Checker(tb testing.TB) (checker *certs.Checker, refresh func()) {
	tb.Helper()
	fetch := func(_ context.Context, url string) ([]byte, error) { return fs.ReadFile(s.Public(), url) }
	crls, err := certs.OpenCRLs(tb.TempDir(), []certs.CRLSource{
		{Name: "root", URL: "crl/root.crl", Issuer: s.Root()},
		{Name: "organisations", URL: "crl/organisations.crl", Issuer: s.Organisations()},
	}, fetch, certs.CRLOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	refresh = func() {
		tb.Helper()
		if err := crls.Refresh(tb.Context()); err != nil {
			tb.Fatal(err)
		}
	}
	refresh()
	if checker, err = certs.NewChecker(s.Anchors(), crls, certs.CheckerOptions{}); err != nil {
		tb.Fatal(err)
	}
	return checker, refresh
}

// Host is the name of the mail server of a domain.
func Host(domain string) string { return "mx." + domain }

// Space returns the trust space of some domains, each spoken for by the server of
// its host: signed and verified. Patients' mail is handled by the hospital.
func (s *Sandbox) Space(tb testing.TB, domains ...string) *trust.Space {
	tb.Helper()
	list := trust.List{Generated: time.Now().UTC().Truncate(time.Second)}
	for _, d := range domains {
		host := Host(d)
		if d == Patients {
			host = Host(Hospital)
		}
		list.Rows = append(list.Rows, trust.Row{
			Domain: d, DN: fmt.Sprintf("CN=%s,OU=1750048886,O=ORGANISATION IMAGINAIRE,ST=Paris (75),C=FR", host),
		})
	}
	xml, err := trust.Sign(list, s.stamp.Key, s.stamp.Leaf)
	if err != nil {
		tb.Fatal(err)
	}
	space, err := trust.Verify(xml, s.policy, trust.Mark{}, time.Now())
	if err != nil {
		tb.Fatal(err)
	}
	return space
}
