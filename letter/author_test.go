package letter_test

import (
	"bytes"
	"net/mail"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
)

// reason returns the reason id of an Invalid fault, empty for no error.
func reason(err error) string {
	if err == nil {
		return ""
	}
	if !fault.Is(err, fault.Invalid) {
		return "not invalid: " + err.Error()
	}
	return fault.Reason(err)
}

func TestAuthor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ header, want string }{
		{"From: a@b.example\r\n", "a@b.example"},
		{"FROM: <a@b.example>\r\n", "a@b.example"},
		{"From: \"Martin, Claire <x@y.example>\" <a@b.example>\r\n", "a@b.example"},
		{"From: Dr. Claire Martin <a@b.example>\r\n", "a@b.example"},
		{"From: =?utf-8?q?C=2C_M?=\r\n <a@b.example>\r\n", "a@b.example"},
		{"From: Ren\xc3\xa9 <ren\xc3\xa9@b.example>\r\n", "ren\xc3\xa9@b.example"},
		{"From: a@b.example (Dr Martin)\r\n", "a@b.example"},
		{"From:a@B.example\r\n", "a@b.example"},
		{"To: x@y.example\r\nFrom: a@b.example\r\nX: from: c@d.example\r\n", "a@b.example"},
		{"From nobody\r\nFrom: a@b.example\r\n", "a@b.example"},

		{"", "from-missing"},
		{"To: a@b.example\r\n", "from-missing"},
		{"\r\nFrom: a@b.example\r\n", "from-missing"},
		{"From: a@b.example\r\nfrom: a@b.example\r\n", "from-twice"},
		{"From: a@b.example\r\nFrom\t: a@b.example\r\n", "from-twice"},
		{"From: a@b.example, c@d.example\r\n", "from-several"},
		{"From: <a@b.example> <c@d.example>\r\n", "from-several"},
		{"From: a@b.example,\r\n", "from-several"},
		{"From:\r\n", "from-malformed"},
		{"From: <>\r\n", "from-malformed"},
		{"From: a\r\n", "from-malformed"},
		{"From: a b@c.example\r\n", "from-malformed"},
		{"From: \"a\"@b.example\r\n", "from-malformed"},
		{"From: c@d.example <a@b.example>\r\n", "from-malformed"},
		{"From: <a@b.example> c@d.example\r\n", "from-malformed"},
		{"From: <a@b.example> \"c@d.example\"\r\n", "from-malformed"},
		{"From: <a@b.example\r\n", "from-malformed"},
		{"From: a@b.example (c@d.example)\r\n", "from-malformed"},
		{"From: a@b.example (open\r\n", "from-malformed"},
		{"From: \"open <a@b.example>\r\n", "from-malformed"},
		{"From: <@x.example:a@b.example>\r\n", "from-malformed"},
		{"From: Group: a@b.example;\r\n", "from-malformed"},
		{"From: a@[192.0.2.1]\r\n", "from-malformed"},
		{"From: a%c@b.example\r\n", "from-malformed"},
		{"From : a@b.example\r\n", "from-malformed"},
		{"From: a@b.example\rFrom: c@d.example\r\n", "from-malformed"},
		{"From: a@b.example\x00c\r\n", "from-malformed"},
		{"From: \"" + strings.Repeat("x", 990) + "\" <a@b.example>\r\n", "from-malformed"},
	} {
		a, err := letter.Author([]byte(c.header + "\r\n"))
		got := reason(err)
		if err == nil {
			got = a.String()
		}
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.header, got, c.want)
		}
	}
}

// TestWalkerAuthor holds that the walker judges the top header, also when a limit
// was broken below it.
func TestWalkerAuthor(t *testing.T) {
	t.Parallel()
	w := letter.NewWalker(letter.Limits{Parts: 1})
	w.Write([]byte("From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nFrom: c@d.example\r\n\r\n--b--\r\n"))
	if _, err := w.Close(); reason(err) != "letter-too-many-parts" {
		t.Fatal(err)
	}
	a, err := w.Author()
	if err != nil || a.String() != "a@b.example" {
		t.Errorf("got %v, %v", a, err)
	}
}

// FuzzAuthor holds that another reader who finds senders at all finds the same one.
func FuzzAuthor(f *testing.F) {
	for _, s := range []string{
		"a@b.example", "\"A, B\" <a@b.example>", "a@b.example (C)", "A B <a@b.example> (c)", "G: a@b.example;", "a@b.example, c@d.example",
		"=?utf-8?q?<x@y.example>?= <a@b.example>", "<a@b.example>\r\nFrom: c@d.example", "a@b.example\r\n (c)", "\"a\\\" <x@y.example>\" <a@b.example>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, from string) {
		header := []byte("From: " + from + "\r\n\r\n")
		a, err := letter.Author(header)
		if err != nil {
			return
		}
		m, err := mail.ReadMessage(bytes.NewReader(header))
		if err != nil {
			return
		}
		if n := len(m.Header["From"]); n != 1 {
			t.Fatalf("%d senders in %q", n, header)
		}
		list, err := m.Header.AddressList("From")
		if err != nil {
			return
		}
		if len(list) != 1 || !strings.EqualFold(list[0].Address, a.String()) {
			t.Fatalf("%q is %q here and %v elsewhere", header, a, list)
		}
	})
}
