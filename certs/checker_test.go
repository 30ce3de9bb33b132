package certs_test

import (
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
)

func TestCheckerNeedsSoundAnchors(t *testing.T) {
	t.Parallel()
	w, other := newWorld(t), stranger(t)
	good := w.authority.Anchors()
	for name, c := range map[string]struct {
		anchors certs.Anchors
		crls    *certs.CRLs
	}{
		"no roots":                 {certs.Anchors{Issuers: good.Issuers}, w.crls},
		"no issuers":               {certs.Anchors{Roots: good.Roots}, w.crls},
		"no CRLs":                  {good, nil},
		"issuer of another root":   {certs.Anchors{Roots: other.authority.Anchors().Roots, Issuers: good.Issuers}, w.crls},
		"a leaf as issuer":         {certs.Anchors{Roots: good.Roots, Issuers: []*x509.Certificate{w.enrol(person("Docteur Un")).Leaf}}, w.crls},
		"one good, one of another": {certs.Anchors{Roots: good.Roots, Issuers: append(other.authority.Anchors().Issuers, good.Issuers...)}, w.crls},
	} {
		if _, err := certs.NewChecker(c.anchors, c.crls, certs.CheckerOptions{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestOnlyThePinnedIssuerCounts (ECO.1.1.10): a leaf of the root itself, and one
// of an authority below the pinned one, chain to the root and are refused.
func TestOnlyThePinnedIssuerCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	root, err := certs.LoadPair(w.dir+"/root.pem", w.dir+"/root.key")
	if err != nil {
		t.Fatal(err)
	}
	ofRoot := forge(t, template(host), newKey(t).Public(), root.Leaf, root.Key)
	if seen := w.is(ofRoot, "certificate-untrusted"); seen != "" {
		t.Errorf("leaf of the root: %s", seen)
	}
	// A second issuing authority under the same root, not pinned.
	key := newKey(t)
	ca := template("AC IGC-SANTE ELEMENTAIRE PERSONNES TEST")
	ca.IsCA, ca.BasicConstraintsValid, ca.DNSNames, ca.ExtKeyUsage = true, true, nil, nil
	ca.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	sibling := forge(t, ca, key.Public(), root.Leaf, root.Key)
	leaf := forge(t, template(host), newKey(t).Public(), sibling, key)
	_, err = w.checker.Check(t.Context(), []*x509.Certificate{leaf, sibling, root.Leaf}, certs.AsPeer, time.Now())
	if got := reasonOf(err); got != "certificate-untrusted" {
		t.Errorf("leaf of a sibling authority that the peer sent along: %q", got)
	}
}

// TestRevokedIssuerTakesItsLeavesAlong: the root's CRL counts too.
func TestRevokedIssuerTakesItsLeavesAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	leaf := w.enrol(person("Docteur Un")).Leaf
	root, err := certs.LoadPair(w.dir+"/root.pem", w.dir+"/root.key")
	if err != nil {
		t.Fatal(err)
	}
	der := w.mintBy(root, func(l *x509.RevocationList) {
		l.Number = big.NewInt(time.Now().Add(time.Hour).UnixMilli())
		l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: w.authority.Organisations().SerialNumber, RevocationTime: time.Now()}}
	})
	if err := w.crls.Install("root", der); err != nil {
		t.Fatal(err)
	}
	if got := w.reason(leaf, certs.AsClient); got != "certificate-revoked" {
		t.Errorf("got %q", got)
	}
}

// TestAuthorityWithoutConfiguredCRLIsNotBelieved: the root and the issuing
// authority each need a CRL.
func TestAuthorityWithoutConfiguredCRLIsNotBelieved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, sources := range [][]certs.CRLSource{nil, w.sources()[:1], w.sources()[1:]} {
		crls, err := certs.OpenCRLs(t.TempDir(), sources, w.fetch, certs.CRLOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := crls.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		checker := newChecker(t, w.authority.Anchors(), crls)
		if got := reasonAt(t, checker, w.enrol(person("Docteur Un")).Leaf, certs.AsClient, time.Now()); got != "revocation-unknown" {
			t.Errorf("sources %d: got %q", i, got)
		}
	}
}

// TestAuthorityOutOfDate: the leaf's dates hold, the authority's do not.
func TestAuthorityOutOfDate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.issuer()
	long := template(host)
	long.NotAfter = p.Leaf.NotAfter.Add(48 * time.Hour)
	leaf := forge(t, long, newKey(t).Public(), p.Leaf, p.Key)
	if got := reasonAt(t, w.checker, leaf, certs.AsPeer, p.Leaf.NotAfter.Add(time.Hour)); got != "certificate-untrusted" {
		t.Errorf("got %q", got)
	}
}
