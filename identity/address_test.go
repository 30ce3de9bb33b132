package identity_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/identity"
)

func TestAddressIsParsed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, local, domain, key string }{
		{"dr.martin@chu.mss.example", "dr.martin", "chu.mss.example", "dr.martin@chu.mss.example"},
		{"Dr.Martin@CHU.mss.Example", "Dr.Martin", "chu.mss.example", "dr.martin@chu.mss.example"},
		{"a+b_c-d=e@x.example", "a+b_c-d=e", "x.example", "a+b_c-d=e@x.example"},
		{"hélène@x.example", "hélène", "x.example", "hélène@x.example"},
		{"279035121518989@patient.mss.example", "279035121518989", "patient.mss.example", "279035121518989@patient.mss.example"},
		{strings.Repeat("a", 64) + "@x.example", strings.Repeat("a", 64), "x.example", strings.Repeat("a", 64) + "@x.example"},
	} {
		a, err := identity.ParseAddress(c.in)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if a.Local() != c.local || string(a.Domain()) != c.domain || a.Key() != c.key {
			t.Errorf("%q: got %q, %q, %q", c.in, a.Local(), a.Domain(), a.Key())
		}
		if got, want := a.String(), c.local+"@"+c.domain; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestAddressFormsThatLeadOutsideAreRefused: each has been a way around a check
// (spec security 2.1).
func TestAddressFormsThatLeadOutsideAreRefused(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "@", "a", "a@", "@x.example", "a@x", "a@@x.example", "a@b@x.example",
		"<a@x.example>", " a@x.example", "a@x.example ", "a @x.example", "a@ x.example", "a\t@x.example",
		`"a b"@x.example`, `"a@evil.example"@x.example`, "a(comment)@x.example", "a@x.example(comment)",
		"@evil.example:a@x.example", "a%evil.example@x.example", "evil!a@x.example",
		"a@[127.0.0.1]", "a@[IPv6:::1]", "a@x.example.", "a@.x.example", "a@x..example", "a@-x.example", "a@x-.example",
		".a@x.example", "a.@x.example", "a..b@x.example", "a,b@x.example", "a;b@x.example", "a:b@x.example", `a\b@x.example`,
		"a@x.ex\u0430mple", "a@x\uff0eexample", "a\r\nRCPT TO:<b@evil.example>@x.example", "a\x00@x.example",
		"a\u202e@x.example", "a\u200b@x.example", "a\u00a0@x.example", "a\xff@x.example", "a\x7f@x.example",
		strings.Repeat("a", 65) + "@x.example", "a@" + strings.Repeat("b", 64) + ".example", "a@" + strings.Repeat("b.", 127) + "example",
	} {
		_, err := identity.ParseAddress(in)
		malformed(t, in, err, "address-malformed")
	}
}

func TestAddressesAreComparedWithoutCase(t *testing.T) {
	t.Parallel()
	a, b := mustAddress(t, "Dr@CHU.example"), mustAddress(t, "dr@chu.example")
	if !a.Equal(b) || a.Equal(mustAddress(t, "dr2@chu.example")) {
		t.Error("Equal is wrong")
	}
	if a.IsZero() || !(identity.Address{}).IsZero() {
		t.Error("IsZero is wrong")
	}
}

func TestAddressStaysOutOfLogs(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "to", mustAddress(t, "279035121518989@patient.mss.example"))
	if strings.Contains(out.String(), "2790") || !strings.Contains(out.String(), "***@patient.mss.example") {
		t.Error(out.String())
	}
}

func mustAddress(t *testing.T, s string) identity.Address {
	t.Helper()
	a, err := identity.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"dr.martin@chu.mss.example", `"a@b"@x.example`, "a%b@x.example", "hélène@x.example", "a@[127.0.0.1]", "<a@x.example>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := identity.ParseAddress(s)
		if err != nil {
			if !a.IsZero() {
				t.Fatal("an error with an address")
			}
			return
		}
		again, err := identity.ParseAddress(a.String())
		if err != nil || again != a || !again.Equal(a) {
			t.Fatalf("%q is not read back from %q: %v", s, a, err)
		}
		if len(a.Local()) > 64 || len(a.Domain()) > 255 || strings.Count(a.String(), "@") != 1 {
			t.Fatalf("%q is out of bounds", a)
		}
		if strings.ContainsAny(a.String(), " \t\r\n\x00<>()[]\\,;:\"%!") {
			t.Fatalf("%q holds a character that means something on the wire", a)
		}
	})
}
