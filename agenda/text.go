package agenda

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// line returns text for people in one line of at most n octets.
func line(s string, n int) string {
	return strings.Join(strings.Fields(plain(s, n)), " ")
}

// plain returns text for people of at most n octets: valid UTF-8; control characters
// become spaces, line ends and tabs aside; characters that change the direction of
// what stands around them, or hide text, are dropped.
func plain(s string, n int) string {
	s = cut(s, 2*n) // what is dropped below counts little
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case r == 0x85, r == 0x2028, r == 0x2029, r == '\r': // other line ends
			return '\n'
		case unicode.IsControl(r):
			return ' '
		case hidden(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.TrimSpace(s)
	if len(s) > n {
		s = strings.TrimSpace(cut(s, n-len("…"))) + "…"
	}
	return s
}

// hidden reports whether a character is drawn as nothing and changes how others are
// drawn or read: bidirectional formatting (UAX #9), invisible operators, a byte
// order mark, tag characters, interlinear annotation. Joiners stay: scripts need them.
func hidden(r rune) bool {
	switch {
	case r == 0x061C, r == 0x200B, r == 0x200E, r == 0x200F, r == 0xFEFF, r == 0x00AD:
		return true
	case r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x206F, r >= 0xFFF9 && r <= 0xFFFB:
		return true
	}
	return r >= 0xE0000 && r <= 0xE0FFF
}

// cut returns at most n octets of s, and no half character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n = max(n, 0)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// unescape resolves the escapes of a TEXT value (RFC 5545 3.3.11). Unknown ones stay
// as they are, and so does a comma or semicolon that should have been escaped: many
// clients do not.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n', 'N':
			b.WriteByte('\n')
		case '\\', ';', ',', ':', '"':
			b.WriteByte(s[i])
		default:
			b.WriteByte('\\')
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// unescapeParam resolves the escapes of a parameter value (RFC 6868).
func unescapeParam(s string) string {
	if !strings.Contains(s, "^") {
		return s
	}
	return strings.NewReplacer("^n", " ", "^N", " ", "^^", "^", "^'", `"`).Replace(s)
}
