package letter

import "strings"

// phrase returns the words of a display name in one line: quotes resolved, comments
// dropped, white space between words made one space.
func phrase(s string) string {
	s = strings.Trim(s, " \t\r\n")
	if simple(s) {
		return s
	}
	var b strings.Builder
	x := lexer{s: s}
	for space := false; !x.end(); {
		switch c := x.peek(); c {
		case ' ', '\t', '\r', '\n':
			space = true
			x.i++
			continue
		case '(':
			space = true
			x.i = commentEnd(x.s, x.i)
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		if x.peek() == '"' {
			text, _ := x.quoted()
			b.WriteString(text)
			continue
		}
		b.WriteByte(x.peek())
		x.i++
	}
	return b.String()
}

// simple reports whether s is words with single spaces, or nothing.
func simple(s string) bool {
	for i := range len(s) {
		switch s[i] {
		case '"', '(', '\t', '\r', '\n':
			return false
		case ' ':
			if s[i+1] == ' ' { // s is trimmed: a space is not its end
				return false
			}
		}
	}
	return true
}

// splitSpec splits an addr-spec at its last "@" outside quotes and comments, and
// drops white space and comments (RFC 5322 3.4.1, 4.4).
func splitSpec(s string) (mailbox, host string) {
	x := lexer{s: s}
	at := -1
	for !x.end() {
		switch x.peek() {
		case '"':
			x.quoted()
		case '(':
			x.i = commentEnd(x.s, x.i)
		case '@':
			at = x.i
			x.i++
		default:
			x.i++
		}
	}
	if at < 0 {
		return phrase(s), ""
	}
	return compact(phrase(s[:at])), compact(phrase(s[at+1:]))
}

// compact drops the white space that old syntax allows around dots; other white
// space stays, since it is no address anyway.
func compact(s string) string {
	for strings.Contains(s, " .") || strings.Contains(s, ". ") {
		s = strings.ReplaceAll(strings.ReplaceAll(s, " .", "."), ". ", ".")
	}
	return s
}

// lastComment returns the text of the last comment in s: where old mail puts the
// name, "jdoe@example.org (John Doe)".
func lastComment(s string) string {
	name := ""
	x := lexer{s: s}
	for !x.end() {
		switch x.peek() {
		case '"':
			x.quoted()
		case '(':
			start := x.i
			x.i = commentEnd(x.s, x.i)
			text := strings.TrimSuffix(x.s[start+1:x.i], ")")
			name = strings.Trim(unescape(text), " \t\r\n")
		default:
			x.i++
		}
	}
	return name
}
