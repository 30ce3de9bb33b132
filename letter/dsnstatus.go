package letter

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
)

// maxQuoted is the longest text of others in octets that one field quotes: a field
// in one line stays under 998 octets.
const maxQuoted = 900

// status writes the message/delivery-status part (RFC 3464 2).
func (d DSN) status(b *bytes.Buffer) {
	line(b, "Content-Type: message/delivery-status\r\n")
	if id := ascii(d.EnvelopeID); id != "" {
		statusField(b, "Original-Envelope-Id", clip(id, 100)) // RFC 3461 4.4: at most 100
	}
	statusField(b, "Reporting-MTA", "dns; "+hostName(d.Reporter))
	statusDate(b, "Arrival-Date", d.Arrival)
	for _, r := range d.Recipients {
		line(b, "")
		r.status(b)
	}
}

// status writes the fields of one recipient (RFC 3464 2.3).
func (r Recipient) status(b *bytes.Buffer) {
	if r.Original != "" && r.OriginalType != "" {
		statusField(b, "Original-Recipient", typedAddress(atomText(clip(r.OriginalType, 50)), r.Original))
	}
	statusField(b, "Final-Recipient", finalRecipient(r.Final))
	statusField(b, "Action", string(r.action()))
	statusField(b, "Status", r.code())
	if r.Remote != "" {
		statusField(b, "Remote-MTA", "dns; "+hostName(r.Remote))
	}
	if text := ascii(clip(r.Diagnostic, maxQuoted)); text != "" {
		statusField(b, "Diagnostic-Code", "smtp; "+text)
	}
	statusDate(b, "Last-Attempt-Date", r.LastAttempt)
	if r.action() == Delayed {
		statusDate(b, "Will-Retry-Until", r.RetryUntil)
	}
}

// action returns the action, Failed if it is none of those known.
func (r Recipient) action() Action {
	switch r.Action {
	case Delayed, Delivered, Relayed, Expanded:
		return r.Action
	}
	return Failed
}

// code returns the status code, with the class that the action asks for (RFC 3464
// 2.3.4, RFC 3463 2).
func (r Recipient) code() string {
	class := map[Action]byte{Failed: '5', Delayed: '4'}[r.action()]
	if class == 0 {
		class = '2'
	}
	var c, subject, detail int
	n, err := fmt.Sscanf(r.Status, "%d.%d.%d", &c, &subject, &detail)
	sound := err == nil && n == 3 && r.Status == fmt.Sprintf("%d.%d.%d", c, subject, detail) &&
		subject >= 0 && detail >= 0 && subject < 1000 && detail < 1000
	// A failure may keep a 4: trying ended on a temporary error.
	if sound && (r.Status[0] == class || r.action() == Failed && c == 4) {
		return r.Status
	}
	return string(class) + ".0.0"
}

// statusField writes one field, folded.
func statusField(b *bytes.Buffer, name, value string) {
	line(b, name+": "+fold(value, len(name)+2))
}

// statusDate writes a date unless it is zero.
func statusDate(b *bytes.Buffer, name string, t time.Time) {
	if !t.IsZero() {
		statusField(b, name, t.Format(dateLayout))
	}
}

// finalRecipient returns the typed address of a recipient. RFC 6533 3: one that is
// not US-ASCII has type utf-8 and is written for 7-bit transport.
func finalRecipient(a identity.Address) string {
	s := a.String()
	if ascii(s) == s {
		return "rfc822; " + s
	}
	return typedAddress("utf-8", s)
}

// typedAddress writes a generic address; one that is not US-ASCII in the
// utf-8-addr-xtext form of RFC 6533 3.
func typedAddress(kind, s string) string {
	if !strings.EqualFold(kind, "utf-8") {
		return kind + "; " + clip(ascii(s), maxQuoted)
	}
	var b strings.Builder
	for _, r := range printable(s) {
		if r > ' ' && r <= '~' && r != '+' && r != '=' && r != '\\' {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, "\\x{%X}", r)
	}
	return "utf-8; " + clip(b.String(), maxQuoted)
}
