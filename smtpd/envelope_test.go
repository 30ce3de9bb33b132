package smtpd_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/smtpd"
)

// FuzzEnvelope holds that what is let through says one thing: the address between
// the only angle brackets, as it stands there, and printable parameters.
func FuzzEnvelope(f *testing.F) {
	for _, seed := range []string{
		"FROM:<a@b.test> SIZE=1 BODY=8BITMIME", "TO:<a@b.test> NOTIFY=NEVER ORCPT=rfc822;a+2Bb@c.d", "from: <>",
		`TO:<"a@b"@c.test>`, "TO:<@a,@b:c@d.test>", "TO:<a@[1.2.3.4]>", "FROM:<a@b.test> ENVID=+41 AUTH=<> RET=HDRS SMTPUTF8",
		"TO:<é@b.test>", "FROM:<a@b.test>\tSIZE=1", "TO:<a@b.test", "FROM:a@b.test",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		check := func(keyword, address, reason string) {
			if reason != "" {
				if r, ok := smtpd.Listed(reason); !ok || r.Code/100 != 5 {
					t.Errorf("%q: reason %q", arg, reason)
				}
				return
			}
			if !strings.EqualFold(arg[:len(keyword)], keyword) {
				t.Fatalf("%q was let through", arg)
			}
			path, params, _ := strings.Cut(arg[strings.IndexByte(arg, '<')+1:], ">")
			if strings.ContainsFunc(params, unicode.IsControl) {
				t.Errorf("%q: control characters were let through", arg)
			}
			if path == "" && keyword == "FROM:" {
				if address != "" {
					t.Errorf("%q: the null sender is %q", arg, address)
				}
				return
			}
			want, err := identity.ParseAddress(path)
			if err != nil || want.String() != address || strings.ContainsAny(path, "\"<>[]():;,\\ \t%!") {
				t.Errorf("%q: %q was let through as %q", arg, path, address)
			}
		}
		address, reason := smtpd.ParseMail(arg)
		check("FROM:", address, reason)
		address, reason = smtpd.ParseRcpt(arg)
		check("TO:", address, reason)
	})
}
