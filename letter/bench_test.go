package letter_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/letter"
)

// BenchmarkWalker measures the walk on the delivery path: allocations per letter
// and octets per second.
func BenchmarkWalker(b *testing.B) {
	for _, c := range []struct{ name, letter string }{
		{"text-2KiB", textLetter(2 << 10)},
		{"multipart-50KiB", attachmentLetter(50 << 10)},
		{"multipart-1MiB", attachmentLetter(1 << 20)},
	} {
		data := []byte(c.letter)
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				w := letter.NewWalker(letter.Limits{})
				for rest := data; len(rest) > 0; {
					n := min(len(rest), 32<<10)
					w.Write(rest[:n])
					rest = rest[n:]
				}
				if _, err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMarshal measures the summary's structure both ways.
func BenchmarkMarshal(b *testing.B) {
	s := walk(b, attachmentLetter(50<<10))
	data := s.Marshal()
	b.Run("marshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Marshal()
		}
	})
	b.Run("unmarshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := letter.Unmarshal(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// topFields is an ordinary header without its content fields.
const topFields = "Received: from mx.labo-b.example ([192.0.2.7])\r\n by mx.chu-a.example with ESMTPS\r\n id 0123; Mon, 2 Nov 2026 10:00:00 +0100\r\n" +
	"Date: Mon, 2 Nov 2026 10:00:00 +0100\r\n" +
	"From: \"Dr Claire Martin\" <claire.martin@chu-a.example>\r\n" +
	"To: \"Dr Paul Leroy\" <paul.leroy@labo-b.example>, secretariat@labo-b.example\r\n" +
	"Subject: =?utf-8?q?Compte_rendu_d=27hospitalisation?=\r\n" +
	"Message-ID: <20261102.1000@chu-a.example>\r\n" +
	"X-Mailer: fixture 1.0\r\n" +
	"MIME-Version: 1.0\r\n"

// textLetter returns a plain letter of about that many octets.
func textLetter(size int) string {
	line := "Patient revu ce jour en consultation, evolution favorable, suite le mois prochain.\r\n"
	head := topFields + "Content-Type: text/plain; charset=utf-8\r\n\r\n"
	return head + strings.Repeat(line, max(1, (size-len(head))/len(line)))
}

// attachmentLetter returns a letter with text in two forms and a base64 attachment.
func attachmentLetter(size int) string {
	var b strings.Builder
	b.WriteString(topFields + "Content-Type: multipart/mixed; boundary=\"outer\"\r\n\r\nThis is a MIME message.\r\n")
	b.WriteString("--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n")
	b.WriteString("--inner\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBonjour,\r\nvoir la piece jointe.\r\n")
	b.WriteString("--inner\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p class=3D\"a\">Bonjour,</p>\r\n--inner--\r\n\r\n")
	b.WriteString("--outer\r\nContent-Type: application/pdf; name=cr.pdf\r\nContent-Disposition: attachment; filename=cr.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	data := base64.StdEncoding.EncodeToString([]byte("%PDF-1.4 " + strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyz", size/36*3/4)))
	for len(data) > 76 {
		b.WriteString(data[:76] + "\r\n")
		data = data[76:]
	}
	b.WriteString(data + "\r\n--outer--\r\n")
	return b.String()
}

// walk reads a letter in one piece; it must break no limit.
func walk(tb testing.TB, data string) *letter.Structure {
	tb.Helper()
	w := letter.NewWalker(letter.Limits{})
	if _, err := w.Write([]byte(data)); err != nil {
		tb.Fatal(err)
	}
	s, err := w.Close()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}
