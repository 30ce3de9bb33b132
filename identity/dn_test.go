package identity_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/identity"
)

const plain = "CN=smtp-1.x.example,OU=1750048886,O=GIP X,ST=Paris (75),C=FR"

// TestSpellingsOfOneName: the irregular rows of the real list (spec mssante 1.6)
// and the forms that RFC 4514 leaves open.
func TestSpellingsOfOneName(t *testing.T) {
	t.Parallel()
	want := mustDN(t, plain)
	for _, in := range []string{
		"CN=smtp-1.x.example, OU=1750048886, O=GIP X, ST=Paris (75), C=FR",
		`CN=smtp-1.x.example,OU=1750048886,O="GIP X",ST=Paris (75),C=FR`,
		`CN="smtp-1.x.example" , OU = 1750048886 ; O=GIP X;ST=Paris (75),C=FR`,
		"C=FR,ST=Paris (75),O=GIP X,OU=1750048886,CN=smtp-1.x.example",
		"cn=SMTP-1.X.EXAMPLE,ou=1750048886,o=gip x,s=PARIS (75),c=fr",
		"2.5.4.3=smtp-1.x.example,OID.2.5.4.11=1750048886,oid.2.5.4.10=GIP X,2.5.4.8=Paris (75),2.5.4.6=FR",
		`CN=smtp-1.x.example,OU=1750048886,O=GIP\ X,ST=Paris \28\37\35\29,C=FR`,
		"CN=smtp-1.x.example,OU=1750048886,O=GIP   X,ST=Paris (75),C=FR",
		"CN=smtp-1.x.example,OU=1750048886,O=#0C0547495020 58,ST=Paris (75),C=FR",
		"CN=smtp-1.x.example,OU=1750048886,O=#0c054749502058,ST=Paris (75),C=FR",
	} {
		got, err := identity.ParseDN(in)
		if strings.Contains(in, "5020 58") {
			malformed(t, in, err, "dn-malformed")
			continue
		}
		if err != nil || !got.Equal(want) || got.Key() != want.Key() {
			t.Errorf("%q: got %q, %v", in, got.Key(), err)
		}
	}
}

func TestOtherNamesDiffer(t *testing.T) {
	t.Parallel()
	want := mustDN(t, plain)
	for _, in := range []string{
		"CN=smtp-2.x.example,OU=1750048886,O=GIP X,ST=Paris (75),C=FR",
		"CN=smtp-1.x.example,OU=1750048887,O=GIP X,ST=Paris (75),C=FR",
		"CN=smtp-1.x.example,OU=1750048886,O=GIP X,L=Paris (75),C=FR",
		"CN=smtp-1.x.example,OU=1750048886,O=GIPX,ST=Paris (75),C=FR",
		"CN=smtp-1.x.example,OU=1750048886,O=GIP X,C=FR",
		"CN=smtp-1.x.example,OU=1750048886,O=GIP X,ST=Paris (75),C=FR,C=FR",
		"OU=1750048886,CN=smtp-1.x.example,O=GIP X,ST=Paris (75),C=FR",
		"CN=smtp-1.x.example+OU=1750048886,O=GIP X,ST=Paris (75),C=FR",
		`CN=smtp-1.x.example\,OU\=1750048886,O=GIP X,ST=Paris (75),C=FR`,
		"CN=smtp-1.x.example,OU=1750048886,O=GIP \u0425,ST=Paris (75),C=FR",
	} {
		if got := mustDN(t, in); got.Equal(want) || got.Key() == want.Key() {
			t.Errorf("%q equals %q", in, plain)
		}
	}
	if (identity.DN{}).Equal(identity.DN{}) || !(identity.DN{}).IsZero() || want.IsZero() {
		t.Error("a zero name must equal nothing")
	}
	if !mustDN(t, "CN=a+UID=b,C=FR").Equal(mustDN(t, "UID=b+CN=a,C=FR")) {
		t.Error("the attributes of one part have no order")
	}
}

