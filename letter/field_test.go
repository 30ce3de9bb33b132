package letter_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/letter"
)

func TestFields(t *testing.T) {
	t.Parallel()
	const header = " stray\r\nSubject: a\r\n b\r\nno field\r\nFrom : x\nX:\r\nB\x01: y\r\n\r\nbody: no\r\n"
	type field struct{ Name, Raw, Value string }
	want := []field{
		{"", " stray\r\n", "stray"},
		{"Subject", "Subject: a\r\n b\r\n", "a b"},
		{"", "no field\r\n", "no field"},
		{"From", "From : x\n", "x"},
		{"X", "X:\r\n", ""},
		{"", "B\x01: y\r\n", "B\x01: y"},
	}
	for name, r := range map[string]io.Reader{
		"whole": strings.NewReader(header), "octets": iotest.OneByteReader(strings.NewReader(header)),
		"no empty line": strings.NewReader(header[:strings.Index(header, "\r\n\r\n")+2]),
	} {
		var got []field
		for f, err := range letter.Fields(r, 1000) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, field{f.Name, string(f.Raw), f.Value()})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestFieldsEnd holds how a header that is too large, or unreadable, ends.
func TestFieldsEnd(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, c := range []struct {
		r      io.Reader
		fields int
		want   string
	}{
		{strings.NewReader("\r\nX: y\r\n"), 0, ""},
		{strings.NewReader(""), 0, ""},
		{strings.NewReader(strings.Repeat("X: y\r\n", 4) + "\r\n"), 4, ""},
		{strings.NewReader(strings.Repeat("X: y\r\n", 100)), 10, "letter-header-too-large"},
		{io.MultiReader(strings.NewReader("X: y\r\n"), iotest.ErrReader(broken)), 1, "broken"},
	} {
		n := 0
		var last error
		for f, err := range letter.Fields(c.r, 60) {
			if last = err; err == nil && f.Is("x") {
				n++
			}
		}
		got := ""
		if errors.Is(last, broken) {
			got = "broken"
		} else if last != nil {
			got = reason(last)
		}
		if n != c.fields || got != c.want {
			t.Errorf("got %d fields and %q, want %d and %q", n, got, c.fields, c.want)
		}
	}
}

// TestFieldsStop holds that the loop may end early.
func TestFieldsStop(t *testing.T) {
	t.Parallel()
	for f, err := range letter.Fields(strings.NewReader("A: 1\r\nB: 2\r\n\r\n"), 100) {
		if err != nil || f.Name != "A" {
			t.Fatal(f.Name, err)
		}
		break
	}
}

func TestDecodeWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"plain", "plain"},
		{"=?utf-8?q?Compte_rendu?= =?utf-8?b?IGQnw6k=?=", "Compte rendu d'é"},
		{"=?iso-8859-15?Q?10_=A4?=", "10 €"},
		{"=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "日本"},
		{"=?windows-1252*fr?q?=9Cuvre?=", "œuvre"},
		{"=?x-unknown?q?abc?= =?utf-8?q?=C3=A9?=", "abcé"},
		{"=?utf-8?q?a=0D=0ABcc:_x=00y?=", "a  Bcc: x y"},
		{"=?utf-8?q?=ZZ?= \xff", "=?utf-8?q?=ZZ?= \uFFFD"},
	} {
		if got := letter.DecodeWords(c.in); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

// TestDecodeWordsIsLinear gives it what is looked at again and again by a careless
// decoder; the test's own time limit is the judge.
func TestDecodeWordsIsLinear(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"=?", "=?a?q?", "=?utf-8?q?a?= ", "=?a?b?AA=?=", "=?=?", "=?utf-8?x?a"} {
		if got := letter.DecodeWords(strings.Repeat(unit, 1<<20)); len(got) > 3*64<<10 {
			t.Errorf("%q: %d octets", unit, len(got))
		}
	}
	f := letter.Field{Raw: []byte("=?utf-8?q?=C3=A9?=\r\n")}
	if got := f.Text(); got != "é" {
		t.Errorf("got %q", got)
	}
}

func FuzzDecodeWords(f *testing.F) {
	f.Add("=?utf-8?q?a=0D=0A?= =?iso-8859-1*fr?B?6Q==?= x")
	f.Add("=?=?=?utf-8?b?")
	f.Fuzz(func(t *testing.T, s string) {
		got := letter.DecodeWords(s)
		if strings.ContainsAny(got, "\r\n\x00") || strings.ToValidUTF8(got, "") != got {
			t.Fatalf("%q", got)
		}
		// A charset may make three octets of one, and a replacement character of less.
		if len(got) > 3*len(s)+3 {
			t.Fatalf("%d octets of %d", len(got), len(s))
		}
	})
}
