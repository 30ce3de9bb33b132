package agenda

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-ical"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// product is the PRODID of what is written here (RFC 5545 3.7.3).
const product = "-//Vaguemestre//Agenda//FR"

// Reply returns the answer of an attendee as a calendar (RFC 5546 3.2.3): the
// event's UID, SEQUENCE and instance, its organizer, and one attendee. It names
// nobody else, and repeats nothing of the event but its start: the organizer knows
// the rest. Lines are folded at 75 octets.
//
// Faults: Invalid "answer-malformed" for a status that is no answer, Invalid
// "invite-no-organizer" when there is nobody to answer.
func Reply(e Event, me identity.Address, name string, status Status, now time.Time) ([]byte, error) {
	if !status.answer() {
		return nil, fault.New(fault.Invalid, "answer-malformed")
	}
	if e.Organizer.Address.IsZero() || e.UID == "" {
		return nil, fault.New(fault.Invalid, "invite-no-organizer")
	}
	c := ical.NewComponent(ical.CompEvent)
	e.identify(c, now)
	set(c, "ORGANIZER", "mailto:"+e.Organizer.Address.String())
	at := attendee(me, name, strings.ToUpper(string(status)))
	c.Props.Add(at)
	if !e.Start.IsZero() {
		c.Props.Set(e.moment("DTSTART", e.Start))
	}
	return encode(Answers, c)
}

// Compose returns a request for an event, or its cancellation, as its organizer
// sends it: for the demo and tests now, for professionals later. Method is [Request]
// or [Cancel]. Times are written in UTC; a series in a zone is not composed.
//
// Faults: Invalid "invite-no-uid", "invite-no-organizer", "invite-dates",
// "invite-method-unsupported", "invite-rule".
func Compose(method string, e Event, now time.Time) ([]byte, error) {
	switch {
	case method != Request && method != Cancel:
		return nil, fault.New(fault.Invalid, "invite-method-unsupported")
	case e.UID == "":
		return nil, fault.New(fault.Invalid, "invite-no-uid")
	case e.Organizer.Address.IsZero():
		return nil, fault.New(fault.Invalid, "invite-no-organizer")
	case e.Start.IsZero() || e.End.Before(e.Start):
		return nil, fault.New(fault.Invalid, "invite-dates")
	case e.Rule != "" && e.Zone != "", len(e.Extra)+len(e.Except) > 0:
		return nil, fault.New(fault.Invalid, "invite-rule")
	}
	c := ical.NewComponent(ical.CompEvent)
	e.identify(c, now)
	organizer := ical.NewProp("ORGANIZER")
	organizer.Value = "mailto:" + e.Organizer.Address.String()
	named(organizer, e.Organizer.Name)
	c.Props.Set(organizer)
	for _, p := range e.Attendees {
		status := p.PartStat
		if status == "" {
			status = "NEEDS-ACTION"
		}
		at := attendee(p.Address, p.Name, status)
		at.Params.Set("RSVP", "TRUE")
		c.Props.Add(at)
	}
	c.Props.Set(e.moment("DTSTART", e.Start))
	c.Props.Set(e.moment("DTEND", e.End))
	for _, text := range []struct{ name, value string }{
		{"SUMMARY", line(e.Summary, maxTitle)},
		{"LOCATION", line(e.Location, maxPlace)},
		{"DESCRIPTION", plain(e.Description, DefaultLimits().Text)},
	} {
		if text.value != "" {
			p := ical.NewProp(text.name)
			p.SetText(text.value)
			c.Props.Set(p)
		}
	}
	if e.Rule != "" {
		set(c, "RRULE", e.Rule)
	}
	set(c, "CLASS", "PRIVATE") // spec dmp 8.1.10
	if method == Cancel {
		set(c, "STATUS", "CANCELLED") // RFC 5546 3.2.5
	}
	return encode(method, c)
}

// identify writes what says which event is meant and which word on it this is.
func (e *Event) identify(c *ical.Component, now time.Time) {
	set(c, "UID", e.UID)
	set(c, "DTSTAMP", now.UTC().Format(layoutUTC))
	set(c, "SEQUENCE", strconv.FormatInt(max(0, e.Sequence), 10))
	if e.RecurrenceID == "" {
		return
	}
	p := ical.NewProp("RECURRENCE-ID")
	p.Value = e.RecurrenceID
	if len(p.Value) == len(layoutDay) {
		p.Params.Set("VALUE", "DATE")
	}
	if e.Following {
		p.Params.Set("RANGE", "THISANDFUTURE")
	}
	c.Props.Set(p)
}

// set writes a property without parameters.
func set(c *ical.Component, name, value string) {
	p := ical.NewProp(name)
	p.Value = value
	c.Props.Set(p)
}

// moment writes one of the event's times: a day, a floating time or UTC, so that no
// VTIMEZONE has to go with it.
func (e *Event) moment(name string, t time.Time) *ical.Prop {
	p := ical.NewProp(name)
	p.Value = e.instanceAt(t)
	if e.AllDay {
		p.Params.Set("VALUE", "DATE")
	}
	return p
}

// attendee writes an attendee.
func attendee(a identity.Address, name, status string) *ical.Prop {
	p := ical.NewProp("ATTENDEE")
	p.Value = "mailto:" + a.String()
	p.Params.Set("PARTSTAT", status)
	named(p, name)
	return p
}

// named adds a display name. A quote cannot stand in a parameter (RFC 5545 3.2).
func named(p *ical.Prop, name string) {
	if name = strings.ReplaceAll(line(name, maxName), `"`, "'"); name != "" {
		p.Params.Set("CN", name)
	}
}

// encode writes a calendar of one event.
func encode(method string, c *ical.Component) ([]byte, error) {
	cal := ical.NewCalendar()
	set(cal.Component, "VERSION", "2.0")
	set(cal.Component, "PRODID", product)
	set(cal.Component, "METHOD", method)
	cal.Children = append(cal.Children, c)
	var b bytes.Buffer
	if err := ical.NewEncoder(&b).Encode(cal); err != nil {
		return nil, fmt.Errorf("write a calendar: %w", err)
	}
	return foldLines(b.Bytes()), nil
}

// foldLines folds content lines at 75 octets (RFC 5545 3.1), never inside a
// character: a reader that decodes before it unfolds would break it.
func foldLines(b []byte) []byte {
	var out bytes.Buffer
	for rest := range bytes.SplitSeq(bytes.TrimSuffix(b, []byte("\r\n")), []byte("\r\n")) {
		for room := 75; len(rest) > room; room = 74 { // a space begins what follows
			n := room
			for n > 1 && !utf8.RuneStart(rest[n]) {
				n--
			}
			out.Write(rest[:n])
			out.WriteString("\r\n ")
			rest = rest[n:]
		}
		out.Write(rest)
		out.WriteString("\r\n")
	}
	return out.Bytes()
}
