package letter

import (
	"bytes"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// Author returns the address that a letter says it is from. It is strict, since a
// rule of the trust space hangs on it and other readers must find the same one:
// the header block has exactly one From field with exactly one address in the form
// of [identity.Address], with or without a display name.
//
// It fails with fault.Invalid: "from-missing", "from-twice" (any spelling of the
// name counts, "FROM :" too), "from-several", or "from-malformed": a group, a
// route, a comment that holds an address, a line over 998 octets, a stray CR or NUL.
func Author(header []byte) (identity.Address, error) {
	var from Field
	count := 0
	for f := range FieldsOf(header) {
		if f.Is("From") {
			from = f
			count++
		}
	}
	switch {
	case count == 0:
		return identity.Address{}, fault.New(fault.Invalid, "from-missing")
	case count > 1:
		return identity.Address{}, fault.New(fault.Invalid, "from-twice")
	case strayed(from.Raw) || from.value != len(from.Name)+1:
		return identity.Address{}, fault.New(fault.Invalid, "from-malformed")
	}
	spec, reason := oneMailbox(from.Value())
	if reason != "" {
		return identity.Address{}, fault.New(fault.Invalid, reason)
	}
	a, err := identity.ParseAddress(spec)
	if err != nil {
		return identity.Address{}, fault.New(fault.Invalid, "from-malformed")
	}
	return a, nil
}

// strayed reports whether a field holds what some reader cuts off or takes for the
// next field: NUL, CR or LF alone, a line over 998 octets (RFC 5322 2.1.1).
func strayed(raw []byte) bool {
	if bytes.IndexByte(raw, 0) >= 0 {
		return true
	}
	for len(raw) > 0 {
		line := raw
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			line = raw[:i+1]
		}
		raw = raw[len(line):]
		text, _ := cutEnd(line)
		if len(text) > 998 || bytes.IndexByte(text, '\r') >= 0 {
			return true
		}
	}
	return false
}

// oneMailbox returns the addr-spec of a value that is one mailbox (RFC 5322 3.4),
// else a reason id.
func oneMailbox(value string) (spec, reason string) {
	x := lexer{s: value}
	words, bracket := 0, false
	for !x.end() {
		switch c := x.peek(); c {
		case ' ', '\t':
			x.i++
		case '"':
			if _, closed := x.quoted(); !closed || bracket {
				return "", "from-malformed"
			}
			words++
		case '(':
			start := x.i
			if x.i = commentEnd(x.s, x.i); strings.ContainsAny(x.s[start:x.i], "@<") || x.s[x.i-1] != ')' {
				return "", "from-malformed"
			}
		case '<':
			if bracket {
				return "", "from-several"
			}
			x.i++
			angle := x.until(">")
			if x.end() || strings.Contains(spec, "@") {
				return "", "from-malformed"
			}
			x.i++
			spec, bracket = angle, true
		case ',':
			return "", "from-several"
		case ':', ';', '>', ')', '\\':
			return "", "from-malformed"
		default:
			word := x.until(" \t\"(<>,:;)\\")
			if bracket || strings.Contains(spec, "@") {
				return "", "from-malformed"
			}
			spec = word
			words++
		}
	}
	if !bracket && words != 1 {
		return "", "from-malformed"
	}
	return spec, ""
}
