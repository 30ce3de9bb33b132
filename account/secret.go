package account

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
)

// secretLength is the length of an app password without hyphens: 28 characters of
// 5 bits are 140, over the 128 that make a fast keyed hash enough.
const secretLength = 28

// Secret is an app password: seven groups of four characters, a-z and 2-7. It
// never prints itself; Reveal shows it once, to its holder.
type Secret struct{ text string }

// NewSecret makes a random app password.
func NewSecret() Secret {
	var b [18]byte
	_, _ = rand.Read(b[:]) // never fails (Go 1.24)
	return Secret{strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))[:secretLength]}
}

// ParseSecret reads an app password as people type it: in any case, with or
// without hyphens and spaces. Anything else is fault.Denied "login-failed": it is
// nobody's password.
func ParseSecret(s string) (Secret, error) {
	failed := fault.New(fault.Denied, "login-failed")
	if len(s) > 4*secretLength {
		return Secret{}, failed
	}
	s = strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(s))
	if len(s) != secretLength || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return Secret{}, failed
	}
	return Secret{s}, nil
}

// Reveal returns the password in groups, for its holder's eyes.
func (s Secret) Reveal() string {
	var groups []string
	for i := 0; i+4 <= len(s.text); i += 4 {
		groups = append(groups, s.text[i:i+4])
	}
	return strings.Join(groups, "-")
}

// String returns "[redacted]".
func (s Secret) String() string { return "[redacted]" }

// Format writes "[redacted]" whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue keeps the password out of every log.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
