package identity

// PersonID names a person (or a machine, for an application box) in every trace.
type PersonID string

// Principal is who acts: a real person or machine, through one proven credential.
// The acting person is an argument of every act, never a value in a context.
type Principal struct {
	// Person is the real person or machine, also when acting for somebody else.
	Person PersonID
	// Pseudonym stands for the person in the audit log (hex, keyed).
	Pseudonym string
	// Role is one of "professional", "patient", "application", "operator", "peer".
	Role string
	// Credential says what was proven: "app-password", "certificate", "certificate+app-password".
	Credential string
}
