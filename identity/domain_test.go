package identity_test

import (
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/identity"
)

func TestDomainIsFolded(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]identity.Domain{
		"chu.mss.example":              "chu.mss.example",
		"CHU.Mss.EXAMPLE":              "chu.mss.example",
		"15-20.mssante.example":        "15-20.mssante.example",
		"xn--hpital-0ya.example":       "xn--hpital-0ya.example",
		"a.b":                          "a.b",
		strings.Repeat("a", 63) + ".b": identity.Domain(strings.Repeat("a", 63) + ".b"),
	} {
		if got, err := identity.ParseDomain(in); err != nil || got != want {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
}

func TestDomainIsRefused(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", ".", "*", "a", "a.", ".a", "a..b", "*.a.example", "a b.example", "a_b.example", "-a.example", "a-.example",
		"[127.0.0.1]", "a.example.", "hôpital.example", "\u0441hu.example", "a.example\x00", "a.example\r\n", "a/b.example", "a:25.example",
		strings.Repeat("a", 64) + ".b", strings.Repeat("a.", 128) + "b",
	} {
		_, err := identity.ParseDomain(in)
		malformed(t, in, err, "domain-malformed")
	}
}

func FuzzParseDomain(f *testing.F) {
	for _, s := range []string{"chu.mss.example", "A.B", "*", "a..b", "[::1]", "hôpital.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := identity.ParseDomain(s)
		if err != nil {
			return
		}
		if again, err := identity.ParseDomain(string(d)); err != nil || again != d {
			t.Fatalf("%q is not stable: %q, %v", s, again, err)
		}
		if !strings.EqualFold(string(d), s) || strings.Trim(string(d), "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || !strings.Contains(string(d), ".") {
			t.Fatalf("%q became %q", s, d)
		}
	})
}
