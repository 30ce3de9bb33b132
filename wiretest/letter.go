package wiretest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// Attachment is a file beside a text.
type Attachment struct {
	// Type is the value of Content-Type, parameters included; Name is the file's.
	Type, Name string
	Data       []byte
}

// Mail is a letter with attachments, as a hospital's system writes it.
type Mail struct {
	From, To, Subject, Text string
	// MessageID is without angle brackets; empty makes one of the subject and time.
	MessageID string
	// Receipt asks for a disposition notification (RFC 8098 2.1).
	Receipt     bool
	Attachments []Attachment
}

// Bytes writes the letter with CRLF line ends.
func (m Mail) Bytes() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	if m.MessageID == "" {
		m.MessageID = fmt.Sprintf("%d.%x@test.example", time.Now().UnixNano(), m.Subject)
	}
	line("From: %s", m.From)
	line("To: %s", m.To)
	line("Subject: %s", m.Subject)
	line("Date: %s", time.Now().Format(time.RFC1123Z))
	line("Message-ID: <%s>", m.MessageID)
	if m.Receipt {
		line("Disposition-Notification-To: %s", m.From)
	}
	line("MIME-Version: 1.0")
	line("Content-Type: multipart/mixed; boundary=\"=-limite\"")
	line("")
	line("--=-limite\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s", strings.ReplaceAll(m.Text, "\n", "\r\n"))
	for _, a := range m.Attachments {
		line("--=-limite\r\nContent-Type: %s", a.Type)
		line("Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=%q\r\n", a.Name)
		text := base64.StdEncoding.EncodeToString(a.Data)
		for len(text) > 76 {
			line("%s", text[:76])
			text = text[76:]
		}
		line("%s", text)
	}
	line("--=-limite--")
	return b.Bytes()
}
