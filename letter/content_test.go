package letter_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/vaguemestre/vaguemestre/letter"
)

func TestPreview(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 300)
	for _, c := range []struct{ name, letter, want string }{
		{"no text", one("Content-Type: image/png\r\n", "x"), ""},
		{"plain", one("", "Bonjour,\r\n\r\n\ta \x01demain.\r\n"), "Bonjour, a demain."},
		{"latin", one("Content-Type: text/plain; charset=iso-8859-1\r\n", "\xe9t\xe9"), "été"},
		{"undeclared", one("", "\xe9t\xe9"), "été"},
		{"quoted", one("Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; charset=utf-8\r\n", "=C3=A9t=\r\n=C3=A9"), "été"},
		{"base64", one("Content-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=utf-8\r\n", "w6l0w6k=\r\n"), "été"},
		{"html", one("Content-Type: text/html; charset=utf-8\r\n", "<html><head><title>T</title><STYLE>p{}</style></head><!-- <b> --><body><p>5 &lt; 6&nbsp;&amp; <b>fin</b><script>x"), "5 < 6 & fin"},
		{"first text", several("--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b\r\nContent-Disposition: attachment\r\n\r\nno\r\n--b\r\n\r\nyes\r\n--b\r\n\r\nlater\r\n--b--"), "yes"},
		{"200 characters", one("Content-Type: text/plain; charset=utf-8\r\n", long), strings.Repeat("é", 200)},
		{"no direction marks", one("Content-Type: text/plain; charset=utf-8\r\n", "a\u202eb\u200b"), "ab"},
	} {
		w := letter.NewWalker(letter.Limits{})
		w.Write([]byte(c.letter))
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := w.Preview(); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestDecoder holds that valid encodings decode as the standard library decodes
// them, in pieces of any size, and what broken ones give.
func TestDecoder(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("Un compte rendu, \u00e9crit = lu.\r\n", 500)
	var quoted bytes.Buffer
	q := quotedprintable.NewWriter(&quoted)
	q.Write([]byte(content))
	q.Close()
	based := base64.StdEncoding.EncodeToString([]byte(content))
	for _, c := range []struct{ name, encoding, body, want string }{
		{"base64", "base64", based[:76] + "\r\n" + based[76:], content},
		{"quoted-printable", "quoted-printable", quoted.String(), content},
		{"8bit", "8bit", content, content},
		{"unknown", "x-base64", "QUJD", "QUJD"},
		{"junk", "base64", "Q*U\x00J D!", "ABC"},
		{"after padding", "base64", "QQ==QkM=", "ABC"},
		{"cut short", "base64", "QUJDQk", "ABCB"},
		{"one symbol", "base64", "QUJDQ", "ABC"},
		{"not escapes", "quoted-printable", "a=b c==3D=4x=\r x=", "a=b c===4x=\r x="},
		{"soft breaks", "quoted-printable", "a= \t\r\nb=\nc=", "abc="},
		{"lower case", "quoted-printable", "=c3=a9", "é"},
	} {
		p := &letter.Part{Encoding: c.encoding}
		for _, r := range []io.Reader{strings.NewReader(c.body), iotest.OneByteReader(strings.NewReader(c.body)), iotest.DataErrReader(strings.NewReader(c.body))} {
			got, err := io.ReadAll(p.Decoder(r))
			if err != nil || string(got) != c.want {
				t.Errorf("%s: got %.60q, %v, want %.60q", c.name, got, err, c.want)
			}
		}
	}
}

// TestText holds the charsets, and that no more is read than asked for.
func TestText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ charset, body, want string }{
		{"utf-8", "\u00e9\xff", "é\uFFFD"},
		{"ISO-8859-15", "\xa4", "€"},
		{"us-ascii", "\x80", "€"},
		{"x-unknown", "\xe9", "é"},
		{"", "日本", "日本"},
		{"iso-2022-jp", "\x1b$BF|K\\\x1b(B", "日本"},
		{"utf-16le", "a\x00b\x00", "ab"},
	} {
		p := &letter.Part{Encoding: "8bit", Params: letter.Params{{Name: "charset", Value: c.charset}}}
		if got, err := p.Text(strings.NewReader(c.body), 100); err != nil || got != c.want {
			t.Errorf("%s %q: got %q, %v, want %q", c.charset, c.body, got, err, c.want)
		}
	}
	p := &letter.Part{Encoding: "base64"}
	if got, err := p.Text(strings.NewReader("QUJDREVG"), 4); err != nil || got != "ABCD" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := p.Text(iotest.ErrReader(io.ErrUnexpectedEOF), 4); err == nil {
		t.Error("no error of the reader")
	}
}

func TestFileName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ fields, want string }{
		{"", ""},
		{"Content-Type: text/plain; name=a.txt\r\n", "a.txt"},
		{"Content-Type: text/plain; name=a.txt\r\nContent-Disposition: inline; filename=b.txt\r\n", "b.txt"},
		{"Content-Disposition: inline; filename=\"../../etc/passwd\"\r\n", "passwd"},
		{"Content-Disposition: inline; filename=\"C:\\\\x\\\\a.txt\"\r\n", "a.txt"},
		{"Content-Disposition: inline; filename=\"=?utf-8?q?a=0D=0AX:_b?=\"\r\n", "a  X: b"},
		{"Content-Disposition: inline; filename*=utf-8''a%0Ab%E2%80%AE%zz\r\n", "a b%zz"},
		{"Content-Disposition: inline; filename*=iso-8859-1''%E9; filename=e\r\n", "é"},
		{"Content-Disposition: inline; filename*1=b; filename*0=a; filename*3=d\r\n", "ab"},
		{"Content-Disposition: inline; filename*0=a%20; filename*1*=%20b\r\n", "a%20 b"},
		{"Content-Disposition: inline; filename*0=a; filename*0=b; filename*1=c\r\n", "ac"},
		{"Content-Disposition: inline; filename=\"\xe9.txt\"\r\n", "é.txt"},
		{"Content-Disposition: inline; filename=" + strings.Repeat("\u00e9", 200) + "\r\n", strings.Repeat("é", 127)},
	} {
		s := walk(t, one(c.fields, ""))
		if got := s.Root.FileName(); got != c.want || !utf8.ValidString(got) {
			t.Errorf("%s got %q, want %q", c.fields, got, c.want)
		}
	}
}
