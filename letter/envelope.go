package letter

import "strings"

// Envelope is what IMAP's ENVELOPE tells of a message: header values unfolded and
// trimmed, encoded words left as they are (RFC 3501 7.4.2). No value holds CR, LF
// or NUL; each may hold octets over 127.
type Envelope struct {
	// Date and Subject are the first fields of their names.
	Date, Subject string
	// From and the others are the first field of their name. Sender and ReplyTo
	// are From where the field is missing or empty, as RFC 3501 asks.
	From, Sender, ReplyTo, To, Cc, Bcc []Address
	// InReplyTo and MessageID are the whole values.
	InReplyTo, MessageID string
}

// Address is one address, or a group marker, of an address field. The start of a
// group has its name in Mailbox and no Host; its end has neither. A single address
// always has both: "MISSING_MAILBOX" and "MISSING_DOMAIN" stand for what was not
// written, as Dovecot has them.
type Address struct {
	// Name is the display name, unquoted, encoded words left as they are.
	Name string
	// Mailbox is the local part, unquoted; Host the domain.
	Mailbox, Host string
}

// GroupStart reports whether a opens a group, named by Mailbox.
func (a Address) GroupStart() bool { return a.Host == "" && a.Mailbox != "" }

// GroupEnd reports whether a closes a group.
func (a Address) GroupEnd() bool { return a.Host == "" && a.Mailbox == "" }

// EnvelopeOf returns the envelope of a header block. Where a head was put before a
// letter, the envelope is that of both. It fails with fault.Invalid
// "letter-too-many-addresses" beyond [Limits].Addresses.
func EnvelopeOf(header []byte) (*Envelope, error) {
	var d doubts
	h := readIndex(header, &d)
	e, _, err := h.envelope(DefaultLimits().Addresses)
	return e, err
}

// addressCost is what an address counts towards Limits.Kept beside its text, so
// that a list of very short ones is bounded too.
const addressCost = 32

// envelope makes the envelope of a message's header, and returns what it
// counts towards Limits.Kept. It fails if there are more than max addresses.
func (h *index) envelope(max int) (*Envelope, int, error) {
	e := &Envelope{}
	kept := 0
	for _, f := range []struct {
		id   fieldID
		into *string
	}{
		{fieldDate, &e.Date},
		{fieldSubject, &e.Subject},
		{fieldInReplyTo, &e.InReplyTo},
		{fieldMessageID, &e.MessageID},
	} {
		*f.into = h.value(f.id)
		kept += len(*f.into)
	}
	for _, f := range []struct {
		id   fieldID
		into *[]Address
	}{
		{fieldFrom, &e.From},
		{fieldSender, &e.Sender},
		{fieldReplyTo, &e.ReplyTo},
		{fieldTo, &e.To},
		{fieldCc, &e.Cc},
		{fieldBcc, &e.Bcc},
	} {
		if h.count(f.id) == 0 {
			continue
		}
		value := h.value(f.id)
		list, err := ParseAddressList(value, max)
		if err != nil {
			return nil, 0, err
		}
		*f.into = list
		max -= len(list)
		kept += len(value) + addressCost*len(list)
	}
	e.defaults()
	return e, kept, nil
}

// defaults fills Sender and ReplyTo (RFC 3501 7.4.2).
func (e *Envelope) defaults() {
	if len(e.Sender) == 0 {
		e.Sender = e.From
	}
	if len(e.ReplyTo) == 0 {
		e.ReplyTo = e.From
	}
}

// bareID returns the first message id in a value, angle brackets included; all of
// the value without white space if there are no brackets.
func bareID(s string) string {
	if i := strings.IndexByte(s, '<'); i >= 0 {
		if j := strings.IndexByte(s[i:], '>'); j >= 0 {
			s = s[i : i+j+1]
		}
	}
	return strings.Join(strings.Fields(s), "")
}
