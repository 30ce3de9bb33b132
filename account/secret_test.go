package account_test

import (
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/fault"
)

// What is taken as a password reads the same when typed again as it is shown.
func FuzzParseSecret(f *testing.F) {
	f.Add("abcd-efgh-ijkl-mnop-qrst-uvwx-yz23")
	f.Add("ABCD EFGH IJKL MNOP QRST UVWX YZ23")
	f.Add("abcd-efgh-ijkl-mnop-qrst-uvwx-yz01")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := account.ParseSecret(text)
		if err != nil {
			if !fault.Is(err, fault.Denied) || err.Error() != "login-failed" {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		plain := strings.NewReplacer("-", "", " ", "").Replace(s.Reveal())
		if len(plain) != 28 || strings.ToLower(plain) != plain {
			t.Errorf("%q reads as %q", text, s.Reveal())
		}
		if again, err := account.ParseSecret(s.Reveal()); err != nil || again != s {
			t.Errorf("%q reads as %q, and that not as itself", text, s.Reveal())
		}
	})
}
