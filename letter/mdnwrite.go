package letter

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"mime"
	"strconv"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// maxSubject is the longest part of a letter's subject in octets that a
// notification repeats.
const maxSubject = 500

// WriteTo writes the notification with CRLF line ends. The letter is streamed; of
// its header at most 256 KiB are returned. It fails as w or Letter fails, or with
// fault.Internal "report-incomplete" when From, To or Final is missing.
func (m MDN) WriteTo(w io.Writer) (int64, error) {
	if m.From.IsZero() || m.To.IsZero() || m.Final.IsZero() {
		return 0, fault.New(fault.Internal, "report-incomplete")
	}
	out := &counter{w: w}
	boundary := "=_" + rand.Text() // random: the letter cannot hold it
	var b bytes.Buffer
	m.header(&b, boundary)
	b.WriteString("\r\n--" + boundary + "\r\n")
	if err := m.human(&b); err != nil {
		return 0, err
	}
	b.WriteString("\r\n--" + boundary + "\r\n")
	m.fields(&b)
	if m.Letter != nil {
		b.WriteString("\r\n--" + boundary + "\r\n")
	}
	if _, err := b.WriteTo(out); err != nil {
		return out.n, fmt.Errorf("write notification: %w", err)
	}
	if err := writeOriginal(out, m.Letter, m.Full); err != nil {
		return out.n, fmt.Errorf("write letter: %w", err)
	}
	_, err := io.WriteString(out, "\r\n--"+boundary+"--\r\n")
	return out.n, err
}

// header writes the fields of the notification and its empty line.
func (m MDN) header(b *bytes.Buffer, boundary string) {
	id := m.MessageID
	if !messageID(id) {
		id = "<" + identity.NewID() + "@" + string(m.From.Domain()) + ">"
	}
	from := "<" + m.From.String() + ">"
	if name := strings.TrimSpace(clip(shown(m.Name), maxSubject)); name != "" {
		from = displayName(name) + " " + from
	}
	line(b, "Date: "+m.Date.Format(dateLayout))
	line(b, "From: "+fold(from, len("From: ")))
	line(b, "To: <"+m.To.String()+">")
	line(b, "Subject: "+encodeWords(m.subject(), len("Subject: ")))
	line(b, "Message-ID: "+id)
	if messageID(m.OriginalID) {
		line(b, "In-Reply-To: "+m.OriginalID)
		line(b, "References: "+m.OriginalID)
	}
	line(b, "Auto-Submitted: auto-replied") // RFC 3834 5
	line(b, "MIME-Version: 1.0")
	line(b, "Content-Type: multipart/report; report-type=disposition-notification;\r\n boundary=\""+boundary+"\"")
	if m.Full && m.Letter != nil {
		line(b, "Content-Transfer-Encoding: 8bit") // RFC 2045 6.4: as a part inside has it
	}
	line(b, "")
}

// displayName writes a name before an address: quoted, or as encoded words (RFC
// 2047 5: never inside quotes).
func displayName(name string) string {
	if ascii(name) == name {
		return quoteWord(name)
	}
	return mime.BEncoding.Encode("utf-8", name) // RFC 2047 5 (3): what Q leaves as it is may not stand in a phrase
}

// fields writes the message/disposition-notification part (RFC 8098 3.1).
func (m MDN) fields(b *bytes.Buffer) {
	line(b, "Content-Type: message/disposition-notification\r\n")
	written := []string{"Original-Message-ID"}
	put := func(name, value string) {
		statusField(b, name, value)
		written = append(written, name)
	}
	put("Reporting-UA", hostName(m.Reporter)+"; vaguemestre")
	if m.Original != "" && m.OriginalType != "" {
		put("Original-Recipient", typedAddress(atomText(clip(m.OriginalType, 50)), m.Original))
	}
	put("Final-Recipient", finalRecipient(m.Final))
	if messageID(m.OriginalID) {
		line(b, "Original-Message-ID: "+m.OriginalID)
	}
	line(b, "Disposition: "+m.disposition()) // in one line: programs cut it by hand
	written = append(written, "Disposition")
	if m.failed() {
		put("Error", m.Code.field())
	}
	for _, reason := range m.Reasons {
		if text := ascii(clip(reason, maxQuoted)); text != "" {
			put("Error", text)
		}
	}
	for _, x := range m.Extensions {
		if !fieldName([]byte(x.Name)) || strings.Contains(x.Name, ":") || len(x.Name) > 70 || holdsFold(written, x.Name) {
			continue
		}
		if text := ascii(clip(x.Value, maxQuoted)); text != "" {
			put(x.Name, text)
		}
	}
}

// holdsFold reports whether a name is in a list, in any case.
func holdsFold(list []string, name string) bool {
	for _, s := range list {
		if strings.EqualFold(s, name) {
			return true
		}
	}
	return strings.EqualFold(name, "Original-Recipient") || strings.EqualFold(name, "Error")
}

// disposition returns the value of the field (RFC 8098 3.2.6). The code of an
// integration goes where spec mssante 6.9 has it; the grammar alone would only
// allow "/error".
func (m MDN) disposition() string {
	mode := "automatic-action/MDN-sent-automatically"
	if m.Manual {
		mode = "manual-action/MDN-sent-manually"
	}
	value := mode + "; " + string(m.handling())
	if m.failed() {
		value += "/Error: " + m.Code.field()
	}
	return value
}

// handling returns the handling, Displayed if it is none of those known.
func (m MDN) handling() Handling {
	switch m.Handling {
	case Processed, Dispatched, Deleted:
		return m.Handling
	}
	return Displayed
}

// failed reports whether documents were not integrated.
func (m MDN) failed() bool { return m.handling() == Processed && m.Code != 0 }

// field returns code and label as fields for machines have them.
func (c Integration) field() string { return strconv.Itoa(int(c)) + "^" + c.Label() }
