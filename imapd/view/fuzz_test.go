package view_test

import (
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/imapd/view"
)

// FuzzQuery: a SEARCH is understood or refused, within its bounds.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		" ALL", " RETURN (MIN MAX) CHARSET UTF-8 SUBJECT \"a\\\\b\"", " OR (SEEN UID 1:*,4) NOT BEFORE 1-Feb-1994",
		" NOT NOT NOT NOT SEEN", " HEADER X-Y \"\" LARGER 10", " 1,2:4,*:3", " (((((ALL)))))", " KEYWORD",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, args string) {
		q, err := view.ParseQuery(args)
		keys, depth := q.Measure()
		if err == nil && (keys < 2 || keys > 1100 || depth > 70) {
			t.Errorf("%q has %d keys, %d deep", args, keys, depth)
		}
	})
}

// FuzzPattern compares the matcher with a plain one on short patterns.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{{"*", "a/b"}, {"%", "a/b"}, {"a%*b", "a/xb"}, {"inbox/%", "INBOX/x"}, {"%/%", "a/b"}, {"*x%y*", "1x2y/3"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, p, name string) {
		if len(p) > 12 || len(name) > 12 || strings.HasPrefix(strings.ToUpper(p), "INBOX") {
			return
		}
		if got, want := view.NewPattern("", p).Matches(name), plainMatch(p, name); got != want {
			t.Errorf("%q on %q: %v, want %v", p, name, got, want)
		}
	})
}

// plainMatch follows the definition.
func plainMatch(p, name string) bool {
	if p == "" {
		return name == ""
	}
	if p[0] != '*' && p[0] != '%' {
		return name != "" && p[0] == name[0] && plainMatch(p[1:], name[1:])
	}
	for i := 0; ; i++ {
		if plainMatch(p[1:], name[i:]) {
			return true
		}
		if i == len(name) || p[0] == '%' && name[i] == '/' {
			return false
		}
	}
}
