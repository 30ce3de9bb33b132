package agenda

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// Letter is an iTIP message as a whole letter (RFC 6047): a person's answer to an
// invitation, or an organizer's request or cancellation. Its own octets are US-ASCII
// unless an address is not.
//
//	answer                                request, cancellation
//	multipart/alternative                 multipart/mixed
//	├ text/plain, French and English      ├ multipart/alternative
//	└ text/calendar; method=REPLY         │ ├ text/plain
//	                                      │ └ text/calendar; method=…
//	                                      └ application/ics invite.ics
//
// Clients take the calendar as the last alternative; some only as an attachment
// (spec dmp 8.1.2).
type Letter struct {
	// From writes: the attendee who answers, or the organizer. Their name may be empty.
	From     identity.Address
	FromName string
	// To is the other one; for an answer the organizer if it is zero.
	To     identity.Address
	ToName string
	// Method is [Answers], [Request] or [Cancel]; Status is the answer.
	Method string
	Status Status
	// Event is what it is about.
	Event Event
	// MessageID is that of the letter, angle brackets included; empty makes one.
	MessageID string
	// InReplyTo is the Message-ID of the invitation; empty, or no message id, for none.
	InReplyTo string
	// Date is when the letter is written, in the writer's zone.
	Date time.Time
	// Zone is where the text tells the event's times; nil is the event's own zone.
	Zone *time.Location
}

// WriteTo writes the letter with CRLF line ends. It fails as w or [Reply] or
// [Compose] fail, and with fault.Internal "letter-incomplete" when From, To or Date
// is missing.
func (l Letter) WriteTo(w io.Writer) (int64, error) {
	if l.To.IsZero() && l.Method == Answers {
		l.To, l.ToName = l.Event.Organizer.Address, l.Event.Organizer.Name
	}
	if l.From.IsZero() || l.To.IsZero() || l.Date.IsZero() {
		return 0, fault.New(fault.Internal, "letter-incomplete")
	}
	calendar, err := l.calendar()
	if err != nil {
		return 0, err
	}
	subject, body := l.words()
	var b bytes.Buffer
	l.header(&b, subject)
	if l.Method == Answers {
		err = l.alternative(&b, body, calendar)
	} else {
		err = l.mixed(&b, body, calendar)
	}
	if err != nil {
		return 0, err
	}
	return b.WriteTo(w)
}

// calendar returns the calendar that goes with the letter.
func (l *Letter) calendar() ([]byte, error) {
	if l.Method == Answers {
		return Reply(l.Event, l.From, l.FromName, l.Status, l.Date)
	}
	return Compose(l.Method, l.Event, l.Date)
}

// header writes the fields of the letter but those of its content.
func (l *Letter) header(b *bytes.Buffer, subject string) {
	id := l.MessageID
	if !messageID(id) {
		id = "<" + identity.NewID() + "@" + string(l.From.Domain()) + ">"
	}
	field(b, "Date", l.Date.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	field(b, "From", mailbox(l.FromName, l.From))
	field(b, "To", mailbox(l.ToName, l.To))
	field(b, "Subject", encodeWords(subject))
	field(b, "Message-ID", id)
	if messageID(l.InReplyTo) {
		field(b, "In-Reply-To", l.InReplyTo)
		field(b, "References", l.InReplyTo)
	}
	field(b, "MIME-Version", "1.0")
}

// mixed writes a multipart/mixed of the alternatives and an attachment.
func (l *Letter) mixed(b *bytes.Buffer, body string, calendar []byte) error {
	boundary := newBoundary()
	field(b, "Content-Type", `multipart/mixed; boundary="`+boundary+`"`)
	b.WriteString("\r\n--" + boundary + "\r\n")
	if err := l.alternative(b, body, calendar); err != nil {
		return err
	}
	b.WriteString("\r\n--" + boundary + "\r\n")
	field(b, "Content-Type", `application/ics; name="invite.ics"`)
	field(b, "Content-Disposition", `attachment; filename="invite.ics"`)
	if err := quoted(b, calendar, true); err != nil {
		return err
	}
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return nil
}

// alternative writes a multipart/alternative of the text and the calendar.
func (l *Letter) alternative(b *bytes.Buffer, body string, calendar []byte) error {
	boundary := newBoundary()
	field(b, "Content-Type", `multipart/alternative; boundary="`+boundary+`"`)
	b.WriteString("\r\n--" + boundary + "\r\n")
	field(b, "Content-Type", "text/plain; charset=utf-8")
	if err := quoted(b, []byte(body), false); err != nil {
		return err
	}
	b.WriteString("\r\n--" + boundary + "\r\n")
	field(b, "Content-Type", "text/calendar; charset=utf-8; method="+l.Method+"; component=VEVENT")
	if err := quoted(b, calendar, true); err != nil {
		return err
	}
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return nil
}

// newBoundary returns a boundary that no content can hold.
func newBoundary() string { return "=_" + rand.Text() }

// quoted writes the encoding field, the empty line and a body in quoted-printable,
// which keeps the folds of a calendar where they are. Exact says that the body has
// the line ends it shall have.
func quoted(b *bytes.Buffer, body []byte, exact bool) error {
	field(b, "Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	if !exact {
		body = bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n"))
	}
	q := quotedprintable.NewWriter(b)
	if _, err := q.Write(body); err != nil {
		return err
	}
	return q.Close()
}

// field writes a header field, folded at spaces so that lines stay within 76 columns
// where they can (RFC 5322 2.1.1).
func field(b *bytes.Buffer, name, value string) {
	b.WriteString(name + ":")
	column := len(name) + 1
	for word := range strings.SplitSeq(value, " ") {
		if column+1+len(word) > 76 && column > len(name)+1 {
			b.WriteString("\r\n")
			column = 0
		}
		b.WriteString(" " + word)
		column += 1 + len(word)
	}
	b.WriteString("\r\n")
}

// mailbox writes an address with a display name.
func mailbox(name string, a identity.Address) string {
	if name = line(name, maxName); name == "" {
		return a.String()
	}
	if encoded := encodeWords(name); encoded != name {
		return encoded + " <" + a.String() + ">"
	}
	full := mail.Address{Name: name, Address: a.String()}
	return full.String()
}

// encodeWords returns one line of text as encoded words (RFC 2047, "Q") where it is
// not US-ASCII. A word has at most 67 octets, so that it stands behind "Subject: "
// within 76 columns; spaces between words do not count for a reader, so the words
// hold their own.
func encodeWords(text string) string {
	if !strings.Contains(text, "=?") && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return text
	}
	var words []string
	var word strings.Builder
	for _, r := range text {
		var q string
		switch {
		case r == ' ':
			q = "_"
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z': // also in a phrase (5, rule 3)
			q = string(r)
		default:
			for _, c := range []byte(string(r)) {
				q += fmt.Sprintf("=%02X", c)
			}
		}
		if word.Len()+len(q) > 55 {
			words = append(words, word.String())
			word.Reset()
		}
		word.WriteString(q)
	}
	return "=?utf-8?q?" + strings.Join(append(words, word.String()), "?= =?utf-8?q?") + "?="
}

// messageID reports whether s is a message id of printable US-ASCII that fits a line.
func messageID(s string) bool {
	if len(s) < 3 || len(s) > 900 || s[0] != '<' || s[len(s)-1] != '>' {
		return false
	}
	for _, c := range []byte(s[1 : len(s)-1]) {
		if c <= ' ' || c >= 0x7F || c == '<' || c == '>' {
			return false
		}
	}
	return true
}
