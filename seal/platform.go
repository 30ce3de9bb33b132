package seal

// Platform wraps the secrets that stand above all others: space keys, the works
// key, transit keys. The default is KeyFile; a hardware module can take its place.
//
// The label says whose secret it is ("space/ID", "works", "transit/DAY") and is
// authenticated: a wrap opens under its own label only. Implementations are safe
// for concurrent use.
type Platform interface {
	// Wrap seals a secret.
	Wrap(label string, secret []byte) ([]byte, error)
	// Unwrap opens what Wrap made under the same label; anything else is
	// fault.Internal.
	Unwrap(label string, wrapped []byte) ([]byte, error)
}
