package identity

// Malformed is the error of every parser here: a reason id such as
// "address-malformed". Package fault reads it as fault.Invalid with that reason;
// it stands here because identity imports the standard library only.
type Malformed string

// Error returns the reason id.
func (m Malformed) Error() string { return string(m) }

// Malformed returns the reason id; its presence marks an error as bad input.
func (m Malformed) Malformed() string { return string(m) }
