package reading_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
)

func TestWhoMayOpenWhat(t *testing.T) {
	t.Parallel()
	good := reading.Case{Act: reading.OpenLetter, Rights: account.Everything, Kind: mailbox.Patient, State: mailbox.Active, Keys: true}
	for _, c := range []struct {
		what   string
		change func(*reading.Case)
		want   string
	}{
		{"the owner", func(*reading.Case) {}, ""},
		{"who may only read", func(c *reading.Case) { c.Rights = account.Read }, ""},
		{"who may only send", func(c *reading.Case) { c.Rights = account.Send }, "right-missing"},
		{"who may only read, answering", func(c *reading.Case) { c.Act, c.Rights = reading.Answer, account.Read }, "right-missing"},
		{"who may send, answering", func(c *reading.Case) { c.Act, c.Rights = reading.Answer, account.Send }, ""},
		{"a stranger", func(c *reading.Case) { c.Rights = 0 }, "right-missing"},
		{"at a closed box", func(c *reading.Case) { c.State = mailbox.Closed }, "box-closed"},
		{"at an opposed box", func(c *reading.Case) { c.State = mailbox.Opposed }, "box-opposed"},
		{"at a suspended box", func(c *reading.Case) { c.State = mailbox.Suspended }, ""},
		{"with another space's keys", func(c *reading.Case) { c.Keys = false }, "keys-missing"},
		{"a vault", func(c *reading.Case) { c.Act = reading.OpenDocument }, ""},
		{"a professional's vault", func(c *reading.Case) { c.Act, c.Kind = reading.OpenDocument, mailbox.PER }, "space-not-a-patients"},
		{"a professional's letters", func(c *reading.Case) { c.Kind = mailbox.ORG }, ""},
	} {
		one := good
		c.change(&one)
		if err := reading.Decide(one); reason(err) != c.want {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}

// Nobody opens anything without the right to read, the keys, and an open box; with
// all three nothing is refused but what the space does not have.
func TestDecisionsFollowFromTheirCase(t *testing.T) {
	t.Parallel()
	acts := []reading.Act{
		reading.OpenLetter, reading.ListLetters, reading.OpenDocument, reading.ListDocuments,
		reading.OpenEvent, reading.ListEvents, reading.ListAccesses, reading.OpenOutcome,
	}
	rapid.Check(t, func(t *rapid.T) {
		c := reading.Case{
			Act:    rapid.SampledFrom(acts).Draw(t, "act"),
			Rights: account.Rights(rapid.IntRange(0, 7).Draw(t, "rights")),
			Kind:   rapid.SampledFrom([]mailbox.Kind{mailbox.PER, mailbox.ORG, mailbox.APP, mailbox.CAB, mailbox.Patient}).Draw(t, "kind"),
			State: rapid.SampledFrom([]mailbox.State{
				mailbox.Active, mailbox.Suspended, mailbox.Announced, mailbox.Closed, mailbox.Opposed,
			}).Draw(t, "state"),
			Keys: rapid.Bool().Draw(t, "keys"),
		}
		err := reading.Decide(c)
		open := c.Rights.May(account.Read) && c.Keys && c.State != mailbox.Closed && c.State != mailbox.Opposed
		switch {
		case !open && !fault.Is(err, fault.Denied):
			t.Errorf("%+v: %v", c, err)
		case open && c.Kind == mailbox.Patient && err != nil:
			t.Errorf("%+v: %v", c, err)
		case open && err != nil && !fault.Is(err, fault.NotFound):
			t.Errorf("%+v: %v", c, err)
		}
	})
}
