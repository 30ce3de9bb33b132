package bench

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	// idWidth is the width of a letter's number in its Message-ID.
	idWidth = 12
	// bare is the size below which a letter has no attachment.
	bare = 8 << 10
	// leastSize is the smallest letter that is made: its header alone has some 400 octets.
	leastSize = 1 << 10
	// pdfLine is a line of base64 without its CRLF (RFC 2045 6.8).
	pdfLine = 76
)

// letter is a letter as it goes on the wire after DATA, the final dot included,
// made once and numbered anew each time it is sent: our server would take the
// same letter twice for a replay.
type letter struct {
	wire []byte
	id   int // where the number is in wire
	run  string
}

// newLetter makes a letter of exactly size octets, the final dot not counted:
// below 8 KiB a short text, else a text with a PDF of random octets, as a
// discharge report is.
func newLetter(from, to string, size int) *letter {
	size = max(size, leastSize)
	run := rand.Text()
	_, domain, _ := strings.Cut(from, "@")
	var b bytes.Buffer
	field := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	field("From: Mesure <%s>", from)
	field("To: <%s>", to)
	field("Subject: Compte rendu de consultation")
	field("Date: %s", time.Now().Format(time.RFC1123Z))
	b.WriteString("Message-ID: <")
	id := b.Len()
	field("%0*d.%s@%s>", idWidth, 0, run, domain)
	field("MIME-Version: 1.0")
	if size < bare {
		field("Content-Type: text/plain; charset=us-ascii")
		field("")
		prose(&b, size-b.Len())
	} else {
		report(&b, run, size)
	}
	b.WriteString(".\r\n")
	return &letter{wire: b.Bytes(), id: id, run: run}
}

// report writes a text and a PDF, so that b has size octets at the end.
func report(b *bytes.Buffer, run string, size int) {
	limit := "mesure-" + run
	fmt.Fprintf(b, "Content-Type: multipart/mixed; boundary=%q\r\n\r\n--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n", limit, limit)
	head := fmt.Sprintf("\r\n--%s\r\nContent-Type: application/pdf; name=\"cr.pdf\"\r\nContent-Transfer-Encoding: base64\r\n"+
		"Content-Disposition: attachment; filename=\"cr.pdf\"\r\n\r\n", limit)
	tail := "--" + limit + "--\r\n"
	room := size - b.Len() - len(head) - len(tail)
	lines := (room - 512) / (pdfLine + 2) // the text takes at least 512 octets
	prose(b, room-lines*(pdfLine+2))
	b.WriteString(head)
	raw := make([]byte, pdfLine/4*3)
	line := make([]byte, pdfLine)
	for range lines {
		_, _ = rand.Read(raw) // never fails (crypto/rand)
		base64.StdEncoding.Encode(line, raw)
		b.Write(line)
		b.WriteString("\r\n")
	}
	b.WriteString(tail)
}

// prose writes n octets of text in lines that begin with no dot.
func prose(b *bytes.Buffer, n int) {
	const line = "Patient vu ce jour en consultation, examen sans particularite, suivi prevu.\r\n"
	for ; n >= 2*len(line); n -= len(line) {
		b.WriteString(line)
	}
	b.WriteString(strings.Repeat("x", max(n/2-2, 0)) + "\r\n")
	b.WriteString(strings.Repeat("x", max(n-n/2-2, 0)) + "\r\n")
}

// clone returns a letter that may be numbered beside the first.
func (l *letter) clone() *letter {
	return &letter{wire: bytes.Clone(l.wire), id: l.id, run: l.run}
}

// number gives the letter its number and returns what makes its Message-ID
// unique, the part before the "@".
func (l *letter) number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	at := l.wire[l.id : l.id+idWidth]
	for i := range at {
		at[i] = '0'
	}
	copy(at[idWidth-len(digits):], digits)
	return string(at) + "." + l.run
}

// size is the letter's size, the final dot not counted.
func (l *letter) size() int { return len(l.wire) - len(".\r\n") }

// text returns the letter without the final dot.
func (l *letter) text() []byte { return l.wire[:l.size()] }
