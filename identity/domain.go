package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Domain is a DNS name in lower-case ASCII without a trailing dot. Domains are
// compared whole, never by suffix (spec mssante 1.6).
type Domain string

// ParseDomain checks and folds a domain name: letters, digits and hyphens, at
// least two labels. Address literals, trailing dots and non-ASCII names are
// refused (the trust space has none). It fails with Malformed
// "domain-malformed".
func ParseDomain(s string) (Domain, error) {
	const bad = Malformed("domain-malformed")
	if s == "" || len(s) > maxDomain {
		return "", bad
	}
	labels := 0
	for label := range strings.SplitSeq(s, ".") {
		labels++
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return "", bad
		}
		for i := range len(label) {
			c := label[i]
			switch {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
			default:
				return "", bad
			}
		}
	}
	if labels < 2 {
		return "", bad
	}
	return Domain(strings.ToLower(s)), nil
}

// validText reports whether s is valid UTF-8 without control or format
// characters (bidirectional overrides and zero-width characters spoof names).
func validText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.IsSpace(r) {
			return false
		}
	}
	return true
}
