package mailbox_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
)

func TestASummaryOpensAsItWasSealed(t *testing.T) {
	t.Parallel()
	k := seal.NewSessionKey()
	for _, s := range []mailbox.Summary{
		{Head: []byte(head), Structure: walk(t, []byte(nested)), Preview: "first"},
		{Head: []byte{}, Structure: walk(t, []byte(simple))},
	} {
		sealed, err := mailbox.SealSummary(k, "letter", s)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(sealed), "hospital.example") {
			t.Error("the sealed summary can be read")
		}
		got, err := mailbox.OpenSummary(k, "letter", sealed)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, got); diff != "" {
			t.Errorf("(-sealed +opened)\n%s", diff)
		}
		for _, c := range []struct {
			what   string
			key    seal.SessionKey
			id     mailbox.MessageID
			sealed []byte
		}{
			{"of another letter", k, "other", sealed},
			{"under another key", seal.NewSessionKey(), "letter", sealed},
			{"cut", k, "letter", sealed[:len(sealed)-1]},
			{"empty", k, "letter", nil},
		} {
			if _, err := mailbox.OpenSummary(c.key, c.id, c.sealed); !fault.Is(err, fault.Internal) || fault.Reason(err) != "summary-broken" {
				t.Errorf("%s: %v", c.what, err)
			}
		}
	}
}

func TestASummaryNeedsAStructure(t *testing.T) {
	t.Parallel()
	if _, err := mailbox.SealSummary(seal.NewSessionKey(), "letter", mailbox.Summary{}); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v", err)
	}
}

// A record that opens but holds something else must not panic.
func TestABrokenSummaryIsAFault(t *testing.T) {
	t.Parallel()
	k := seal.NewSessionKey()
	good, err := mailbox.SealSummary(k, "letter", mailbox.Summary{Head: []byte(head), Structure: walk(t, []byte(nested))})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := k.OpenRecord("summary", "letter", good)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(plain) {
		sealed, err := k.SealRecord("summary", "letter", plain[:n])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mailbox.OpenSummary(k, "letter", sealed); !fault.Is(err, fault.Internal) {
			t.Errorf("%d of %d octets: %v", n, len(plain), err)
		}
	}
}
