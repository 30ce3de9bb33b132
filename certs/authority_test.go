package certs_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/fault"
)

func TestAuthorityHasTheShapeOfIGCSante(t *testing.T) {
	t.Parallel()
	w := stranger(t)
	root, organisations := w.authority.Root(), w.authority.Organisations()
	if got, want := root.Subject.CommonName, "AC RACINE IGC-SANTE ELEMENTAIRE TEST"; got != want {
		t.Errorf("root: got %q, want %q", got, want)
	}
	if got, want := organisations.Subject.CommonName, "AC IGC-SANTE ELEMENTAIRE ORGANISATIONS TEST"; got != want {
		t.Errorf("issuer: got %q, want %q", got, want)
	}
	if err := organisations.CheckSignatureFrom(root); err != nil {
		t.Error(err)
	}
	leaf := w.enrol(operator("smtp.chu.example")).Leaf
	if got, want := leaf.Subject.ToRDNSequence().String(), "CN=smtp.chu.example,OU=1750048886,O=CHU IMAGINAIRE,ST=Paris (75),C=FR"; got != want {
		t.Errorf("subject: got %q, want %q", got, want)
	}
	if leaf.SignatureAlgorithm != x509.SHA256WithRSA || leaf.Issuer.CommonName != organisations.Subject.CommonName {
		t.Errorf("signed by %v with %v", leaf.Issuer, leaf.SignatureAlgorithm)
	}
	if got := leaf.NotAfter.Sub(leaf.NotBefore); got != certs.LeafValidity {
		t.Errorf("validity: got %v, want %v", got, certs.LeafValidity)
	}
	if len(leaf.CRLDistributionPoints) != 1 || len(leaf.IssuingCertificateURL) != 1 || len(leaf.PolicyIdentifiers) != 1 {
		t.Error("CRL place, issuer place or policy missing")
	}
}

func TestProfilesCarryTheirUsages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := operator("mx.chu.example")
	server.IPs = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	client, stamp := operator("dpi.chu.example"), operator("liste.mss.example")
	client.Profile, client.DNS = certs.OrgAuthCli, nil
	stamp.Profile, stamp.DNS, stamp.Email = certs.OrgSign, nil, "liste@mss.example"
	pairs, err := w.authority.Enrol(server, client, stamp, person("Docteur Claire Imaginaire"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		usages []certs.Usage
		rsa    bool
	}{
		{[]certs.Usage{certs.AsServer, certs.AsPeer, certs.AsClient}, true},
		{[]certs.Usage{certs.AsClient}, true},
		{[]certs.Usage{certs.AsSigner}, true},
		{[]certs.Usage{certs.AsClient}, false},
	} {
		_, isRSA := pairs[i].Key.(*rsa.PrivateKey)
		_, isEC := pairs[i].Key.(*ecdsa.PrivateKey)
		if isRSA != want.rsa || isEC == want.rsa {
			t.Errorf("profile %d: key is a %T", i+1, pairs[i].Key)
		}
		for _, use := range []certs.Usage{certs.AsServer, certs.AsPeer, certs.AsClient, certs.AsSigner, 0} {
			fit := ""
			if !contains(want.usages, use) {
				fit = "certificate-wrong-usage"
			}
			if got := w.reason(pairs[i].Leaf, use); got != fit {
				t.Errorf("profile %d as %v: got %q, want %q", i+1, use, got, fit)
			}
		}
	}
}

func contains(list []certs.Usage, u certs.Usage) bool {
	for _, v := range list {
		if u == v {
			return true
		}
	}
	return false
}

