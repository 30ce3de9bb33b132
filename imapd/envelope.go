package imapd

import (
	"net/mail"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/vaguemestre/vaguemestre/letter"
)

// The library encodes text that is not printable ASCII and prints the rest as it
// is: given raw header values it shows raw header values, as RFC 9051 7.5.2 wants.
// Only the date is beyond it: it is read and printed anew.

// envelope returns what FETCH ENVELOPE shows.
func envelope(e *letter.Envelope) *imap.Envelope {
	if e == nil {
		return &imap.Envelope{}
	}
	out := &imap.Envelope{
		Subject: e.Subject,
		From:    addresses(e.From), Sender: addresses(e.Sender), ReplyTo: addresses(e.ReplyTo),
		To: addresses(e.To), Cc: addresses(e.Cc), Bcc: addresses(e.Bcc),
		InReplyTo: messageIDs(e.InReplyTo),
	}
	if t, err := mail.ParseDate(e.Date); err == nil {
		out.Date = t
	}
	if ids := messageIDs(e.MessageID); len(ids) > 0 {
		out.MessageID = ids[0]
	}
	return out
}

func addresses(list []letter.Address) []imap.Address {
	out := make([]imap.Address, len(list))
	for i, a := range list {
		out[i] = imap.Address{Name: a.Name, Mailbox: a.Mailbox, Host: a.Host}
	}
	return out
}

// messageIDs takes the brackets off, which the library puts around again. What
// stands between two of them stays as it is.
func messageIDs(raw string) []string {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return nil
	}
	return []string{strings.TrimSuffix(strings.TrimPrefix(raw, "<"), ">")}
}

// bodyStructure returns what FETCH BODY and BODYSTRUCTURE show.
func bodyStructure(p *letter.Part) imap.BodyStructure {
	if p.Multipart() {
		m := &imap.BodyStructureMultiPart{Subtype: p.Subtype, Extended: &imap.BodyStructureMultiPartExt{
			Params: params(p.Params), Disposition: disposition(p), Language: p.Language, Location: p.Location,
		}}
		for i := range p.Children {
			m.Children = append(m.Children, bodyStructure(&p.Children[i]))
		}
		if len(m.Children) == 0 {
			// RFC 9051 9: a multipart has at least one body; this one is broken.
			m.Children = []imap.BodyStructure{bodyStructure(&letter.Part{Type: "text", Subtype: "plain", Encoding: "7bit"})}
		}
		return m
	}
	s := &imap.BodyStructureSinglePart{
		Type: p.Type, Subtype: p.Subtype, Params: params(p.Params), ID: p.ID, Description: p.Description,
		Encoding: p.Encoding, Size: uint32(min(p.Size(), 1<<32-1)),
		Extended: &imap.BodyStructureSinglePartExt{Disposition: disposition(p), Language: p.Language, Location: p.Location},
	}
	switch {
	case p.Type == "text":
		s.Text = &imap.BodyStructureText{NumLines: p.Lines}
	case p.Type == "message" && p.Subtype == "rfc822":
		enclosed := p.Message()
		if enclosed == nil { // not readable: an empty letter stands for it
			enclosed = &letter.Part{Type: "text", Subtype: "plain", Encoding: "7bit"}
		}
		s.MessageRFC822 = &imap.BodyStructureMessageRFC822{
			Envelope: envelope(enclosed.Envelope), BodyStructure: bodyStructure(enclosed), NumLines: p.Lines,
		}
	}
	return s
}

func params(list letter.Params) map[string]string {
	if len(list) == 0 {
		return nil
	}
	out := make(map[string]string, len(list))
	for _, p := range list {
		if _, twice := out[p.Name]; !twice {
			out[p.Name] = p.Value
		}
	}
	return out
}

func disposition(p *letter.Part) *imap.BodyStructureDisposition {
	if p.Disposition == "" {
		return nil
	}
	return &imap.BodyStructureDisposition{Value: p.Disposition, Params: params(p.DispositionParams)}
}
