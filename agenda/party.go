package agenda

import (
	"log/slog"
	"strings"

	"github.com/vaguemestre/vaguemestre/identity"
)

// calAddress reads a calendar address (RFC 5545 3.3.3): a mailto URI in any case,
// with the white space that some clients leave.
func calAddress(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= len("mailto:") && strings.EqualFold(s[:len("mailto:")], "mailto:") {
		s = s[len("mailto:"):]
	}
	s, _, _ = strings.Cut(strings.TrimSpace(s), "?") // RFC 6068: header fields have no place here
	return s
}

// parse derives the address from its raw form. A calendar address is written by the
// sender: one that the house does not accept stays text.
func (p *Party) parse() {
	p.Address = identity.Address{}
	if a, err := identity.ParseAddress(p.Raw); err == nil {
		p.Address = a
	}
}

// stored returns the party with its address in the raw form, which the record keeps.
func (p Party) stored() Party {
	if p.Raw == "" && !p.Address.IsZero() {
		p.Raw = p.Address.String()
	}
	return p
}

// key is what two spellings of one party share.
func (p *Party) key() string {
	if p.Address.IsZero() {
		return "raw:" + p.Raw
	}
	return p.Address.Key()
}

// Speaks reports whether the authenticated sender may speak for the party (RFC 6047
// 3): the party's own address, or one that acts for it (SENT-BY). Anybody can write
// any SENT-BY, so it counts within one domain only, whose operator knows both.
func (p *Party) Speaks(sender identity.Address) bool {
	if p.Address.IsZero() || sender.IsZero() {
		return false
	}
	return p.Address.Equal(sender) ||
		p.SentBy.Equal(sender) && sender.Domain() == p.Address.Domain()
}

// LogValue keeps people out of every log.
func (Party) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// LogValue keeps the appointment out of every log.
func (Event) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// LogValue keeps the appointments out of every log.
func (Message) LogValue() slog.Value { return slog.StringValue("[redacted]") }
