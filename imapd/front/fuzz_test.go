package front_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/imapd/front"
)

// FuzzLines: whatever a client sends, what the library is given are single lines
// that it cannot read past: one line end, balanced quotes, no NUL, no literal but
// the empty one that ends an APPEND, never too long. Reading them again changes
// nothing.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{
		"a LOGIN {4}\r\nuser {4+}\r\npa\"s\r\n",
		"b APPEND {5+}\r\nINBOX (\\Seen) {10+}\r\nX: CREATE \r\n\r\n",
		"c APPEND x {99999999999+}\r\nX-Foo: CREATE pwned\r\n",
		"d SEARCH TEXT \"a\\\"b\" (OR SEEN {3+}\r\nx y {1+}\r\nz)\r\n",
		"e UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (A B)]<0.10>)\r\nf IDLE\r\nDONE\r\n",
		"g X {5+}\r\nhello {3+}\r\nabc\r\nh NOOP\r\n",
		"i APPEND x UTF8 (~{3+}\r\nabc)\r\nj NOOP\n",
		"k SELECT \"a {3+}\r\n",
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, in []byte, late bool) {
		lines, err := front.Lines(bytes.NewReader(in), late)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, l := range lines {
			check(t, l)
			if l.Message >= 0 {
				continue
			}
			again, err := front.Lines(strings.NewReader(l.Text), true)
			if err != nil || len(again) != 1 || again[0].Text != l.Text {
				t.Errorf("%q becomes %+v when read again (%v)", l.Text, again, err)
			}
		}
	})
}

func check(t *testing.T, l front.Line) {
	t.Helper()
	body, ok := strings.CutSuffix(l.Text, "\r\n")
	if !ok || strings.ContainsAny(body, "\r\n\x00") {
		t.Errorf("%q is not one line", l.Text)
	}
	if l.Message >= 0 {
		if body, ok = strings.CutSuffix(body, "{0+}"); !ok {
			t.Errorf("%q has a message and no literal", l.Text)
		}
	}
	quoted := false
	for i := 0; i < len(body); i++ {
		switch {
		case quoted && body[i] == '\\':
			i++
		case body[i] == '"':
			quoted = !quoted
		case body[i] == '{' && !quoted:
			t.Errorf("%q announces a literal", l.Text)
		}
	}
	if quoted {
		t.Errorf("%q has an open quote", l.Text)
	}
	if len(l.Text) > 50<<10 { // where the library stops reading
		t.Errorf("a line of %d octets", len(l.Text))
	}
}
