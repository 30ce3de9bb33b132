package certs_test

import (
	"encoding/pem"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/certs"
)

// run calls openssl and returns its output.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), tool(t, "openssl"), args...).CombinedOutput()
	return string(out), err
}

// TestOpenSSLAgrees has a stranger read what the authority issues.
func TestOpenSSLAgrees(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	folder := t.TempDir()
	write := func(name string, p certs.Pair) string {
		file := filepath.Join(folder, name)
		if err := p.WriteFiles(file+".pem", file+".key"); err != nil {
			t.Fatal(err)
		}
		return file
	}
	server, box, gone := operator("mx.chu.example"), person("Docteur Un"), person("Docteur Deux")
	pairs, err := w.authority.Enrol(server, box, gone)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.authority.Revoke(pairs[2].Leaf.SerialNumber, certs.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	chain := filepath.Join(w.dir, "public/ca/chain.pem")
	crls := filepath.Join(folder, "crls.pem")
	var both []byte
	for _, name := range []string{"crl/root.crl", "crl/organisations.crl"} {
		der, err := fs.ReadFile(w.authority.Public(), name)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})...)
	}
	if err := os.WriteFile(crls, both, 0o600); err != nil {
		t.Fatal(err)
	}
	verify := []string{"verify", "-x509_strict", "-CAfile", filepath.Join(w.dir, "public/ca/root.pem"), "-untrusted", chain, "-crl_check_all", "-CRLfile", crls}
	for _, c := range []struct {
		name, purpose, says string
		pair                certs.Pair
		ok                  bool
	}{
		{"server", "sslserver", "OK", pairs[0], true},
		{"server-as-client", "sslclient", "OK", pairs[0], true},
		{"box", "sslclient", "OK", pairs[1], true},
		{"box-as-server", "sslserver", "purpose", pairs[1], false},
		{"revoked", "sslclient", "revoked", pairs[2], false},
	} {
		out, err := run(t, append(verify, "-purpose", c.purpose, write(c.name, c.pair)+".pem")...)
		if (err == nil) != c.ok || !strings.Contains(out, c.says) {
			t.Errorf("%s: %v\n%s", c.name, err, out)
		}
	}
	text, err := run(t, "x509", "-noout", "-text", "-in", filepath.Join(folder, "server.pem"))
	if err != nil {
		t.Fatal(text)
	}
	for _, want := range []string{
		"C = FR, ST = Paris (75), O = CHU IMAGINAIRE, OU = 1750048886, CN = mx.chu.example",
		"TLS Web Server Authentication, TLS Web Client Authentication", "Digital Signature, Key Encipherment",
		"DNS:mx.chu.example", "1.2.250.1.213.1.7.1.1.2.1.1", "CA:FALSE", "/crl/organisations.crl", "CA Issuers",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("openssl does not show %q in\n%s", want, text)
		}
	}
}
