package certs_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
)

// hostile says, for each case of the corpus, how it is built and what must come
// of it. A function returns "" when the case holds, or what was seen.
func hostile() map[string]func(w *world) string {
	return map[string]func(w *world) string{
		"expired": off("certificate-expired", func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
		}),
		"not-yet": off("certificate-not-yet-valid", func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(24*time.Hour), time.Now().Add(48*time.Hour)
		}),
		"no-eku":               off("certificate-wrong-usage", func(c *x509.Certificate) { c.ExtKeyUsage = nil }),
		"any-eku":              off("certificate-wrong-usage", func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageAny) }),
		"wrong-ca":             func(w *world) string { return w.is(stranger(w.t).enrol(operator(host)).Leaf, "certificate-untrusted") },
		"self-signed":          func(w *world) string { return w.is(w.impostor(host).Leaf, "certificate-untrusted") },
		"ca-as-leaf":           off("certificate-malformed", func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }),
		"inter-not-ca":         belowLeaf,
		"name-constraint":      constrained(func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"permis.example"} }),
		"name-constraint-excl": constrained(func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"chu.example"} }),
		"cn-only":              off("certificate-wrong-usage", func(c *x509.Certificate) { c.DNSNames = nil }),
		"san-nul":              off("certificate-malformed", func(c *x509.Certificate) { c.DNSNames = []string{host + "\x00.evil"} }),
		"san-trailing-dot":     off("certificate-malformed", func(c *x509.Certificate) { c.DNSNames = []string{host + "."} }),
		"san-idn":              homoglyph,
		"san-1000":             off("certificate-malformed", func(c *x509.Certificate) { c.DNSNames = manyNames(1000) }),
		"rsa16k":               withKey("certificate-weak", func(*testing.T) crypto.PublicKey { return rsaOf(16384, 65537) }),
		"no-ku":                off("certificate-wrong-usage", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }),
		"rsa1024":              withKey("certificate-weak", func(*testing.T) crypto.PublicKey { return rsaOf(1024, 65537) }),
		"rsa-e3":               withKey("certificate-weak", func(*testing.T) crypto.PublicKey { return rsaOf(2048, 3) }),
		"sha1":                 signedWithSHA1,
		"p224":                 withKey("certificate-weak", func(t *testing.T) crypto.PublicKey { return curve(t, elliptic.P224()) }),
		"ed25519":              withKey("certificate-weak", func(t *testing.T) crypto.PublicKey { return edwards(t) }),
		"revoked":              revokedAndHeld,
		"revoked-hold":         revokedAndHeld,
		"crl-missing":          unreachable,
		"crl-redirect-ssrf":    neverFollowed,
		"key-reuse":            keyReuse,
		"chain-loop":           loop,
		"chain-missing-inter": func(w *world) string {
			return w.is(w.enrol(operator(host)).Leaf, "") // the intermediate is pinned
		},
		"no-cert":   noCertificate,
		"sni-other": otherSNI,
		"clock+1y":  clockJump,
	}
}

// elsewhere names what holds the cases that are not built here.
func elsewhere() map[string]string {
	return map[string]string{
		"san-mismatch":      "trust: the DN decides at MAIL FROM (TestVerdicts)",
		"whitelist-removed": "trust: TestVerdicts",
		"crl-wrong-issuer":  "TestCRLIsRefused",
		"crl-rollback":      "TestCRLIsRefused",
		"crl-100mb":         "TestCRLIsRefused, by size",
		"cert-after-resume": "TestNoSessionIsResumed",
		"tls10":             "TestVersionsAndSuites",
		"ocsp-unknown":      "OCSP is not the policy: CRLs are",
		"ocsp-nonce":        "OCSP is not the policy: CRLs are",
		"0rtt":              "crypto/tls has no early data to offer",
	}
}

const host = "smtp.chu.example"

func TestHostileCertificates(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("CORPUS_DIR")
	if dir == "" {
		dir = "../../shared/data"
	}
	data, err := os.ReadFile(filepath.Join(dir, "hostile/pki/client-certs.json"))
	if err != nil {
		if os.Getenv("CORPUS") == "required" {
			t.Fatal(err)
		}
		t.Log("without the corpus: own list of cases")
	}
	var corpus struct {
		Cases []struct{ ID, Case, Certificate, Expect string }
	}
	if err == nil {
		if err := json.Unmarshal(data, &corpus); err != nil {
			t.Fatal(err)
		}
	}
	built, left := hostile(), elsewhere()
	for _, c := range corpus.Cases {
		if built[c.Case] == nil && left[c.Case] == "" {
			t.Errorf("%s: case %q (%s) is neither built nor left with a reason", c.ID, c.Case, c.Certificate)
		}
	}
	w := newWorld(t)
	for name, check := range built {
		if seen := check(w); seen != "" {
			t.Errorf("%s: %s", name, seen)
		}
	}
}

