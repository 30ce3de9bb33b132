package mailbox

import (
	"slices"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Kind is what a box is bound to. It never changes (spec mssante 3.1, 3.3).
type Kind string

// The kinds.
const (
	PER     Kind = "PER"     // a named professional
	ORG     Kind = "ORG"     // a team or a service
	APP     Kind = "APP"     // software
	CAB     Kind = "CAB"     // a practice (cabinet)
	Patient Kind = "PATIENT" // an insured person
)

// Valid reports whether k is one of the kinds.
func (k Kind) Valid() bool {
	return slices.Contains([]Kind{PER, ORG, APP, CAB, Patient}, k)
}

// TakesPassword reports whether holders of such a box may have app passwords:
// software proves itself by certificate only (DESIGN 5).
func (k Kind) TakesPassword() bool { return k != APP && k.Valid() }

// PasswordSuffices reports whether an app password opens such a box without a
// certificate: patients' only (DESIGN 5).
func (k Kind) PasswordSuffices() bool { return k == Patient }

// State is where a box stands in its life.
type State string

// The states. Announced, Automatic and Opposed are of patients' boxes only
// (DESIGN 5); Warned and Suspended of boxes that nobody visits (spec mssante 3.6).
const (
	Announced State = "announced" // told of, not open yet: letters are held
	Automatic State = "automatic" // opened without a visit so far
	Active    State = "active"
	Warned    State = "warned"
	Suspended State = "suspended"
	Closed    State = "closed"
	Opposed   State = "opposed" // the patient said no
)

// stateTakes is what a box in each state answers to a letter: nil takes it.
func stateTakes(s State) error {
	switch s {
	case Active, Warned, Automatic:
		return nil
	case Announced:
		return fault.New(fault.Transient, "box-announced")
	case Suspended:
		return fault.New(fault.Denied, "box-suspended")
	case Opposed:
		return fault.New(fault.Denied, "box-opposed")
	default:
		return fault.New(fault.Denied, "box-closed")
	}
}

// Valid reports whether s is one of the states.
func (s State) Valid() bool {
	return slices.Contains([]State{Announced, Automatic, Active, Warned, Suspended, Closed, Opposed}, s)
}
