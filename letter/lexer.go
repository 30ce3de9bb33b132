package letter

import "strings"

// lexer reads the structured value of a MIME field (RFC 2045 5.1), leniently.
type lexer struct {
	s string
	i int
	// comment says that a comment was skipped.
	comment bool
}

// end reports whether nothing is left.
func (l *lexer) end() bool { return l.i >= len(l.s) }

// peek returns the next octet, 0 at the end.
func (l *lexer) peek() byte {
	if l.end() {
		return 0
	}
	return l.s[l.i]
}

// skip passes over white space and comments, nested ones too (RFC 5322 3.2.2).
func (l *lexer) skip() {
	for !l.end() {
		switch l.s[l.i] {
		case ' ', '\t', '\r', '\n':
			l.i++
		case '(':
			l.comment = true
			l.i = commentEnd(l.s, l.i)
		default:
			return
		}
	}
}

// commentEnd returns the index after the comment that begins at i; an unclosed
// one ends with the text.
func commentEnd(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// token reads a token (RFC 2045 5.1); it may be empty.
func (l *lexer) token() string {
	start := l.i
	for !l.end() && tokenByte(l.s[l.i]) {
		l.i++
	}
	return l.s[start:l.i]
}

// tokenByte reports whether c may stand in a token.
func tokenByte(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte("()<>@,;:\\\"/[]?=", c) < 0
}

// isToken reports whether s is a token.
func isToken(s string) bool {
	for i := range len(s) {
		if !tokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// quoted reads a quoted string, the lexer being on its first quote, and reports
// whether it was closed.
func (l *lexer) quoted() (string, bool) {
	start := l.i + 1
	i, escaped := start, false
	for ; i < len(l.s) && l.s[i] != '"'; i++ {
		if l.s[i] == '\\' {
			escaped = true
			i++
		}
	}
	end := min(i, len(l.s))
	l.i = min(end+1, len(l.s))
	text := l.s[start:end]
	if escaped {
		text = unescape(text)
	}
	return text, end < len(l.s)
}

// unescape resolves the quoted pairs of a quoted string or comment.
func unescape(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		out = append(out, s[i])
	}
	return string(out)
}

// until reads to one of the octets in stop, or to the end.
func (l *lexer) until(stop string) string {
	start := l.i
	if n := strings.IndexAny(l.s[l.i:], stop); n >= 0 {
		l.i += n
	} else {
		l.i = len(l.s)
	}
	return l.s[start:l.i]
}
