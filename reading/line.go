package reading

import (
	"net/mail"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
)

// Line is what a list shows of a letter.
type Line struct {
	ID     mailbox.MessageID
	Folder mailbox.FolderID
	UID    mailbox.UID
	Flags  mailbox.Flags
	// Size is the whole letter's, in octets.
	Size int64
	// At is when it came; Date is what it says of itself, At if that cannot be read.
	At, Date time.Time
	// From and To are names. A patient is shown no address (spec mssante 7.4): who
	// gives no name is shown by the domain.
	From string
	To   []string
	// Subject is decoded; it may be empty.
	Subject string
	// Preview is the beginning of the text.
	Preview string
	// Attachments counts the parts that are attachments.
	Attachments int
	// Invitation says that there is a calendar part.
	Invitation bool
	// Outcome is what became of it for this box, as its row says.
	Outcome string
}

// Unread reports whether nobody has opened the letter yet.
func (l Line) Unread() bool { return !l.Flags.Has(mailbox.FlagSeen) }

// names gives what people are called: the correspondents of a patient, by address.
type names struct {
	hide  bool
	known map[string]string
}

// line makes the line of an opened letter.
func line(op *Opened, folder mailbox.FolderID, n names) Line {
	l := Line{
		ID: op.ID, Folder: folder, UID: op.UID, Flags: op.Flags, Size: op.Size, At: op.Internal, Date: op.Internal,
		Preview: op.Summary.Preview, Outcome: op.Outcome,
	}
	partTree(&op.Summary.Structure.Root, "").each(func(p *Part) {
		switch p.Role() {
		case Attachment:
			l.Attachments++
		case Calendar:
			l.Invitation = true
		}
	})
	e := op.Summary.Structure.Root.Envelope
	if e == nil {
		return l
	}
	l.Subject = letter.DecodeWords(e.Subject)
	if t, err := mail.ParseDate(e.Date); err == nil {
		l.Date = t
	}
	if len(e.From) > 0 {
		l.From = n.of(e.From[0])
	}
	for _, list := range [][]letter.Address{e.To, e.Cc} {
		for _, a := range list {
			if !a.GroupStart() && !a.GroupEnd() {
				l.To = append(l.To, n.of(a))
			}
		}
	}
	return l
}

// of returns what to call somebody.
func (n names) of(a letter.Address) string {
	name := strings.TrimSpace(letter.DecodeWords(a.Name))
	address, err := identity.ParseAddress(a.Mailbox + "@" + a.Host)
	if !n.hide {
		if name == "" && err == nil {
			return address.String()
		}
		return name
	}
	if name == "" && err == nil {
		name = n.known[address.Key()]
	}
	if name == "" || strings.Contains(name, "@") {
		return a.Host
	}
	return name
}

// addressOf parses the first address of a list, zero if it is none.
func addressOf(list []letter.Address) identity.Address {
	if len(list) == 0 {
		return identity.Address{}
	}
	a, err := identity.ParseAddress(list[0].Mailbox + "@" + list[0].Host)
	if err != nil {
		return identity.Address{}
	}
	return a
}
