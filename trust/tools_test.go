package trust_test

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

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

// lists writes a good list and a tampered one, and the signer's certificate.
func lists(t *testing.T) (good, bad, cert string) {
	t.Helper()
	s := theSandbox(t)
	dir := t.TempDir()
	good, bad, cert = filepath.Join(dir, "good.xml"), filepath.Join(dir, "bad.xml"), filepath.Join(dir, "signer.pem")
	xml := s.sign(t, small(day()))
	for name, data := range map[string][]byte{
		good: xml,
		bad:  bytes.Replace(xml, []byte("ville.mss.example"), []byte("vil1e.mss.example"), 1),
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.stamp.Leaf.Raw}),
	} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return good, bad, cert
}

// TestXMLSecAgrees has libxmlsec verify what Sign writes (Debian: xmlsec1).
func TestXMLSecAgrees(t *testing.T) {
	t.Parallel()
	xmlsec := tool(t, "xmlsec1")
	good, bad, cert := lists(t)
	for file, want := range map[string]bool{good: true, bad: false} {
		out, err := exec.CommandContext(t.Context(), xmlsec, "--verify", "--pubkey-cert-pem", cert, file).CombinedOutput()
		if (err == nil) != want {
			t.Errorf("%s: %v\n%s", filepath.Base(file), err, out)
		}
	}
}

// script checks the digest with Python's own canonicalisation and leaves the
// canonical SignedInfo and the signature to openssl. C14N 2.0 as Python does it
// gives exclusive C14N 1.0's octets for a document like ours: one default
// namespace, no attributes, no comments.
const script = `
import base64, hashlib, re, sys
import xml.etree.ElementTree as E
text = open(sys.argv[1], encoding="utf-8").read()
ns = "http://www.w3.org/2000/09/xmldsig#"
body = E.canonicalize(xml_data=text, exclude_tags=["{%s}Signature" % ns])
root = E.fromstring(text)
find = lambda tag: root.find(".//{%s}%s" % (ns, tag)).text
if base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() != find("DigestValue"):
    sys.exit("digest differs")
info = re.search("<SignedInfo>.*</SignedInfo>", text, re.S).group(0)
info = info.replace("<SignedInfo>", '<SignedInfo xmlns="%s">' % ns)
open(sys.argv[2], "w").write(E.canonicalize(xml_data=info))
open(sys.argv[3], "wb").write(base64.b64decode(find("SignatureValue")))
`

// TestPythonAndOpenSSLAgree checks digest and signature with two programs that
// know nothing of XML signatures.
func TestPythonAndOpenSSLAgree(t *testing.T) {
	t.Parallel()
	python, openssl := tool(t, "python3"), tool(t, "openssl")
	good, bad, cert := lists(t)
	dir := filepath.Dir(good)
	info, value, key := filepath.Join(dir, "info"), filepath.Join(dir, "value"), filepath.Join(dir, "key.pem")
	run := func(name string, args ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
		return string(out), err
	}
	if out, err := run(python, "-c", script, good, info, value); err != nil {
		t.Fatalf("good list: %v\n%s", err, out)
	}
	if out, err := run(python, "-c", script, bad, info+"2", value+"2"); err == nil || !strings.Contains(out, "digest differs") {
		t.Errorf("tampered list: %v\n%s", err, out)
	}
	if out, err := run(openssl, "x509", "-in", cert, "-pubkey", "-noout", "-out", key); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := run(openssl, "dgst", "-sha256", "-verify", key, "-signature", value, info); err != nil {
		t.Errorf("signature: %v\n%s", err, out)
	}
}
