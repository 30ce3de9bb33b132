package letter_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/letter"
)

// one makes a letter of one part with those content fields.
func one(fields, body string) string {
	return "From: a@b.example\r\nMIME-Version: 1.0\r\n" + fields + "\r\n" + body
}

// several makes a multipart of what stands between the boundaries "b".
func several(body string) string {
	return one("Content-Type: multipart/mixed; boundary=b\r\n", body)
}

// doubtful holds, by reason id, a letter that raises that ambiguity and no other.
func doubtful() map[string]string {
	const (
		based  = "Content-Transfer-Encoding: base64\r\n"
		quoted = "Content-Transfer-Encoding: quoted-printable\r\n"
	)
	return map[string]string{
		"octet-nul":                   one("", "a\x00b\r\n"),
		"octet-bare-cr":               one("", "a\rb\r\n"),
		"octet-bare-lf":               one("", "a\nb\r\n"),
		"line-too-long":               one("", strings.Repeat("x", 999)+"\r\n"),
		"header-line-malformed":       one("no field\r\n", ""),
		"header-space-before-colon":   one("X : y\r\n", ""),
		"header-blank-fold":           one("X: y\r\n \t\r\nZ: y\r\n", ""),
		"header-field-repeated":       one("Subject: a\r\nSUBJECT: b\r\n", ""),
		"mime-version-missing":        "Content-Type: text/html\r\n\r\nx",
		"mime-type-repeated":          one("Content-Type: text/plain\r\nContent-Type: text/plain\r\n", ""),
		"mime-type-malformed":         one("Content-Type: text/plain charset=x\r\n", ""),
		"mime-encoding-repeated":      one("Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: 8bit\r\n", ""),
		"mime-encoding-malformed":     one("Content-Transfer-Encoding: 7bit;\r\n", ""),
		"mime-encoding-unknown":       one("Content-Transfer-Encoding: x-base64\r\n", ""),
		"mime-disposition-repeated":   one("Content-Disposition: inline\r\nContent-Disposition: inline\r\n", ""),
		"mime-disposition-malformed":  one("Content-Disposition: ;filename=x\r\n", ""),
		"mime-comment":                one("Content-Type: text/plain (x)\r\n", ""),
		"mime-param-repeated":         one("Content-Type: text/plain; charset=a; charset=a\r\n", ""),
		"mime-param-malformed":        one("Content-Type: text/plain; charset=a b\r\n", ""),
		"mime-param-conflict":         one("Content-Disposition: inline; filename=a; filename*=utf-8''b\r\n", ""),
		"mime-boundary-missing":       one("Content-Type: multipart/mixed\r\n", "--\r\n\r\n"),
		"mime-boundary-empty":         one("Content-Type: multipart/mixed; boundary=\"\"\r\n", "--\r\n\r\n"),
		"mime-boundary-too-long":      one("Content-Type: multipart/mixed; boundary="+strings.Repeat("b", 71)+"\r\n", "--"+strings.Repeat("b", 71)+"--"),
		"mime-boundary-octets":        one("Content-Type: multipart/mixed; boundary=b*\r\n", "--b*--"),
		"mime-boundary-repeated":      one("Content-Type: multipart/mixed; boundary=b; boundary=b\r\n", "--b--"),
		"mime-boundary-continued":     one("Content-Type: multipart/mixed; boundary*0=b; boundary*1=c\r\n", "--bc\r\n\r\n\r\n--bc--"),
		"mime-boundary-prefix":        several("--b\r\n\r\n--bc\r\n--b--"),
		"mime-boundary-clash":         several("--b\r\nContent-Type: multipart/mixed; boundary=b--\r\n\r\n--b----\r\n--b--"),
		"mime-boundary-unclosed":      several("--b\r\n\r\nx\r\n"),
		"mime-preamble":               several("CONTENT-type: text/html\r\n--b--"),
		"mime-epilogue":               several("--b--\r\n--b\r\n"),
		"mime-encoded-multipart":      one(based+"Content-Type: multipart/mixed; boundary=b\r\n", "--b--"),
		"mime-encoded-message":        one(quoted+"Content-Type: message/rfc822\r\n", "\r\nx"),
		"mime-partial":                one("Content-Type: message/partial; id=x; number=1\r\n", ""),
		"mime-external-body":          one("Content-Type: message/external-body; access-type=URL\r\n", ""),
		"content-tnef":                one("Content-Type: application/ms-tnef\r\n", ""),
		"content-uuencode":            one("", "begin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n"),
		"content-binhex":              one("", "(This file must be converted with BinHex 4.0)\r\n"),
		"content-yenc":                one("", "=ybegin line=128 size=1 name=a\r\n"),
		"base64-junk":                 one(based, "QUJD*QUJD\r\n"),
		"base64-early-padding":        one(based, "QQ==QQ==\r\n"),
		"base64-length":               one(based, "QUJDQ\r\n"),
		"quoted-printable-junk":       one(quoted, "a=b, c=4x\r\n"),
		"quoted-printable-lower-case": one(quoted, "=c3=a9\r\n"),
		"name-conflict":               one("Content-Type: text/plain; name=a\r\nContent-Disposition: inline; filename=b\r\n", ""),
		"name-content-mismatch":       one(based+"Content-Type: image/png; name=a.png\r\n", "QUJDREVGRw==\r\n"),
		"name-executable":             one("Content-Disposition: attachment; filename*=utf-8''a%2EEXE.\r\n", ""),
	}
}

