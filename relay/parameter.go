package relay

import (
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
)

// mailOptions passes on what the next hop understands. It fails with fault.Denied
// "hop-without-smtputf8" when a letter that needs SMTPUTF8 cannot go on (RFC 6531
// 3.5).
//
// BODY=8BITMIME is the client's own doing. A hop without 8BITMIME gets the letter
// as it is: encoding it anew (RFC 6152 3) would change what its author wrote.
func mailOptions(c *smtp.Client, p *delivery.Parcel) (*smtp.MailOptions, error) {
	o := &smtp.MailOptions{UTF8: p.UTF8, Size: p.Size()}
	if ok, _ := c.Extension("SMTPUTF8"); p.UTF8 && !ok {
		return nil, fault.New(fault.Denied, "hop-without-smtputf8")
	}
	if p.Ret == string(smtp.DSNReturnFull) || p.Ret == string(smtp.DSNReturnHeaders) {
		o.Return = smtp.DSNReturn(p.Ret)
	}
	if printable(p.EnvelopeID) {
		o.EnvelopeID = p.EnvelopeID
	}
	return o, nil
}

// rcptOptions passes on the DSN parameters (RFC 3461 5.2.1); the client leaves them
// out where they are not understood. What the client would not write is not worth
// a letter.
func rcptOptions(c *smtp.Client, to delivery.ParcelRecipient) *smtp.RcptOptions {
	o := &smtp.RcptOptions{}
	for _, n := range to.Notify {
		o.Notify = append(o.Notify, smtp.DSNNotify(n))
	}
	switch kind := smtp.DSNAddressType(strings.ToUpper(to.OriginalType)); {
	case kind == smtp.DSNAddressTypeRFC822 && printable(to.Original), kind == smtp.DSNAddressTypeUTF8:
		o.OriginalRecipientType, o.OriginalRecipient = kind, to.Original
	}
	return o
}

// printable reports whether s is printable US-ASCII (RFC 3461 4: what xtext may stand for).
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
