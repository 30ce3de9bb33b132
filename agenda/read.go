package agenda

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-ical"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Read reads one calendar, decoded from its transfer encoding. It says what is
// there and judges little: what of an event cannot be read is left out with a
// warning, and what makes the whole unreadable or too costly is a fault.
//
// Faults, all Invalid: "calendar-malformed", "calendar-too-large",
// "calendar-too-deep", "calendar-too-many-components", "calendar-too-many-events",
// "calendar-too-many-properties", "calendar-too-many-attendees",
// "calendar-too-many-dates". An error of r comes back as it is.
func Read(r io.Reader, l Limits) (*Message, error) {
	l = l.orDefault()
	data, err := io.ReadAll(io.LimitReader(r, int64(l.Size)+1))
	if err != nil {
		return nil, err
	}
	g := guard{limits: l}
	filtered, err := g.filter(string(data))
	if err != nil {
		return nil, err
	}
	cal, err := decode(filtered)
	if err != nil {
		return nil, err
	}
	m := &Message{Method: strings.ToUpper(line(first(cal, "METHOD"), maxParam))}
	if g.calendars > 1 || len(cal.Props.Values("METHOD")) > 1 {
		m.Warnings = append(m.Warnings, "calendar-ambiguous")
	}
	rd := reader{limits: l, zones: readZones(cal)}
	for _, c := range cal.Children {
		if c.Name != "VEVENT" {
			continue
		}
		e, err := rd.event(c)
		if err != nil {
			return nil, err
		}
		e.Method = m.Method
		m.Events = append(m.Events, e)
	}
	slices.SortStableFunc(m.Events, func(a, b Event) int { return strings.Compare(a.RecurrenceID, b.RecurrenceID) })
	return m, nil
}

// decode gives the filtered lines to the library. The guard keeps from it what it
// cannot bear; should it have missed something, a stranger's calendar still must not
// end the process.
func decode(s string) (c *ical.Component, err error) {
	defer func() {
		if p := recover(); p != nil {
			c, err = nil, errMalformed("the decoder gave up")
		}
	}()
	cal, err := ical.NewDecoder(strings.NewReader(s)).Decode()
	if err != nil {
		return nil, errMalformed("no calendar")
	}
	return cal.Component, nil
}

// reader reads the events of a message.
type reader struct {
	limits Limits
	zones  *zones
}

// event reads a VEVENT.
func (rd *reader) event(c *ical.Component) (Event, error) {
	e := Event{
		UID:         strings.TrimSpace(first(c, "UID")),
		Summary:     line(unescape(first(c, "SUMMARY")), maxTitle),
		Location:    line(unescape(first(c, "LOCATION")), maxPlace),
		Description: plain(unescape(first(c, "DESCRIPTION")), rd.limits.Text),
		State:       strings.ToUpper(line(first(c, "STATUS"), maxParam)),
	}
	if len(e.UID) > maxUID {
		e.UID = ""
	}
	for _, name := range []string{"UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "DURATION", "ORGANIZER", "RECURRENCE-ID", "STATUS"} {
		if len(c.Props.Values(name)) > 1 {
			e.warn("event-ambiguous")
		}
	}
	e.order(c)
	rd.times(&e, c)
	if err := rd.parties(&e, c); err != nil {
		return Event{}, err
	}
	if err := rd.recurrence(&e, c); err != nil {
		return Event{}, err
	}
	return e, nil
}

// order reads SEQUENCE and DTSTAMP.
func (e *Event) order(c *ical.Component) {
	if s := strings.TrimSpace(first(c, "SEQUENCE")); s != "" {
		// RFC 5545 3.3.8: an integer of 32 bits; one below zero is none (3.8.7.4).
		n, err := strconv.ParseInt(s, 10, 32)
		if e.Sequence = n; err != nil || n < 0 {
			e.Sequence = -1
			e.warn("sequence-unreadable")
		}
	}
	s := first(c, "DTSTAMP")
	if s == "" {
		return
	}
	m, ok := parseMoment(s)
	if !ok || m.form == formDay || !plausible(m.clock) {
		e.warn("stamp-unreadable")
		return
	}
	e.Stamp = m.clock // RFC 5545 3.8.7.2: in UTC; without "Z" it is taken as such
}

// times reads when the event is.
func (rd *reader) times(e *Event, c *ical.Component) {
	p := c.Props.Get("DTSTART")
	if p == nil {
		return
	}
	start, ok := parseMoment(p.Value)
	if !ok || !plausible(start.clock) {
		e.warn("start-unreadable")
		return
	}
	z := rd.zone(e, p, start)
	e.AllDay = start.form == formDay
	e.Floating = start.form == formLocal && z.loc == nil && len(z.shifts) == 0
	if e.Floating {
		z = utc()
	}
	if start.form == formLocal && !e.Floating && z.name != "UTC" {
		e.Zone, e.Shifts = z.name, z.shifts
	}
	e.Start = start.in(z)
	rd.end(e, c, start, z)
}

// zone returns the zone that a property names, none if it names none or an unknown one.
func (rd *reader) zone(e *Event, p *ical.Prop, m moment) zone {
	tzid := p.Params.Get("TZID")
	if m.form != formLocal {
		return utc()
	}
	if tzid == "" {
		return zone{}
	}
	z := rd.zones.find(tzid, m.clock)
	if z.warning != "" {
		e.warn(z.warning)
	}
	return z.zone
}

