package letter

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// WriteTo writes the notification with CRLF line ends. The letter is streamed; of
// its header at most 256 KiB are returned. It fails as w or Original fails, or with
// fault.Internal "report-incomplete" when From, To or Recipients is missing.
func (d DSN) WriteTo(w io.Writer) (int64, error) {
	if d.From.IsZero() || d.To.IsZero() || len(d.Recipients) == 0 {
		return 0, fault.New(fault.Internal, "report-incomplete")
	}
	out := &counter{w: w}
	boundary := "=_" + rand.Text() // random: the letter cannot hold it
	var b bytes.Buffer
	d.header(&b, boundary)
	b.WriteString("\r\n--" + boundary + "\r\n")
	if err := d.human(&b); err != nil {
		return 0, err
	}
	b.WriteString("\r\n--" + boundary + "\r\n")
	d.status(&b)
	if d.Original != nil {
		b.WriteString("\r\n--" + boundary + "\r\n")
	}
	if _, err := b.WriteTo(out); err != nil {
		return out.n, fmt.Errorf("write report: %w", err)
	}
	if err := writeOriginal(out, d.Original, d.Full); err != nil {
		return out.n, fmt.Errorf("write original: %w", err)
	}
	_, err := io.WriteString(out, "\r\n--"+boundary+"--\r\n")
	return out.n, err
}

// counter counts the octets written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// header writes the fields of the notification and its empty line.
func (d DSN) header(b *bytes.Buffer, boundary string) {
	id := d.MessageID
	if !messageID(id) {
		id = "<" + identity.NewID() + "@" + string(d.From.Domain()) + ">"
	}
	subject, _, _ := d.words()
	line(b, "Date: "+d.Date.Format(dateLayout))
	line(b, "From: "+quoteWord("Mail Delivery System")+" <"+d.From.String()+">")
	line(b, "To: <"+d.To.String()+">")
	line(b, "Subject: "+encodeWords(subject, len("Subject: ")))
	line(b, "Message-ID: "+id)
	if messageID(d.OriginalID) {
		line(b, "In-Reply-To: "+d.OriginalID)
		line(b, "References: "+d.OriginalID)
	}
	line(b, "Auto-Submitted: auto-replied") // RFC 3834 5
	line(b, "MIME-Version: 1.0")
	line(b, "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\""+boundary+"\"")
	if d.Full && d.Original != nil {
		line(b, "Content-Transfer-Encoding: 8bit") // RFC 2045 6.4: as a part inside has it
	}
	line(b, "")
}

// line writes one line.
func line(b *bytes.Buffer, s string) {
	b.WriteString(s)
	b.WriteString("\r\n")
}

// messageID reports whether s is a message id of printable US-ASCII that fits a line.
func messageID(s string) bool {
	return len(s) > 2 && len(s) < 900 && s[0] == '<' && s[len(s)-1] == '>' &&
		ascii(s) == s && !strings.ContainsAny(s[1:len(s)-1], "<> ")
}

// writeOriginal writes the third part of a report with its fields, nothing if r is nil.
func writeOriginal(w io.Writer, r io.Reader, full bool) error {
	if r == nil {
		return nil
	}
	if full {
		if _, err := io.WriteString(w, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"); err != nil {
			return err
		}
		_, err := io.Copy(w, r)
		return err
	}
	header, err := readHeader(r, DefaultLimits().Header)
	if err != nil && !fault.Is(err, fault.Invalid) { // too large a header is returned in part
		return err
	}
	return writeHeaders(w, header)
}

// writeHeaders writes the text/rfc822-headers part. RFC 6522 4: broken headers
// are made legal by quoted-printable.
func writeHeaders(w io.Writer, header []byte) error {
	legal := !hasEightBit(header) && !strayed(header) && bytes.Count(header, []byte("\n")) == bytes.Count(header, []byte("\r\n"))
	fields := "Content-Type: text/rfc822-headers\r\n\r\n"
	if !legal {
		fields = "Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
	}
	if _, err := io.WriteString(w, fields); err != nil {
		return err
	}
	if legal {
		_, err := w.Write(header)
		return err
	}
	q := quotedprintable.NewWriter(w)
	if _, err := q.Write(header); err != nil {
		return err
	}
	return q.Close()
}
