package mailbox_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
)

// A name that is taken is taken as it is, INBOX apart; one that is refused has one reason.
func FuzzCleanName(f *testing.F) {
	for _, seed := range []string{"INBOX", "inbox/Été", "a/b/c", "a//b", "/", "a*", "\x00", "\xff", strings.Repeat("a", 300), "\u200b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, err := mailbox.CleanName(name)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || fault.Reason(err) != "folder-name" {
				t.Errorf("%q: %v", name, err)
			}
			return
		}
		if again, err := mailbox.CleanName(got); err != nil || again != got {
			t.Errorf("%q became %q, then %q, %v", name, got, again, err)
		}
		if !strings.EqualFold(got, name) || !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n\x00*%") {
			t.Errorf("%q became %q", name, got)
		}
	})
}
