package agenda

import (
	"slices"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// Judge decides whether a message may change the agenda of me. Method is the
// method parameter of the part's Content-Type, sender the authenticated envelope
// sender of the letter. It is pure: what it decides does not depend on what is known
// already, which is for [Accept].
//
// Only a request or cancellation of one event or series counts, that its organizer
// sent and that invites me; everything else stays a letter to read. Faults:
//
//	Invalid  invite-method-missing       no method in the part or in the calendar
//	         invite-method-mismatch      two different ones (RFC 6047 2.4)
//	         invite-method-unsupported   another than REQUEST and CANCEL
//	         invite-ambiguous            what two readers may read differently
//	         invite-empty                no event
//	         invite-no-uid
//	         invite-several-uids         RFC 5546 3.2.2: one message, one UID
//	         invite-no-organizer
//	         invite-sequence             no number that orders
//	         invite-dates                no start, or an end before it
//	         invite-rule                 an instance that is a series itself
//	Denied   invite-sender-not-organizer
//	         invite-not-for-me
func Judge(m *Message, method string, sender, me identity.Address) error {
	if err := judgeMethod(m, method); err != nil {
		return err
	}
	if len(m.Warnings) > 0 {
		return fault.New(fault.Invalid, "invite-ambiguous")
	}
	if len(m.Events) == 0 {
		return fault.New(fault.Invalid, "invite-empty")
	}
	for i := range m.Events {
		e := &m.Events[i]
		if err := e.judge(&m.Events[0], i); err != nil {
			return err
		}
		if !e.Organizer.Speaks(sender) {
			// RFC 6047 3, spec dmp 8.1.3: in a closed space the envelope sender is proven.
			return fault.New(fault.Denied, "invite-sender-not-organizer")
		}
	}
	if !m.invites(me) {
		return fault.New(fault.Denied, "invite-not-for-me")
	}
	return nil
}

// judgeMethod compares the two places of the method.
func judgeMethod(m *Message, method string) error {
	switch {
	case m.Method == "" || method == "":
		return fault.New(fault.Invalid, "invite-method-missing")
	case !strings.EqualFold(m.Method, method):
		return fault.New(fault.Invalid, "invite-method-mismatch")
	case m.Method != Request && m.Method != Cancel:
		return fault.New(fault.Invalid, "invite-method-unsupported")
	}
	return nil
}

// judge looks at one event; number is its place in the message that begins with
// head.
func (e *Event) judge(head *Event, number int) error {
	switch {
	case e.UID == "":
		return fault.New(fault.Invalid, "invite-no-uid")
	case e.UID != head.UID:
		return fault.New(fault.Invalid, "invite-several-uids")
	case e.Warned("event-ambiguous"), e.Warned("instance-unreadable"), e.Warned("dates-unreadable"),
		number > 0 && e.RecurrenceID == "", e.Organizer.key() != head.Organizer.key():
		return fault.New(fault.Invalid, "invite-ambiguous")
	case e.Organizer.Address.IsZero():
		return fault.New(fault.Invalid, "invite-no-organizer")
	case e.Sequence < 0:
		return fault.New(fault.Invalid, "invite-sequence")
	case e.Start.IsZero() && (e.Method != Cancel || e.Warned("start-unreadable")),
		e.Warned("end-unreadable"), e.Warned("end-before-start"):
		return fault.New(fault.Invalid, "invite-dates")
	case e.RecurrenceID != "" && (e.Recurs() || e.Warned("rule-unusable")):
		return fault.New(fault.Invalid, "invite-rule")
	}
	return nil
}

// invites reports whether me is an attendee. A cancellation may name nobody, which
// means everybody; one that names others only takes them off the list, not me (RFC
// 5546 3.2.5).
func (m *Message) invites(me identity.Address) bool {
	for i := range m.Events {
		e := &m.Events[i]
		mine := func(p Party) bool { return p.Address.Equal(me) && !me.IsZero() }
		if !slices.ContainsFunc(e.Attendees, mine) && (m.Method != Cancel || len(e.Attendees) > 0) {
			return false
		}
	}
	return true
}
