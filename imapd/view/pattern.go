package view

import (
	"strings"

	"github.com/vaguemestre/vaguemestre/mailbox"
)

// Pattern is a LIST pattern (RFC 9051 6.3.9): "*" stands for anything, "%" for
// anything within one level.
type Pattern []byte

// NewPattern joins a reference and a pattern. Runs of wildcards mean what their
// strongest does. INBOX is the same in any case (RFC 9051 5.1).
func NewPattern(reference, p string) Pattern {
	p = reference + p
	if len(p) >= 5 && strings.EqualFold(p[:5], "INBOX") && (len(p) == 5 || strings.IndexByte("/*%", p[5]) >= 0) {
		p = "INBOX" + p[5:]
	}
	out := make(Pattern, 0, len(p))
	for i := range len(p) {
		c, last := p[i], len(out)-1
		if last >= 0 && (c == '*' || c == '%') && (out[last] == '*' || out[last] == '%') {
			if c == '*' {
				out[last] = c
			}
			continue
		}
		out = append(out, c)
	}
	return out
}

// Matches reports whether the name of a folder fits. It follows all places in the
// pattern at once, so no pattern costs more than its length times the name's.
func (p Pattern) Matches(name string) bool {
	at := make([]bool, len(p)+1)
	next := make([]bool, len(p)+1)
	at[0] = true
	p.skipWildcards(at)
	for i := range len(name) {
		clear(next)
		any := false
		for j, here := range at[:len(p)] {
			if !here {
				continue
			}
			switch p[j] {
			case '*':
				next[j] = true
			case '%':
				next[j] = name[i] != mailbox.Separator[0]
			default:
				next[j+1] = next[j+1] || p[j] == name[i]
			}
			any = any || next[j] || next[j+1]
		}
		if !any {
			return false
		}
		p.skipWildcards(next)
		at, next = next, at
	}
	return at[len(p)]
}

// skipWildcards lets wildcards stand for nothing.
func (p Pattern) skipWildcards(at []bool) {
	for j, c := range p {
		if at[j] && (c == '*' || c == '%') {
			at[j+1] = true
		}
	}
}
