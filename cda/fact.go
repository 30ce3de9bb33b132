package cda

import (
	"strings"
	"unicode/utf8"
)

// tidy makes one line of a text of the header: white space is one blank, marks that
// turn text round are gone, at most 1,000 characters.
func tidy(s string) string {
	s = strings.Join(strings.Fields(strings.Map(harmless, s)), " ")
	if len(s) <= maxFact {
		return s
	}
	n := 0
	for i := range s {
		if n++; n > maxFact {
			return s[:i]
		}
	}
	return s
}

// harmless drops the characters that change the order in which others are shown
// (Unicode Bidirectional Algorithm, explicit formatting characters): a dose of 001 mg
// must not read 100 mg. Control characters become a blank.
func harmless(r rune) rune {
	switch {
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
		return -1
	case r < 0x20, r >= 0x7F && r <= 0x9F, r == utf8.RuneError:
		return ' '
	}
	return r
}

// hasOverride reports whether a text has characters that turn it round.
func hasOverride(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return harmless(r) < 0 }) >= 0
}
