package trust_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/trust"
)

func TestSignedListIsRead(t *testing.T) {
	t.Parallel()
	s := space(t)
	if got, want := s.Len(), 5; got != want {
		t.Errorf("domains: got %d, want %d", got, want)
	}
	if got, want := s.Operators(), 3; got != want {
		t.Errorf("operators: got %d, want %d", got, want)
	}
	if got := s.Domains(dn(t, hospital)); len(got) != 3 || got[0] != "chu.mss.example" {
		t.Errorf("domains of the hospital: %v", got)
	}
	if got := s.DNs("partage.mss.example"); len(got) != 2 {
		t.Errorf("subjects of the shared domain: %v", got)
	}
	if !s.Allows(dn(t, city), "partage.mss.example") || s.Allows(dn(t, city), "chu.mss.example") {
		t.Error("the city speaks for the wrong domains")
	}
	// Exact names only: no parent, no child.
	for _, outside := range []string{"mss.example", "a.chu.mss.example", "example"} {
		if s.Contains(identity.Domain(outside)) {
			t.Errorf("%s is inside", outside)
		}
	}
	if s.Generated().IsZero() || s.Mark().Digest == [32]byte{} {
		t.Error("no mark")
	}
}

// TestIrregularNamesMatchTheirCertificates: the odd spellings that the real list
// has (spec mssante 1.6), each against the subject of a certificate.
func TestIrregularNamesMatchTheirCertificates(t *testing.T) {
	t.Parallel()
	s := theSandbox(t)
	subject := certs.Subject{Department: "Loire, Haute (43)", Organisation: "G & H, SANTÉ", Structure: "1430000001", Name: "smtp.gh.example"}
	pairs, err := s.authority.Enrol(certs.Request{Profile: certs.PersonCli, Subject: subject})
	if err != nil {
		t.Fatal(err)
	}
	want, err := pairs[0].DN()
	if err != nil {
		t.Fatal(err)
	}
	l := trust.List{Generated: day()}
	spellings := map[string]string{
		"quoted":   `CN=smtp.gh.example,OU=1430000001,O="G & H, SANTÉ",ST="Loire, Haute (43)",C=FR`,
		"escaped":  `CN=smtp.gh.example,OU=1430000001,O=G & H\, SANTÉ,ST=Loire\, Haute (43),C=FR`,
		"spaced":   `CN=smtp.gh.example, OU=1430000001, O="G & H, SANTÉ", ST="Loire, Haute (43)", C=FR`,
		"reversed": `C=FR,ST=Loire\, Haute (43),O=G & H\, SANTÉ,OU=1430000001,CN=smtp.gh.example`,
		"case":     `cn=SMTP.gh.example,ou=1430000001,o="G & H,  Santé",s="LOIRE, Haute (43)",c=fr`,
		"other":    `CN=smtp.gh.example,OU=1430000001,O="G & H, SANTÉ",L="Loire, Haute (43)",C=FR`,
	}
	for name, text := range spellings {
		l.Rows = append(l.Rows, trust.Row{Domain: name + ".mss.example", DN: text})
	}
	xml := s.sign(t, l)
	if !bytes.Contains(xml, []byte("&amp;")) {
		t.Error("the ampersand is not escaped")
	}
	got, err := trust.Verify(xml, s.policy, trust.Mark{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name := range spellings {
		if allowed := got.Allows(want, identity.Domain(name+".mss.example")); allowed != (name != "other") {
			t.Errorf("%s: allowed %v", name, allowed)
		}
	}
	if len(got.Dropped()) != 0 {
		t.Errorf("dropped %v", got.Dropped())
	}
}

func TestUnreadableSubjectDropsItsRowOnly(t *testing.T) {
	t.Parallel()
	s := theSandbox(t)
	l := small(day())
	l.Rows = append(l.Rows, trust.Row{Domain: "casse.mss.example", DN: "smtp.casse.example"})
	got, err := trust.Verify(s.sign(t, l), s.policy, trust.Mark{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if d := got.Dropped(); len(d) != 1 || d[0].Domain != "casse.mss.example" || got.Contains("casse.mss.example") || got.Len() != 5 {
		t.Errorf("dropped %v of %d", d, got.Len())
	}
}

// TestTamperedListIsRefused changes a signed list in every way that the format
// leaves, and holds the reason of each refusal.
func TestTamperedListIsRefused(t *testing.T) {
	t.Parallel()
	s := theSandbox(t)
	good := string(s.sign(t, small(day())))
	sub := func(old, with string) string {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the list", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	start, end := strings.Index(good, "<Signature"), strings.Index(good, "</ListeBlancheMSSante>")
	signature := good[start:end]
	root := `<ListeBlancheMSSante xmlns="https://listeblanche.mssante.fr/schema">`
	inner := strings.TrimSuffix(good[strings.Index(good, root)+len(root):], "</ListeBlancheMSSante>")
	evil := strings.Replace(inner[:strings.Index(inner, "<Signature")], "chu.mss.example", "evil.mss.example", 1)
	for name, c := range map[string]struct{ xml, reason string }{
		"one letter of a domain":      {sub("ville.mss.example", "vil1e.mss.example"), "whitelist-signature"},
		"one letter of a description": {sub("Hôpital", "Hopital"), "whitelist-signature"},
		"the date":                    {sub("<DateDeGeneration>2", "<DateDeGeneration>3"), "whitelist-signature"},
		"no signature":                {strings.Replace(good, signature, "", 1), "whitelist-signature"},
		"two signatures":              {sub("</ListeBlancheMSSante>", signature+"</ListeBlancheMSSante>"), "whitelist-signature"},
		"signature inside a row":      {strings.Replace(strings.Replace(good, signature, "", 1), "</Domaine>", signature+"</Domaine>", 1), "whitelist-signature"},
		"signature value":             {sub("<SignatureValue>", "<SignatureValue>AAAA"), "whitelist-signature"},
		"no key info":                 {good[:strings.Index(good, "<KeyInfo>")] + good[strings.Index(good, "</KeyInfo>")+10:], "whitelist-signature"},
		"SHA-1":                       {sub("xmldsig-more#rsa-sha256", "xmldsig#rsa-sha1"), "whitelist-signature"},
		"inclusive C14N":              {sub("http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"), "whitelist-signature"},
		"another reference":           {sub(`URI=""`, `URI="#x"`), "whitelist-signature"},
		"transform taken out":         {sub(`<Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>`, ""), "whitelist-signature"},
		"wrapped":                     {root + evil + "<Object>" + root + inner + "</ListeBlancheMSSante></Object></ListeBlancheMSSante>", "whitelist-signature"},
		"wrapped in the signature":    {root + evil + strings.Replace(signature, "</Signature>", "<Object>"+root+inner[:strings.Index(inner, "<Signature")]+"</ListeBlancheMSSante></Object></Signature>", 1) + "</ListeBlancheMSSante>", "whitelist-signature"},
		"document type":               {strings.Replace(good, root, "<!DOCTYPE x>"+root, 1), "whitelist-malformed"},
		"entities":                    {strings.Replace(good, root, `<!DOCTYPE x [<!ENTITY a "b">]>`+root, 1), "whitelist-malformed"},
		"instruction inside":          {sub("<ListeDomaines>", "<?php x?><ListeDomaines>"), "whitelist-malformed"},
		"Latin-1":                     {sub(`encoding="UTF-8"`, `encoding="ISO-8859-1"`), "whitelist-malformed"},
		"cut at half":                 {good[:len(good)/2], "whitelist-malformed"},
		"cut after the rows":          {good[:start], "whitelist-malformed"},
		"two roots":                   {good + root + "</ListeBlancheMSSante>", "whitelist-malformed"},
		"text after the root":         {good + "x", "whitelist-malformed"},
		"HTML":                        {"<html><body>Sign in</body></html>", "whitelist-malformed"},
		"empty":                       {"", "whitelist-malformed"},
		"another namespace":           {strings.Replace(good, "listeblanche.mssante.fr", "liste.example", 1), "whitelist-malformed"},
		"deep":                        {root + strings.Repeat("<a>", 5000) + strings.Repeat("</a>", 5000) + "</ListeBlancheMSSante>", "whitelist-malformed"},
		"too large":                   {good + strings.Repeat(" ", trust.MaxBytes), "whitelist-malformed"},
		"too many tags":               {root + strings.Repeat("<a/>", 1_500_000) + "</ListeBlancheMSSante>", "whitelist-malformed"},
	} {
		if _, err := trust.Verify([]byte(c.xml), s.policy, trust.Mark{}, time.Now()); reason(err) != c.reason {
			t.Errorf("%s: got %v, want %s", name, err, c.reason)
		}
	}
	// What the signature does not cover may change.
	for name, xml := range map[string]string{
		"comment before the root":  strings.Replace(good, root, "<!-- x -->"+root, 1),
		"comment inside":           sub("<ListeDomaines>", "<!-- x --><ListeDomaines>"),
		"byte order mark":          "\xef\xbb\xbf" + good,
		"line ends of the base64":  strings.ReplaceAll(good, "&#xD;", ""),
		"empty element in two":     strings.Replace(good, "<Description/>", "<Description></Description>", 1),
		"single quotes":            sub(`<ListeBlancheMSSante xmlns="https://listeblanche.mssante.fr/schema">`, `<ListeBlancheMSSante xmlns='https://listeblanche.mssante.fr/schema'>`),
		"character reference":      sub("Hôpital", "H&#xF4;pital"),
		"comment splitting a name": sub("<Nom>ville.mss.example", "<Nom>vil<!-- .evil -->le.mss.example"),
	} {
		got, err := trust.Verify([]byte(xml), s.policy, trust.Mark{}, time.Now())
		if err != nil || !got.Contains("ville.mss.example") || got.Len() != 5 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRowsThatRefuseTheList: signed, and still not believed.
func TestRowsThatRefuseTheList(t *testing.T) {
	t.Parallel()
	s := theSandbox(t)
	for _, name := range []string{"*", ".", "*.mss.example", "сhu.mss.example", "chu.mss.example.", "", "example", "a b.example", "-a.example"} {
		l := small(day())
		l.Rows = append(l.Rows, trust.Row{Domain: name, DN: hospital})
		if _, err := trust.Verify(s.sign(t, l), s.policy, trust.Mark{}, time.Now()); reason(err) != "whitelist-malformed" {
			t.Errorf("%q: got %v", name, err)
		}
	}
	for name, l := range map[string]trust.List{
		"no row":   {Generated: day()},
		"too many": {Generated: day(), Rows: make([]trust.Row, trust.MaxRows+1)},
	} {
		if _, err := trust.Verify(s.sign(t, l), s.policy, trust.Mark{}, time.Now()); reason(err) != "whitelist-malformed" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestSignerIsPinnedBySubjectAndChain(t *testing.T) {
	t.Parallel()
	s := theSandbox(t)
	l := small(day())
	server, err := s.authority.Enrol(certs.Request{Profile: certs.ServerTLS, DNS: []string{"liste.mss.example"}, Subject: stamp("liste.mss.example").Subject})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		by     certs.Pair
		reason string
	}{
		"the pinned stamp":             {s.stamp, ""},
		"renewed under another key":    {s.renewed, ""},
		"another stamp":                {s.stranger, "whitelist-signer"},
		"revoked":                      {s.revoked, "whitelist-signer"},
		"right name, wrong authority":  {s.unknownIssuer, "whitelist-signer"},
		"right name, server's profile": {server[0], "whitelist-signer"},
		"one's certificate, other key": {certs.Pair{Leaf: s.stamp.Leaf, Key: s.stranger.Key}, "whitelist-signature"},
	} {
		if _, err := trust.Verify(signBy(t, c.by, l), s.policy, trust.Mark{}, time.Now()); reason(err) != c.reason {
			t.Errorf("%s: got %v, want %q", name, err, c.reason)
		}
	}
	xml := s.sign(t, l)
	for name, c := range map[string]struct {
		check trust.SignerCheck
		kind  fault.Kind
	}{
		"transient": {func(*x509.Certificate, time.Time) error { return fault.New(fault.Transient, "revocation-unknown") }, fault.Transient},
		"denied":    {func(*x509.Certificate, time.Time) error { return errors.New("no") }, fault.Denied},
		"none":      {nil, fault.Internal},
	} {
		policy := s.policy
		policy.Check = c.check
		if _, err := trust.Verify(xml, policy, trust.Mark{}, time.Now()); reason(err) != "whitelist-signer" || !fault.Is(err, c.kind) {
			t.Errorf("%s: got %v (%v)", name, err, fault.KindOf(err))
		}
	}
	if _, err := trust.Verify(xml, trust.SignerPolicy{Check: s.policy.Check}, trust.Mark{}, time.Now()); reason(err) != "whitelist-signer" {
		t.Errorf("no pinned subject: got %v", err)
	}
	if _, err := trust.Verify(xml, s.policy, trust.Mark{}, s.stamp.Leaf.NotAfter.Add(time.Hour)); reason(err) != "whitelist-signer" {
		t.Errorf("after the signer's end: got %v", err)
	}
}

func TestDateOnlyGoesForward(t *testing.T) {
	t.Parallel()
	s := theSandbox(t)
	at := day()
	first, err := trust.Verify(s.sign(t, small(at)), s.policy, trust.Mark{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	other := small(at)
	other.Rows = other.Rows[1:]
	for name, c := range map[string]struct {
		l      trust.List
		reason string
	}{
		"older":        {small(at.Add(-time.Second)), "whitelist-rollback"},
		"the same":     {small(at), ""},
		"equivocation": {other, "whitelist-equivocation"},
		"newer":        {small(at.Add(time.Second)), ""},
		"far ahead":    {small(at.Add(2 * time.Hour)), "whitelist-future"},
	} {
		if _, err := trust.Verify(s.sign(t, c.l), s.policy, first.Mark(), time.Now()); reason(err) != c.reason {
			t.Errorf("%s: got %v, want %q", name, err, c.reason)
		}
	}
}

// TestHostileXMLIsRefused feeds every file of the corpus's XML folder.
func TestHostileXMLIsRefused(t *testing.T) {
	t.Parallel()
	s := theSandbox(t)
	dir := os.Getenv("CORPUS_DIR")
	if dir == "" {
		dir = "../../shared/data"
	}
	files, err := filepath.Glob(filepath.Join(dir, "hostile/xml/*.xml"))
	if err != nil || len(files) == 0 {
		if os.Getenv("CORPUS") == "required" {
			t.Fatalf("no corpus in %s: %v", dir, err)
		}
		t.Skip("no corpus")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := trust.Verify(data, s.policy, trust.Mark{}, time.Now()); reason(err) != "whitelist-malformed" {
			t.Errorf("%s: got %v", filepath.Base(file), err)
		}
	}
}
