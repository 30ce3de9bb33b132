package letter_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
)

// address parses a test address.
func address(tb testing.TB, s string) identity.Address {
	tb.Helper()
	a, err := identity.ParseAddress(s)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// noon is a fixed moment.
func noon() time.Time {
	return time.Date(2026, 11, 2, 12, 0, 0, 0, time.FixedZone("", 3600))
}

func TestReceived(t *testing.T) {
	t.Parallel()
	h := letter.Hop{
		Hello: "mx.labo-b.example", Remote: netip.MustParseAddr("192.0.2.7"), By: "mx.chu-a.example",
		Protocol: "ESMTPS", TLS: "TLS1.3 TLS_AES_128_GCM_SHA256", ID: "01jd", For: address(t, "a@chu-a.example"), At: noon(),
	}
	want := "Received: from mx.labo-b.example ([192.0.2.7])\r\n" +
		" by mx.chu-a.example with ESMTPS\r\n" +
		" (TLS1.3 TLS_AES_128_GCM_SHA256)\r\n" +
		" id 01jd\r\n" +
		" for <a@chu-a.example>;\r\n" +
		" Mon, 2 Nov 2026 12:00:00 +0100\r\n"
	if got := letter.Received(h); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	v6 := letter.Received(letter.Hop{Hello: "[IPv6:2001:db8::1]", Remote: netip.MustParseAddr("2001:db8::1%eth0"), By: "b.example", Protocol: "ESMTP", At: noon()})
	if want := "Received: from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])\r\n by b.example with ESMTP;\r\n Mon, 2 Nov 2026 12:00:00 +0100\r\n"; v6 != want {
		t.Errorf("got %q, want %q", v6, want)
	}
	if got := letter.Received(letter.Hop{Remote: netip.MustParseAddr("::ffff:192.0.2.7"), At: noon()}); !strings.Contains(got, "from unknown ([192.0.2.7])") {
		t.Errorf("got %q", got)
	}
}

// TestReceivedIsOneField holds that nothing a peer says makes a second field.
func TestReceivedIsOneField(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{
		"a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rb", "a\x00b", "a) by evil (", "a; Mon, 2 Nov", "\u00e9.example", "a b", "[", "[]", "a]",
		strings.Repeat("a", 300), "",
	} {
		text := letter.Received(letter.Hop{Hello: evil, By: evil, Protocol: evil, TLS: evil, ID: evil, At: noon()})
		fields := 0
		for f := range letter.FieldsOf([]byte(text)) {
			fields++
			if !f.Is("Received") || string(f.Raw) != text {
				t.Errorf("%q: field %q", evil, f.Raw)
			}
			if strings.ContainsAny(f.Value(), "\r\n\x00") || strings.Count(f.Value(), ";") != 1 {
				t.Errorf("%q: value %q", evil, f.Value())
			}
		}
		if fields != 1 || !strings.HasSuffix(text, "\r\n") || !strings.Contains(text, "from unknown\r\n") {
			t.Errorf("%q: %q", evil, text)
		}
	}
	// An address that would need SMTPUTF8 is left out.
	if got := letter.Received(letter.Hop{For: address(t, "ren\u00e9@b.example"), At: noon()}); strings.Contains(got, "for") {
		t.Errorf("got %q", got)
	}
}

func TestReturnPath(t *testing.T) {
	t.Parallel()
	if got, want := letter.ReturnPath(address(t, "A@b.example")), "Return-Path: <A@b.example>\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := letter.ReturnPath(identity.Address{}), "Return-Path: <>\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