// end reads when the event ends: DTEND, or DURATION, or by RFC 5545 3.6.1 a day
// after the start for a day, at the start for a time.
func (rd *reader) end(e *Event, c *ical.Component, start moment, z zone) {
	e.End = e.Start
	if e.AllDay {
		e.End = e.Start.AddDate(0, 0, 1)
	}
	if p := c.Props.Get("DTEND"); p != nil {
		m, ok := parseMoment(p.Value)
		if !ok || (m.form == formDay) != e.AllDay || !plausible(m.clock) {
			e.warn("end-unreadable")
			return
		}
		ez := rd.zone(e, p, m)
		if ez.loc == nil && len(ez.shifts) == 0 {
			ez = z
		}
		end := m.in(ez)
		switch {
		case end.Before(e.Start):
			e.warn("end-before-start")
		case e.AllDay && end.Equal(e.Start): // some clients write the last day itself
		case end.Sub(e.Start) > maxDuration:
			e.warn("end-unreadable")
		default:
			e.End = end.In(e.Start.Location())
			if len(z.shifts) > 0 {
				e.End = z.in(end)
			}
		}
		return
	}
	p := c.Props.Get("DURATION")
	if p == nil {
		return
	}
	d, ok := duration(p)
	if !ok {
		e.warn("end-unreadable")
		return
	}
	if d > 0 {
		e.End = z.in(e.Start.Add(d))
	}
}

// parties reads who speaks and who is invited.
func (rd *reader) parties(e *Event, c *ical.Component) error {
	if p := c.Props.Get("ORGANIZER"); p != nil {
		e.Organizer = party(p)
	}
	all := c.Props.Values("ATTENDEE")
	if len(all) > rd.limits.Attendees {
		return fault.New(fault.Invalid, "calendar-too-many-attendees")
	}
	for i := range all {
		e.Attendees = append(e.Attendees, party(&all[i]))
	}
	return nil
}

// party reads an ORGANIZER or ATTENDEE.
func party(prop *ical.Prop) Party {
	p := Party{
		Raw:      line(calAddress(prop.Value), maxParam),
		Name:     line(unescapeParam(prop.Params.Get("CN")), maxName),
		PartStat: strings.ToUpper(line(prop.Params.Get("PARTSTAT"), 40)),
	}
	p.parse()
	if by := prop.Params.Get("SENT-BY"); by != "" {
		other := Party{Raw: calAddress(by)}
		other.parse()
		p.SentBy = other.Address
	}
	return p
}

// recurrence reads the rule, the dates and which instance is meant.
func (rd *reader) recurrence(e *Event, c *ical.Component) error {
	if p := c.Props.Get("RECURRENCE-ID"); p != nil {
		m, ok := parseMoment(p.Value)
		if !ok || !plausible(m.clock) {
			e.warn("instance-unreadable")
		} else {
			e.RecurrenceID = rd.instance(e, p, m)
			e.Following = strings.EqualFold(p.Params.Get("RANGE"), "THISANDFUTURE")
		}
	}
	if rules := c.Props.Values("RRULE"); len(rules) > 0 {
		if _, err := parseRule(rules[0].Value); err != nil || len(rules) > 1 {
			e.warn("rule-unusable")
		} else {
			e.Rule = strings.ToUpper(strings.TrimSpace(rules[0].Value))
		}
	}
	if len(c.Props.Values("EXRULE")) > 0 { // RFC 2445 only: what it takes out is not known
		e.Rule = ""
		e.warn("rule-unusable")
	}
	return rd.dates(e, c)
}

// instance returns the text that stands for an instance.
func (rd *reader) instance(e *Event, p *ical.Prop, m moment) string {
	z := rd.zone(e, p, m)
	if m.form == formLocal && (z.loc != nil || len(z.shifts) > 0) {
		m = moment{m.in(z).UTC(), formUTC}
	}
	return m.clock.Format([...]string{layoutDay, layoutLocal, layoutUTC}[m.form])
}

// dates reads RDATE and EXDATE.
func (rd *reader) dates(e *Event, c *ical.Component) error {
	for _, name := range []string{"RDATE", "EXDATE"} {
		list := &e.Extra
		if name == "EXDATE" {
			list = &e.Except
		}
		for _, p := range c.Props.Values(name) {
			for v := range strings.SplitSeq(p.Value, ",") {
				v, _, _ = strings.Cut(v, "/") // a PERIOD: its end is the event's
				if strings.TrimSpace(v) == "" {
					continue
				}
				if len(*list) >= rd.limits.Dates {
					return fault.New(fault.Invalid, "calendar-too-many-dates")
				}
				m, ok := parseMoment(v)
				if !ok || !plausible(m.clock) || (m.form == formDay) != e.AllDay {
					e.warn("dates-unreadable")
					continue
				}
				z := rd.zone(e, &p, m)
				if z.loc == nil && len(z.shifts) == 0 {
					z = e.zone()
				}
				*list = append(*list, m.in(z))
			}
		}
	}
	return nil
}

// instance returns which part of a series the event stands for, as one text.
func (e *Event) instance() string {
	if e.Following {
		return fmt.Sprintf("%s+", e.RecurrenceID)
	}
	return e.RecurrenceID
}
