package account

// What the tests look at: how a hash is kept, and the one that stands for nobody's.

// PHC returns the hash as its row has it.
func (p PasswordHash) PHC() string { return p.phc() }

// Nobodys is what a password is held against when there is no such login.
func (h *Hasher) Nobodys() string { return h.dummy.phc() }

// ParsePHC reads a row's hash.
func ParsePHC(s string) (PasswordHash, error) { return parsePHC(s) }