// is checks a leaf as a peer's and returns "" if the reason is the wanted one.
func (w *world) is(leaf *x509.Certificate, want string) string {
	w.t.Helper()
	if got := w.reason(leaf, certs.AsPeer); got != want {
		return fmt.Sprintf("got %q, want %q", got, want)
	}
	return ""
}

// off signs, with the right key, a leaf that differs in one thing.
func off(reason string, change func(c *x509.Certificate)) func(w *world) string {
	return func(w *world) string {
		leaf, p := template(host), w.issuer()
		change(leaf)
		return w.is(forge(w.t, leaf, newKey(w.t).Public(), p.Leaf, p.Key), reason)
	}
}

func withKey(reason string, public func(t *testing.T) crypto.PublicKey) func(w *world) string {
	return func(w *world) string {
		p := w.issuer()
		return w.is(forge(w.t, template(host), public(w.t), p.Leaf, p.Key), reason)
	}
}

func manyNames(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("h%d.chu.example", i)
	}
	return out
}

// rsaOf makes a public key of that size: nobody needs the private half.
func rsaOf(bits uint, e int) *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return &rsa.PublicKey{N: n.Add(n, big.NewInt(12345)), E: e}
}

func curve(t *testing.T, c elliptic.Curve) crypto.PublicKey {
	key, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key.Public()
}

func edwards(t *testing.T) crypto.PublicKey {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return public
}

// belowLeaf has an ordinary leaf sign another certificate.
func belowLeaf(w *world) string {
	above := w.enrol(person("Docteur Un"))
	leaf := forge(w.t, template(host), newKey(w.t).Public(), above.Leaf, above.Key)
	verdict, err := w.checker.Check(w.t.Context(), []*x509.Certificate{leaf, above.Leaf, w.authority.Organisations()}, certs.AsPeer, time.Now())
	if reasonOf(err) != "certificate-untrusted" {
		return fmt.Sprint(verdict, err)
	}
	return ""
}

// constrained pins an issuing authority with name constraints.
func constrained(change func(c *x509.Certificate)) func(w *world) string {
	return func(w *world) string {
		rootKey, key := newKey(w.t), newKey(w.t)
		ca := template("AC RACINE CONTRAINTE")
		ca.IsCA, ca.BasicConstraintsValid, ca.DNSNames, ca.ExtKeyUsage = true, true, nil, nil
		ca.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		root := forge(w.t, ca, rootKey.Public(), ca, rootKey)
		below := template("AC CONTRAINTE")
		below.IsCA, below.BasicConstraintsValid, below.DNSNames, below.ExtKeyUsage, below.KeyUsage = true, true, nil, nil, ca.KeyUsage
		change(below)
		issuer := forge(w.t, below, key.Public(), root, rootKey)
		leaf := forge(w.t, template(host), newKey(w.t).Public(), issuer, key)
		anchors := certs.Anchors{Roots: []*x509.Certificate{root}, Issuers: []*x509.Certificate{issuer}}
		return differs(reasonAt(w.t, newChecker(w.t, anchors, w.crls), leaf, certs.AsPeer, time.Now()), "certificate-untrusted")
	}
}

func differs(got, want string) string {
	if got != want {
		return fmt.Sprintf("got %q, want %q", got, want)
	}
	return ""
}

// homoglyph writes a Cyrillic letter into a DNS name, by hand: crypto/x509 signs
// no such name, and reads none.
func homoglyph(w *world) string {
	p := w.issuer()
	leaf := forge(w.t, template(host), newKey(w.t).Public(), p.Leaf, p.Key)
	der := bytes.Replace(leaf.Raw, []byte("\x82\x10"+host), []byte("\x82\x10smtp.\xd1\x81hu.exampl"), 1)
	if bytes.Equal(der, leaf.Raw) {
		return "the name was not found"
	}
	if c, err := x509.ParseCertificate(der); err == nil {
		return w.is(c, "certificate-malformed")
	}
	return ""
}

// signedWithSHA1 replaces the signature of a good leaf with one over SHA-1.
func signedWithSHA1(w *world) string {
	p := w.issuer()
	var cert struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	good := forge(w.t, template(host), newKey(w.t).Public(), p.Leaf, p.Key)
	// sha256WithRSAEncryption ends in 0x0b, sha1WithRSAEncryption in 0x05.
	der := bytes.ReplaceAll(good.Raw, []byte{0x86, 0xf7, 0x0d, 1, 1, 0x0b}, []byte{0x86, 0xf7, 0x0d, 1, 1, 0x05})
	if _, err := asn1.Unmarshal(der, &cert); err != nil {
		return err.Error()
	}
	digest := sha1.Sum(cert.TBS.FullBytes)
	key, ok := p.Key.(*rsa.PrivateKey)
	if !ok {
		return "the issuer's key is not RSA"
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA1, digest[:])
	if err != nil {
		return err.Error()
	}
	copy(der[len(der)-len(signature):], signature)
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return err.Error()
	}
	if leaf.SignatureAlgorithm != x509.SHA1WithRSA {
		return "not signed with SHA-1: " + leaf.SignatureAlgorithm.String()
	}
	return w.is(leaf, "certificate-weak")
}