func TestMalformedNames(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", ",", "CN", "CN=", "CN= ", "=x", "CN=a,", ",CN=a", "CN=a,,C=FR", "CN=a+", "CN=a\\", `CN=a\zz`, `CN="a`, `CN="a"b`, `CN=a"b"`,
		"CN=a<b", "CN=#", "CN=#zz", "CN=#0203010001", "CN=#0c", "C N=a", "1.=a", "1..2=a", "01.2=a", "CN=a\x00b", "CN=a\nb",
		"CN=a\u202eb", "CN=\xff", `CN=\ff`, "smtp.x.example", strings.Repeat("OU=a,", 40) + "C=FR", "CN=" + strings.Repeat("a", 5000),
		"CN=a" + strings.Repeat("+CN=a", 40),
	} {
		d, err := identity.ParseDN(in)
		malformed(t, in, err, "dn-malformed")
		if !d.IsZero() {
			t.Errorf("%q: an error with a name", in)
		}
	}
}

func TestNameIsPrintedAndReadBack(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		plain: plain,
		"C=FR,ST=Paris (75),O=GIP X,OU=1750048886,CN=smtp-1.x.example": plain,
		`CN=x,O="A, B + C = <D>; ""`:                                   "",
		`CN=x,O="A, B + C = <D>;"`:                                     `CN=x,O=A\, B \+ C \= \<D\>\;`,
		`CN=\#x,O=\ a\ `:                                               `CN=\#x,O=\ a\ `,
		`CN=a\\b\"c`:                                                   `CN=a\\b\"c`,
		"1.2.3.4=x,O=y":                                                "1.2.3.4=x,O=y",
		"e=a@b.example,C=FR":                                           "EMAILADDRESS=a@b.example,C=FR",
	} {
		d, err := identity.ParseDN(in)
		if want == "" {
			malformed(t, in, err, "dn-malformed")
			continue
		}
		if err != nil || d.String() != want || !mustDN(t, d.String()).Equal(d) {
			t.Errorf("%q: got %q, %v", in, d, err)
		}
	}
	d := mustDN(t, plain)
	if cn, ok := d.Attribute("CN"); !ok || cn != "smtp-1.x.example" {
		t.Errorf("CN: %q", cn)
	}
	if _, ok := d.Attribute("L"); ok || len(d.Attributes()) != 5 || d.Attributes()[4] != (identity.Attribute{Type: "C", Value: "FR"}) {
		t.Errorf("attributes: %v", d.Attributes())
	}
}

func TestNameOfACertificate(t *testing.T) {
	t.Parallel()
	set := func(oid int, v any) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: asn1.ObjectIdentifier{2, 5, 4, oid}, Value: v}}
	}
	seq := pkix.RDNSequence{set(6, "FR"), set(8, "Paris (75)"), set(10, "GIP X"), set(11, "1750048886"), set(3, "smtp-1.x.example")}
	der, err := asn1.Marshal(seq)
	if err != nil {
		t.Fatal(err)
	}
	got, err := identity.DNFromRaw(der)
	if err != nil || !got.Equal(mustDN(t, plain)) || got.String() != plain {
		t.Errorf("got %q, %v", got, err)
	}
	for name, raw := range map[string][]byte{
		"empty": {0x30, 0}, "cut": der[:len(der)-1], "more": append(der, 0), "none": nil, "huge": make([]byte, 5000),
	} {
		_, err := identity.DNFromRaw(raw)
		malformed(t, name, err, "dn-malformed")
	}
	for name, bad := range map[string]pkix.RDNSequence{
		"number": {set(3, 5)}, "empty set": {{}}, "nul": {set(3, "a\x00b")}, "empty value": {set(3, "")},
	} {
		_, err := identity.DNFromRDN(bad)
		malformed(t, name, err, "dn-malformed")
	}
}

func mustDN(t *testing.T, s string) identity.DN {
	t.Helper()
	d, err := identity.ParseDN(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return d
}

func FuzzParseDN(f *testing.F) {
	for _, s := range []string{plain, `CN=a,O="b, c"`, `CN=\#a\ ,O=#0c0161`, "CN=a+UID=b", "C=FR;O=x ; CN = y", "1.2.3=x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := identity.ParseDN(s)
		if err != nil {
			return
		}
		again, err := identity.ParseDN(d.String())
		if err != nil || !again.Equal(d) || again.String() != d.String() {
			t.Fatalf("%q prints as %q, read as %q: %v", s, d, again, err)
		}
		if len(d.Attributes()) == 0 || strings.ContainsAny(d.String(), "\x00\r\n") {
			t.Fatalf("%q became %q", s, d)
		}
	})
}
