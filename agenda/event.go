package agenda

import (
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
)

// SpaceID names the space whose agenda it is.
type SpaceID string

// EventID names an event, or one changed instance of a series, in its space. It is
// opaque, never reused and sorts by the time of the first letter about the event.
type EventID string

// Status is where an event stands for the person whose agenda it is in. An
// organizer can only cancel; all else is the person's own answer.
type Status string

// The statuses. Void is an event that was cancelled before it was ever asked for,
// or an instance that a newer series made obsolete: it is remembered, so that an
// older letter cannot bring it back, and never listed.
const (
	NeedsAction Status = "needs-action"
	Accepted    Status = "accepted"
	Declined    Status = "declined"
	Tentative   Status = "tentative"
	Cancelled   Status = "cancelled"
	Void        Status = "void"
)

// answer reports whether s is something that a person can answer.
func (s Status) answer() bool { return s == Accepted || s == Declined || s == Tentative }

// The methods of iTIP (RFC 5546 1.4) that are applied or written here.
const (
	Request = "REQUEST"
	Cancel  = "CANCEL"
	Answers = "REPLY"
)

// Message is one iTIP message: what a text/calendar part holds. It says what is
// written there; [Judge] says whether it may count.
type Message struct {
	// Method is the METHOD property in upper case, empty if there is none.
	Method string
	// Events are in the order in which they are to be applied: a series before its
	// changed instances.
	Events []Event
	// Warnings are reason ids of what is odd about the whole.
	Warnings []string
}

// Event is a VEVENT as its organizer described it: an event, a series, or one
// changed instance of a series. All text is plain and for people: control and
// bidirectional formatting characters are gone, lengths bounded.
type Event struct {
	// ID, Status and Changed are those of the row; Read leaves them empty.
	ID      EventID   `json:"-"`
	Status  Status    `json:"-"`
	Changed time.Time `json:"-"`
	// Letter is the id of the letter that brought the event; the caller sets it.
	Letter string `json:"letter,omitempty"`
	// Method is that of the message.
	Method string `json:"method,omitempty"`
	// UID is the raw value: opaque, compared and written back octet by octet, never a
	// file name.
	UID string `json:"uid"`
	// RecurrenceID is the instance meant: "20260105T090000Z" for an instant,
	// "20260105T090000" for a floating time, "20260105" for a day; empty for an event
	// or a series as a whole.
	RecurrenceID string `json:"instance,omitempty"`
	// Following says that the instance and all after it are meant (RANGE=THISANDFUTURE).
	Following bool `json:"following,omitempty"`
	// Sequence is SEQUENCE, 0 by default, -1 if it could not be read.
	Sequence int64 `json:"sequence,omitempty"`
	// Stamp is DTSTAMP, zero if missing.
	Stamp time.Time `json:"stamp,omitzero"`
	// Start and End bound the event, End exclusive, in the event's zone. They are at
	// 00:00 UTC for whole days (AllDay), and in UTC for a time that is local wherever one
	// is (Floating): there only the clock counts. Start is zero if it could not be read.
	Start time.Time `json:"start,omitzero"`
	End   time.Time `json:"end,omitzero"`
	// AllDay says that Start and End are days.
	AllDay bool `json:"allDay,omitempty"`
	// Floating says that Start and End are clock times of no zone (RFC 5545 3.3.5).
	Floating bool `json:"floating,omitempty"`
	// Zone is an IANA name, or the sender's own name when Shifts is set; empty for UTC,
	// whole days and floating times.
	Zone string `json:"zone,omitempty"`
	// Shifts are the changes of offset of a zone that only the message defines.
	Shifts []Shift `json:"shifts,omitempty"`
	// Summary, Location and Description are for people; only Description has lines.
	Summary     string `json:"summary,omitempty"`
	Location    string `json:"location,omitempty"`
	Description string `json:"description,omitempty"`
	// Organizer speaks for the event.
	Organizer Party `json:"organizer"`
	// Attendees are those invited, at most [Limits].Attendees.
	Attendees []Party `json:"attendees,omitempty"`
	// Rule is the value of RRULE, empty for none or for one that is not understood.
	Rule string `json:"rule,omitempty"`
	// Extra and Except are the starts that RDATE adds and EXDATE takes away.
	Extra  []time.Time `json:"extra,omitempty"`
	Except []time.Time `json:"except,omitempty"`
	// State is STATUS as the organizer wrote it: "TENTATIVE", "CONFIRMED", "CANCELLED".
	State string `json:"state,omitempty"`
	// Warnings are reason ids of what could not be read as it is written.
	Warnings []string `json:"warnings,omitempty"`
}

// Party is an organizer or an attendee.
type Party struct {
	// Address is zero when Raw is no address of the form that the house accepts.
	Address identity.Address `json:"-"`
	// Raw is the calendar address without "mailto:", made plain.
	Raw string `json:"raw,omitempty"`
	// Name is CN. Whoever shows it shows the address too: anybody can write any name.
	Name string `json:"name,omitempty"`
	// PartStat is PARTSTAT in upper case, as the sender wrote it.
	PartStat string `json:"partStat,omitempty"`
	// SentBy is who acts for the party, zero for nobody.
	SentBy identity.Address `json:"-"`
}

// Cancels reports whether the message takes the event away.
func (e *Event) Cancels() bool { return e.Method == Cancel || e.State == "CANCELLED" }

// Recurs reports whether the event has more than one occurrence.
func (e *Event) Recurs() bool { return e.Rule != "" || len(e.Extra) > 0 }

// Warned reports whether the event has that warning.
func (e *Event) Warned(reason string) bool { return slices.Contains(e.Warnings, reason) }

// warn notes a warning once.
func (e *Event) warn(reason string) {
	if !e.Warned(reason) {
		e.Warnings = append(e.Warnings, reason)
	}
}