// TestAmbiguities holds that each ambiguity is found, alone: a letter raises no
// verdict but the one it was made for.
func TestAmbiguities(t *testing.T) {
	t.Parallel()
	for want, data := range doubtful() {
		all := []string{want}
		if want == "mime-boundary-repeated" { // it is a repeated parameter too
			all = []string{"mime-param-repeated", want}
		}
		if diff := cmp.Diff(all, walk(t, data).Ambiguities); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want, diff)
		}
	}
}

// TestAmbiguitiesAreComplete holds that each reason id has a letter above and a
// line in the package documentation.
func TestAmbiguitiesAreComplete(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	tested := doubtful()
	all := letter.AmbiguityReasons()
	for _, reason := range all {
		if _, found := tested[reason]; !found {
			t.Errorf("%s has no letter", reason)
		}
		word := reason
		if rest, found := strings.CutPrefix(reason, "mime-boundary"); found {
			word = rest
		}
		if !strings.Contains(string(text), word) {
			t.Errorf("%s is not documented", reason)
		}
	}
	if slices.Contains(all, "") || len(all) != len(tested) {
		t.Errorf("%d reasons, %d letters", len(all), len(tested))
	}
}

// TestUnambiguous holds that what real clients write raises nothing.
func TestUnambiguous(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"text": textLetter(2000), "attachment": attachmentLetter(9000),
		"mbox line":        "From a@b.example Mon Nov  2 10:00:00 2026\r\n" + one("", "x\r\n"),
		"version comment":  "Mime-Version: 1.0 (Mac OS X Mail 16.0)\r\nContent-Type: text/html\r\n\r\n",
		"old text":         "Content-Type: text/plain; charset=us-ascii\r\n\r\nx\r\n",
		"soft break":       one("Content-Transfer-Encoding: quoted-printable\r\n", "a=\r\nb= \r\n=C3=A9=\r\n"),
		"short base64":     one("Content-Transfer-Encoding: base64\r\n", "QQ=\r\n=\r\n\r\n"),
		"prose":            one("", "begin with this\r\n(This file is fine)\r\nbegin 644 reasons\r\nto stay\r\n"),
		"trailing space":   several("--b \r\n\r\nx\r\n--b--\t\r\n\r\n"),
		"same names":       one("Content-Type: text/plain; name=\"=?utf-8?q?=C3=A9?=.txt\"\r\nContent-Disposition: attachment; filename*=utf-8''%C3%A9.txt\r\n", ""),
		"small image":      one("Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n", "iVBORw0KGgo=\r\n"),
		"nested prefixes":  several("--b\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n\r\n\r\n--b1--\r\n--b--\r\n"),
		"received fields":  "Received: a\r\nReceived: b\r\n" + one("Keywords: a\r\nKeywords: b\r\n", ""),
		"998 octets":       one("", strings.Repeat("x", 998)+"\r\n"),
		"quoted semicolon": one("Content-Type: text/plain; name=\"a;b (c)\"; charset=utf-8;\r\n", ""),
	} {
		if got := walk(t, data).Ambiguities; got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
