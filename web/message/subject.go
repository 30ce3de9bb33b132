package message

import (
	"strings"
	"unicode"

	"github.com/vaguemestre/vaguemestre/letter"
)

const (
	// xdmPrefix marks a letter with documents for the recipient's software; people do
	// not see it (ECO.2.1.3, ECO.3.1.3).
	xdmPrefix = "XDM/1.0/DDM+"
	// replaced stands before it when the documents replace earlier ones (spec mssante 6.2).
	replaced = "[Annule et remplace]"
	// over is the subject by which a professional ends the exchange (spec mssante 7.6).
	over = "[FIN]"
)

// Subject is what people read of a letter's subject.
type Subject struct {
	// Text is the subject without its technical marks; empty if there is no other.
	Text string
	// Replaces says that the letter replaces an earlier one.
	Replaces bool
	// Over says that with it the professional ends the exchange.
	Over bool
}

// ReadSubject reads a subject as it stands in the header or in a list.
func ReadSubject(raw string) Subject {
	text := strings.TrimSpace(letter.DecodeWords(raw))
	s := Subject{Over: text == over}
	if s.Over {
		return s
	}
	text, s.Replaces = cutFold(text, replaced)
	text, _ = cutFold(text, xdmPrefix)
	text = strings.TrimSpace(strings.ReplaceAll(text, over, ""))
	s.Text = strings.Join(strings.Fields(tame(text)), " ")
	return s
}

// cutFold cuts a mark off the start, in any case, white space around it aside.
func cutFold(s, mark string) (string, bool) {
	if len(s) < len(mark) || !strings.EqualFold(s[:len(mark)], mark) {
		return s, false
	}
	return strings.TrimSpace(s[len(mark):]), true
}

// tame takes out what could make a line say another thing than it shows: control
// characters, and those that turn the reading direction or cannot be seen.
func tame(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u200b', r == '\ufeff', r == '\u00ad':
			return -1
		}
		return r
	}, s)
}

// SenderName returns the name under which a patient sees a correspondent: never an
// address (spec mssante 7.4). It is empty when the sender gave no name, or an address
// in its place.
func SenderName(raw string) string {
	name := strings.Join(strings.Fields(tame(letter.DecodeWords(raw))), " ")
	if strings.Contains(name, "@") {
		return ""
	}
	return name
}
