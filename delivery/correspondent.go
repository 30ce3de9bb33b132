package delivery

import (
	"strings"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
)

// correspondent is whom a patient may answer to this letter (spec mssante 7.4):
// its author, or the Reply-To box in the author's place (7.5).
func (d *dispatch) correspondent(box mailbox.BoxID) (*mailbox.Correspondent, error) {
	peer, err := d.in.walker.Author()
	if err != nil {
		return nil, err
	}
	name := ""
	if e := d.in.structure.Root.Envelope; e != nil {
		if len(e.From) > 0 {
			name = e.From[0].Name
		}
		// Without the field, ReplyTo is From.
		if to, ok := answerBox(e.ReplyTo); ok && !to.Equal(peer) {
			peer = to
			if e.ReplyTo[0].Name != "" {
				name = e.ReplyTo[0].Name
			}
		}
	}
	return mailbox.NewCorrespondent(d.office.Works, box, peer, letter.DecodeWords(name), !d.in.closes())
}

// answerBox returns the one box that a Reply-To names; several, or none that can
// be one, are not followed.
func answerBox(list []letter.Address) (identity.Address, bool) {
	if len(list) != 1 {
		return identity.Address{}, false
	}
	a, err := identity.ParseAddress(list[0].Mailbox + "@" + list[0].Host)
	return a, err == nil
}

// closes reports whether the author ends the exchange with the patient (spec
// mssante 7.6): a field "X-MSS-MES: FIN", or a subject that is exactly "[FIN]".
func (in *intake) closes() bool {
	for f := range letter.FieldsOf(in.walker.Header()) {
		if f.Is("X-MSS-MES") && strings.EqualFold(f.Value(), "FIN") || f.Is("Subject") && f.Value() == "[FIN]" {
			return true
		}
	}
	return false
}
