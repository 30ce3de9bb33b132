package seal

import (
	"errors"
	"fmt"
	"log/slog"
)

// redactedText is what a type that holds a key prints, whatever the verb.
const redactedText = "[redacted]"

// redacted is embedded in every type that holds a key: no formatting verb, logger
// or encoder shows the key.
type redacted struct{}

// String returns "[redacted]".
func (redacted) String() string { return redactedText }

// GoString returns "[redacted]".
func (redacted) GoString() string { return redactedText }

// Format prints "[redacted]" for every verb, %x and %d included.
func (redacted) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(redactedText)) }

// LogValue returns "[redacted]".
func (redacted) LogValue() slog.Value { return slog.StringValue(redactedText) }

// MarshalJSON always fails: a key is stored wrapped or not at all.
func (redacted) MarshalJSON() ([]byte, error) { return nil, errMarshal() }

// MarshalText always fails, for the encoders that use it.
func (redacted) MarshalText() ([]byte, error) { return nil, errMarshal() }

// MarshalBinary always fails, for the encoders that use it.
func (redacted) MarshalBinary() ([]byte, error) { return nil, errMarshal() }

func errMarshal() error { return errors.New("seal: a key is never encoded") }
