package identity

import (
	"log/slog"
	"strings"
)

// Limits of RFC 5321 4.5.3.1, in octets.
const (
	maxLocal  = 64
	maxDomain = 255
	maxLabel  = 63
)

// Address is a mailbox address inside or outside the trust space, in the only
// form that the house accepts: dot-atom "@" domain. Quoted local parts, address
// literals, source routes, comments and the %-hack are refused: no box of the
// trust space needs them and each has been a way around a check.
//
// An Address is personal data (a patient's holds the INS): it never prints
// itself into a log.
type Address struct {
	local  string
	domain Domain
}

// ParseAddress parses "local@domain" (RFC 5321 4.1.2 Mailbox, dot-string form;
// RFC 6531 UTF-8 in the local part). The local part keeps its case; the domain is
// folded to lower case. It fails with
// Malformed "address-malformed".
func ParseAddress(s string) (Address, error) {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return Address{}, Malformed("address-malformed")
	}
	local := s[:at]
	if !validLocal(local) {
		return Address{}, Malformed("address-malformed")
	}
	domain, err := ParseDomain(s[at+1:])
	if err != nil {
		return Address{}, Malformed("address-malformed")
	}
	return Address{local: local, domain: domain}, nil
}

// validLocal reports whether s is a dot-string without '%' and '!', which once
// meant routes (RFC 5321 appendix F.2).
func validLocal(s string) bool {
	if s == "" || len(s) > maxLocal || !validText(s) {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for i := range len(atom) {
			c := atom[i]
			switch {
			case c >= 0x80, 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			case strings.IndexByte("#$&'*+-/=?^_`{|}~", c) >= 0:
			default:
				return false
			}
		}
	}
	return true
}

// IsZero reports whether a is the zero Address.
func (a Address) IsZero() bool { return a.domain == "" }

// Local returns the part before the "@", with the case it was written in.
func (a Address) Local() string { return a.local }

// Domain returns the part after the "@".
func (a Address) Domain() Domain { return a.domain }

// String returns "local@domain" as it goes on the wire. Never log it.
func (a Address) String() string { return a.local + "@" + string(a.domain) }

// Key returns the form that is compared and hashed: lower case throughout. No
// operator of the trust space tells boxes apart by case.
func (a Address) Key() string { return strings.ToLower(a.local) + "@" + string(a.domain) }

// Equal reports whether both name the same box.
func (a Address) Equal(b Address) bool { return a.Key() == b.Key() }

// LogValue keeps the local part out of every log.
func (a Address) LogValue() slog.Value { return slog.StringValue("***@" + string(a.domain)) }
