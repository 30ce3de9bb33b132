package reading

import (
	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
)

// Act is what a reader wants to do; it is the act of the audit leaf where there is
// one.
type Act string

// The acts. Lists show summaries to who may read; they are no openings and leave no
// leaf of their own.
const (
	OpenLetter    Act = "letter.open"
	ListLetters   Act = "letter.list"
	OpenDocument  Act = "document.open"
	ListDocuments Act = "document.list"
	OpenEvent     Act = "event.open"
	ListEvents    Act = "event.list"
	ListAccesses  Act = "access.list"
	OpenOutcome   Act = "outcome.open"
	// Answer is sending a letter from the box: an answer to a letter or an invitation.
	Answer Act = "letter.answer"
)

// needs is the right that an act takes.
func (a Act) needs() account.Rights {
	if a == Answer {
		return account.Send
	}
	return account.Read
}

// patients are the acts on what only a patient's space has.
func (a Act) patients() bool {
	switch a {
	case OpenDocument, ListDocuments, OpenEvent, ListEvents, ListAccesses:
		return true
	}
	return false
}

// Case is what a decision rests on, read in the transaction that acts on it.
type Case struct {
	Act Act
	// Rights are the reader's on the box, none for a stranger.
	Rights account.Rights
	// Kind and State are the box's.
	Kind  mailbox.Kind
	State mailbox.State
	// Keys says that the released keys are of the box's space.
	Keys bool
}

// Decide says whether a reader may do what they want. It is a pure function. It
// returns nil or a fault: Denied "right-missing", "box-closed", "box-opposed" or
// "keys-missing", NotFound "space-not-a-patients".
func Decide(c Case) error {
	switch {
	case !c.Rights.May(c.Act.needs()):
		return fault.New(fault.Denied, "right-missing")
	case c.State == mailbox.Closed:
		return fault.New(fault.Denied, "box-closed")
	case c.State == mailbox.Opposed:
		return fault.New(fault.Denied, "box-opposed")
	case !c.Keys:
		return fault.New(fault.Denied, "keys-missing")
	case c.Act.patients() && c.Kind != mailbox.Patient:
		return fault.New(fault.NotFound, "space-not-a-patients")
	}
	return nil
}
