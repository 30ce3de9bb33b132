package agenda

import (
	"strings"
)

// contentLine is a content line of RFC 5545 3.1, unfolded and taken apart.
type contentLine struct {
	name   string // in upper case
	params []param
	value  string
}

// param is a parameter with its first value, unquoted.
type param struct{ name, value string }

// splitName returns the name of an unfolded line in upper case, and what follows it
// from ";" or ":" on. A line that has neither, or whose name is not one, has none.
func splitName(s string) (name, rest string) {
	i := strings.IndexAny(s, ";:")
	if i < 0 {
		i = len(s)
	}
	name = strings.TrimSpace(s[:i])
	if name == "" || len(name) > 64 {
		return "", s[i:]
	}
	for j := range len(name) {
		switch c := name[j]; {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-':
		default:
			return "", s[i:]
		}
	}
	return strings.ToUpper(name), s[i:]
}

// parseLine takes a line apart; keep says which parameters are worth it. It reads
// quotes as leniently as mail clients write them: one in the middle of a value opens
// or closes like any other. It fails when there is no value.
func parseLine(name, rest string, keep func(param string) bool) (contentLine, bool) {
	l := contentLine{name: name}
	for strings.HasPrefix(rest, ";") {
		end, ok := paramEnd(rest[1:])
		if !ok {
			return l, false
		}
		text := rest[1 : 1+end]
		rest = rest[1+end:]
		key, value, found := strings.Cut(text, "=")
		key = strings.ToUpper(strings.TrimSpace(key))
		if !found || !keep(key) || l.has(key) {
			continue
		}
		l.params = append(l.params, param{key, cut(firstValue(value), maxParam)})
	}
	value, found := strings.CutPrefix(rest, ":")
	l.value = value
	return l, found
}

// paramEnd returns where a parameter ends: at the next ";" or ":" outside quotes.
func paramEnd(s string) (int, bool) {
	quoted := false
	for i := range len(s) {
		switch s[i] {
		case '"':
			quoted = !quoted
		case ';', ':':
			if !quoted {
				return i, true
			}
		}
	}
	return 0, false
}

// firstValue returns the first value of a parameter without its quotes.
func firstValue(s string) string {
	quoted := false
	for i := range len(s) {
		if s[i] == '"' {
			quoted = !quoted
		} else if s[i] == ',' && !quoted {
			s = s[:i]
			break
		}
	}
	return strings.ReplaceAll(s, `"`, "")
}

// has reports whether the line has that parameter.
func (l *contentLine) has(name string) bool {
	for _, p := range l.params {
		if p.name == name {
			return true
		}
	}
	return false
}

// write writes the line in the one form that needs no leniency.
func (l *contentLine) write(b *strings.Builder) {
	b.WriteString(l.name)
	for _, p := range l.params {
		b.WriteString(";" + p.name + `="` + p.value + `"`)
	}
	b.WriteString(":" + l.value + "\r\n")
}
