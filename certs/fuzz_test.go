package certs_test

import (
	"crypto/x509"
	"io/fs"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
)

// fuzzWorld is a sandbox for a fuzz target, with one good leaf.
func fuzzWorld(f *testing.F) (*certs.Authority, *certs.CRLs, *x509.Certificate) {
	f.Helper()
	a, err := certs.NewAuthority(f.TempDir(), certs.AuthorityOptions{})
	if err != nil {
		f.Fatal(err)
	}
	w := &world{authority: a}
	crls, err := certs.OpenCRLs(f.TempDir(), w.sources(), w.fetch, certs.CRLOptions{})
	if err != nil {
		f.Fatal(err)
	}
	if err := crls.Refresh(f.Context()); err != nil {
		f.Fatal(err)
	}
	pairs, err := a.Enrol(person("Docteur Un"))
	if err != nil {
		f.Fatal(err)
	}
	return a, crls, pairs[0].Leaf
}

// FuzzCheck holds that nothing but what the authority signed is ever accepted.
func FuzzCheck(f *testing.F) {
	a, crls, leaf := fuzzWorld(f)
	checker, err := certs.NewChecker(a.Anchors(), crls, certs.CheckerOptions{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(leaf.Raw)
	f.Add(a.Organisations().Raw)
	f.Add(a.Root().Raw)
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		for _, use := range []certs.Usage{certs.AsServer, certs.AsPeer, certs.AsClient, certs.AsSigner} {
			if _, err := checker.Check(t.Context(), []*x509.Certificate{c}, use, time.Now()); err == nil && !c.Equal(leaf) {
				t.Fatalf("accepted as %v", use)
			}
		}
	})
}

// FuzzInstall holds that only a CRL that the authority signed is installed.
func FuzzInstall(f *testing.F) {
	a, crls, _ := fuzzWorld(f)
	before := crls.States()
	for _, name := range []string{"crl/root.crl", "crl/organisations.crl", "ca/chain.pem"} {
		data, err := fs.ReadFile(a.Public(), name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = crls.Install("organisations", data)
		if now := crls.States(); now[1].Number != before[1].Number {
			t.Fatal("a CRL of nobody was installed")
		}
	})
}