func TestLintStopsWhatIsOffProfile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, change := range map[string]func(r *certs.Request, public *any){
		"no profile":          func(r *certs.Request, _ *any) { r.Profile = 0 },
		"no organisation":     func(r *certs.Request, _ *any) { r.Subject.Organisation = "" },
		"long name":           func(r *certs.Request, _ *any) { r.Subject.Organisation = strings.Repeat("é", 65) },
		"structure in words":  func(r *certs.Request, _ *any) { r.Subject.Structure = "CHU" },
		"structure too short": func(r *certs.Request, _ *any) { r.Subject.Structure = "175004888" },
		"CN not among DNS":    func(r *certs.Request, _ *any) { r.DNS = []string{"other.example"} },
		"wildcard":            func(r *certs.Request, _ *any) { r.DNS = append(r.DNS, "*.chu.example") },
		"capitals":            func(r *certs.Request, _ *any) { r.DNS = append(r.DNS, "SMTP.chu.example") },
		"four years":          func(r *certs.Request, _ *any) { r.NotAfter = time.Now().Add(certs.LeafValidity + 48*time.Hour) },
		"outlives its issuer": func(r *certs.Request, _ *any) {
			r.NotBefore = time.Now().Add(9 * 365 * 24 * time.Hour)
		},
		"ends before it began": func(r *certs.Request, _ *any) { r.NotAfter = time.Now().Add(-time.Hour); r.NotBefore = time.Now() },
		"host name on a stamp": func(r *certs.Request, _ *any) { r.Profile = certs.OrgSign },
		"mail on a server":     func(r *certs.Request, _ *any) { r.Email = "a@b.example" },
		"exponent 3":           func(_ *certs.Request, public *any) { *public = rsaOf(2048, 3) },
	} {
		r := operator("smtp.chu.example")
		public := any(newKey(t).Public())
		change(&r, &public)
		if _, err := w.authority.Issue(r, public); fault.Reason(err) != "certificate-off-profile" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAuthorityIsReopenedWithTheSameKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pair := w.enrol(person("Docteur Un"))
	if err := w.authority.Revoke(pair.Leaf.SerialNumber, certs.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	if _, err := certs.NewAuthority(w.dir, certs.AuthorityOptions{}); fault.Reason(err) != "authority-exists" {
		t.Errorf("new over old: %v", err)
	}
	again, err := certs.OpenAuthority(w.dir, certs.AuthorityOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !again.Root().Equal(w.authority.Root()) || !again.Organisations().Equal(w.authority.Organisations()) {
		t.Error("other certificates after reopening")
	}
	w.authority = again
	w.refresh()
	if got := w.reason(pair.Leaf, certs.AsClient); got != "certificate-revoked" {
		t.Errorf("revocation forgotten: %q", got)
	}
	if got := w.reason(w.enrol(person("Docteur Deux")).Leaf, certs.AsClient); got != "" {
		t.Errorf("new certificate refused: %s", got)
	}
	if _, err := certs.OpenAuthority(t.TempDir(), certs.AuthorityOptions{}); fault.Reason(err) != "authority-missing" {
		t.Errorf("empty folder: %v", err)
	}
}

func TestKeysAreForTheOwnerOnly(t *testing.T) {
	t.Parallel()
	w := stranger(t)
	pair := w.enrol(person("Docteur Un"))
	if err := pair.WriteFiles(filepath.Join(w.dir, "un.pem"), filepath.Join(w.dir, "un.key")); err != nil {
		t.Fatal(err)
	}
	keys := 0
	err := filepath.WalkDir(w.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if filepath.Ext(name) == ".key" {
			keys++
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		return err
	})
	if err != nil || keys != 3 {
		t.Errorf("%d keys, %v", keys, err)
	}
	public := filepath.Join(w.dir, "public")
	if err := filepath.WalkDir(public, func(name string, d fs.DirEntry, err error) error {
		if data, _ := os.ReadFile(name); strings.Contains(string(data), "PRIVATE") {
			t.Errorf("%s publishes a key", name)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	back, err := certs.LoadPair(filepath.Join(w.dir, "un.pem"), filepath.Join(w.dir, "un.key"))
	if err != nil || !back.Leaf.Equal(pair.Leaf) || len(back.Chain) != 1 {
		t.Errorf("read back: %v", err)
	}
}

func TestPEMFilesAreRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got, err := certs.LoadCertificates(filepath.Join(w.dir, "public/ca/chain.pem"))
	if err != nil || len(got) != 2 || !got[0].Equal(w.authority.Organisations()) || !got[1].Equal(w.authority.Root()) {
		t.Errorf("chain: %d, %v", len(got), err)
	}
	for name, data := range map[string]string{
		"empty.pem": "", "key.pem": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"broken.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := certs.LoadCertificates(file); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	// The key of another certificate is no pair.
	if _, err := certs.LoadPair(filepath.Join(w.dir, "root.pem"), filepath.Join(w.dir, "organisations.key")); err == nil {
		t.Error("a pair of two halves was read")
	}
}

// TestCRLsAreSignedAgainInTime runs the publisher through a week.
func TestCRLsAreSignedAgainInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		a, err := certs.OpenAuthority(w.dir, certs.AuthorityOptions{CRLValidity: 7 * 24 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 8*24*time.Hour)
		defer cancel()
		if err := a.Run(ctx); err != nil {
			t.Fatal(err)
		}
		der, err := fs.ReadFile(a.Public(), "crl/organisations.crl")
		if err != nil {
			t.Fatal(err)
		}
		list, err := x509.ParseRevocationList(der)
		if err != nil || list.NextUpdate.Before(time.Now().Add(48*time.Hour)) {
			t.Errorf("CRL ends at %v on %v: %v", list.NextUpdate, time.Now(), err)
		}
	})
}

// TestPublicFilesAreServedOverHTTP: one line of net/http publishes the sandbox.
func TestPublicFilesAreServedOverHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewServer(http.FileServerFS(w.authority.Public()))
	defer server.Close()
	for _, path := range []string{"/crl/root.crl", "/crl/organisations.crl", "/ca/root.cer", "/ca/organisations.cer", "/ca/chain.pem"} {
		r, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != http.StatusOK || len(body) < 300 {
			t.Errorf("%s: %s, %d octets, %v", path, r.Status, len(body), err)
		}
	}
	for _, path := range []string{"/organisations.key", "/../organisations.key", "/revoked/"} {
		if r, err := http.Get(server.URL + path); err != nil || r.StatusCode == http.StatusOK {
			t.Errorf("%s: %v, %v", path, r, err)
		}
	}
}
