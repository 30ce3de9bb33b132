package message_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/web/message"
)

func answer(t *testing.T) message.Answer {
	t.Helper()
	return message.Answer{
		From: deliverytest.Address(t, "jeanne@patients.example"), Name: "Jeanne Noël", To: deliverytest.Address(t, "anne@chu.example"),
		Subject: "Votre retour", MessageID: "<1@patients.example>", References: []string{"<a@chu.example>", "<b@chu.example>"},
		Date: time.Date(2026, 11, 20, 10, 43, 0, 0, time.FixedZone("", 3600)), Text: "Bonjour,\nà demain\n",
	}
}

// write composes, and holds what every letter of ours keeps to.
func write(t *testing.T, a message.Answer) (string, *mail.Message) {
	t.Helper()
	var b bytes.Buffer
	n, err := a.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("wrote %d of %d, %v", n, b.Len(), err)
	}
	text := b.String()
	for i, line := range strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") || strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			t.Fatalf("line %d is %q", i, line)
		}
	}
	w := letter.NewWalker(letter.Limits{})
	_, _ = w.Write(b.Bytes())
	s, err := w.Close()
	if err != nil || len(s.Ambiguities) > 0 {
		t.Fatalf("two readers may read it differently: %v, %v", s.Ambiguities, err)
	}
	if author, err := w.Author(); err != nil || !author.Equal(a.From) {
		t.Fatalf("the author is %v, %v", author, err)
	}
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return text, m
}

func TestAnswerIsALetter(t *testing.T) {
	t.Parallel()
	text, _ := write(t, answer(t))
	want := "From: =?utf-8?q?Jeanne_No=C3=ABl?= <jeanne@patients.example>\r\nTo: anne@chu.example\r\nSubject: Re: Votre retour\r\n" +
		"Date: Fri, 20 Nov 2026 10:43:00 +0100\r\nMessage-ID: <1@patients.example>\r\nIn-Reply-To: <b@chu.example>\r\n" +
		"References: <a@chu.example> <b@chu.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" +
		"Content-Transfer-Encoding: quoted-printable\r\n\r\nBonjour,\r\n=C3=A0 demain\r\n"
	if text != want {
		t.Errorf("got  %q\nwant %q", text, want)
	}
}

func TestAnswerWithFiles(t *testing.T) {
	t.Parallel()
	a := answer(t)
	content := append([]byte("%PDF-1.4\n"), bytes.Repeat([]byte{0, 255, '\r', '\n'}, 5000)...)
	a.Files = []message.Upload{
		{Name: "carnet \"d’été\".pdf", Type: "application/pdf", Content: bytes.NewReader(content)},
		{Name: "x\r\nBcc: y@z.png", Type: "image/png", Content: strings.NewReader("\x89PNG\r\n\x1a\n")},
	}
	for range 2 { // a letter is written again after a failure
		_, m := write(t, a)
		_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		parts := multipart.NewReader(m.Body, params["boundary"])
		var names []string
		for {
			p, err := parts.NextRawPart()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, p.FileName())
			if len(names) == 2 {
				got, err := io.ReadAll(letter.Decode(p, p.Header.Get("Content-Transfer-Encoding")))
				if err != nil || !bytes.Equal(got, content) {
					t.Errorf("a file of %d octets, %v", len(got), err)
				}
			}
		}
		if got := fmt.Sprintf("%q", names); got != `["" "carnet \"d’été\".pdf" "x Bcc: y@z.png"]` {
			t.Errorf("the files are %s", got)
		}
	}
}

func TestNothingBreaksAHeader(t *testing.T) {
	t.Parallel()
	a := answer(t)
	a.Name = "Jeanne\r\nBcc: x@y.example\r\n \"\\"
	a.Subject = "Re: re: RE:  x\r\nBcc: x@y.example " + strings.Repeat("été ", 300)
	a.References = []string{"<a b@c>", "<a@b>\r\nBcc: x@y.example", "a@b", "<é@b>", "<" + strings.Repeat("a", 300) + "@b>"}
	for i := range 40 {
		a.References = append(a.References, fmt.Sprintf("<%d@chu.example>", i))
	}
	_, m := write(t, a)
	if m.Header.Get("Bcc") != "" || m.Header.Get("Cc") != "" {
		t.Errorf("a recipient slipped in: %v", m.Header)
	}
	if subject := letter.DecodeWords(m.Header.Get("Subject")); !strings.HasPrefix(subject, "Re: x Bcc:") {
		t.Errorf("the subject is %.80q", subject)
	}
	refs := strings.Fields(m.Header.Get("References"))
	if len(refs) != 20 || refs[0] != "<0@chu.example>" || refs[19] != "<39@chu.example>" || m.Header.Get("In-Reply-To") != refs[19] {
		t.Errorf("the references are %v", refs)
	}
}

func TestAnAnswerWithoutARecipientIsOurBug(t *testing.T) {
	t.Parallel()
	if _, err := (message.Answer{}).WriteTo(io.Discard); fault.Reason(err) != "reply-incomplete" {
		t.Errorf("got %v", err)
	}
}