func revokedAndHeld(w *world) string {
	leaf := w.enrol(operator(host)).Leaf
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { return nil }, ""},
		{func() error { return w.authority.Revoke(leaf.SerialNumber, certs.Hold) }, "certificate-revoked"},
		{func() error { return w.authority.Release(leaf.SerialNumber) }, ""},
		{func() error { return w.authority.Revoke(leaf.SerialNumber, certs.KeyCompromise) }, "certificate-revoked"},
	} {
		if err := step.do(); err != nil {
			return err.Error()
		}
		w.refresh()
		if seen := w.is(leaf, step.want); seen != "" {
			return seen
		}
	}
	return ""
}

// unreachable cuts the network once the CRLs have come.
func unreachable(w *world) string {
	var log bytes.Buffer
	dir := w.t.TempDir()
	w.openAndRefresh(dir)
	down := func(context.Context, string) ([]byte, error) { return nil, net.ErrClosed }
	crls, err := certs.OpenCRLs(dir, w.sources(), down, certs.CRLOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil || crls.Refresh(w.t.Context()) == nil || !strings.Contains(log.String(), "crl_refresh_failed") {
		return "no alarm"
	}
	checker := newChecker(w.t, w.authority.Anchors(), crls)
	return differs(reasonAt(w.t, checker, w.enrol(operator(host)).Leaf, certs.AsPeer, time.Now()), "")
}

func (w *world) openAndRefresh(dir string) {
	if err := w.openCRLs(dir, certs.CRLOptions{}).Refresh(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// neverFollowed counts who calls the CRL place named in a certificate.
func neverFollowed(w *world) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err.Error()
	}
	var calls atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			c.Close()
		}
	}()
	seen := off("", func(c *x509.Certificate) {
		url := "http://" + listener.Addr().String() + "/x.crl"
		c.CRLDistributionPoints, c.OCSPServer, c.IssuingCertificateURL = []string{url}, []string{url}, []string{url}
	})(w)
	w.refresh()
	listener.Close()
	<-done
	if calls.Load() > 0 {
		return "a URL of the certificate was followed"
	}
	return seen
}

func keyReuse(w *world) string {
	var log bytes.Buffer
	checker, err := certs.NewChecker(w.authority.Anchors(), w.crls, certs.CheckerOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		return err.Error()
	}
	key := newKey(w.t)
	for i, name := range []string{host, host, "smtp.labo.example"} {
		leaf, err := w.authority.Issue(operator(name), key.Public())
		if err != nil {
			return err.Error()
		}
		if got := reasonAt(w.t, checker, leaf, certs.AsPeer, time.Now()); got != "" {
			return got
		}
		if alarmed := strings.Contains(log.String(), "certificate_key_shared"); alarmed != (i == 2) {
			return fmt.Sprintf("alarm after certificate %d: %v", i, alarmed)
		}
	}
	return ""
}

// loop sends a leaf of an unknown authority and a long chain of cross-signed ones.
func loop(w *world) string {
	k1, k2 := newKey(w.t), newKey(w.t)
	a, b := template("AC A"), template("AC B")
	for _, c := range []*x509.Certificate{a, b} {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.DNSNames = true, true, x509.KeyUsageCertSign, nil
	}
	ab, ba := forge(w.t, a, k1.Public(), b, k2), forge(w.t, b, k2.Public(), a, k1)
	chain := []*x509.Certificate{forge(w.t, template(host), newKey(w.t).Public(), ab, k1)}
	for range 50 {
		chain = append(chain, ab, ba)
	}
	start := time.Now()
	_, err := w.checker.Check(w.t.Context(), chain, certs.AsPeer, time.Now())
	if took := time.Since(start); took > time.Second {
		return fmt.Sprintf("took %v", took)
	}
	return differs(reasonOf(err), "certificate-untrusted")
}

func noCertificate(w *world) string {
	_, err := w.checker.Check(w.t.Context(), nil, certs.AsPeer, time.Now())
	return differs(reasonOf(err), "certificate-missing")
}

// otherSNI asks for a host that the listener is not: it answers as itself, and
// the caller refuses it.
func otherSNI(w *world) string {
	pair := w.enrol(operator("mx.chu.example"))
	var shown string
	_, _, err := handshake(w.t, certs.PeerServerTLS(pair.TLS()), &tls.Config{
		InsecureSkipVerify: true, ServerName: "mx.labo.example",
		VerifyConnection: func(s tls.ConnectionState) error {
			shown = s.PeerCertificates[0].Subject.CommonName
			return nil
		},
	})
	if err != nil || shown != "mx.chu.example" {
		return fmt.Sprint(shown, err)
	}
	return ""
}

// clockJump moves the clock by a year: nothing is believed, nothing is refused
// for good.
func clockJump(w *world) string {
	leaf := w.enrol(operator(host)).Leaf
	return differs(reasonAt(w.t, w.checker, leaf, certs.AsPeer, time.Now().Add(365*24*time.Hour)), "revocation-unknown")
}
