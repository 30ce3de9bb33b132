package main

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/wiretest"
)

// mostOccurrences and mostExpansion bound what an invitation may make of an agenda
// (the vectors' own note).
const (
	mostOccurrences = 1000
	mostExpansion   = 200 * time.Millisecond
)

// property reads the first value of a property, unfolded, with its parameters cut off.
func property(ics []byte, name string) string {
	text := regexp.MustCompile(`\r?\n[ \t]`).ReplaceAllString(string(ics[:min(len(ics), 256<<10)]), "")
	m := regexp.MustCompile(`(?mi)^` + name + `((?:;[^:\r\n]*)?):([^\r\n]*)`).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[2]
}

// has reports whether there is such a property.
func has(ics []byte, name string) bool {
	return regexp.MustCompile(`(?mi)^` + name + `[;:]`).Match(ics)
}

// about reports whether an iTIP message is about an event that has to be known: an
// answer, a cancellation, another version, an instance.
func about(ics []byte) bool {
	switch property(ics, "METHOD") {
	case "CANCEL", "REPLY", "COUNTER", "DECLINECOUNTER", "REFRESH":
		return true
	case "REQUEST":
		return has(ics, "SEQUENCE") || has(ics, "RECURRENCE-ID")
	}
	return false
}

// bare is the address of an organizer.
func bare(organizer string) string {
	_, address, found := strings.Cut(organizer, ":")
	if !found {
		address = organizer
	}
	return strings.ToLower(strings.TrimSpace(address))
}

// invite lets the patient be invited to the event that the vector is about, by its
// organizer, and remembers the agenda.
func (c *court) invite(t *trial) (err error) {
	uid := property(t.data, "UID")
	if t.v.holds("no-cross") && about(t.data) && uid != "" {
		if err := c.plant(t, uid); err != nil {
			return err
		}
	}
	if t.was, err = t.space.events(); err != nil {
		return err
	}
	if at := slices.IndexFunc(t.was, func(e event) bool { return e.UID == uid }); at >= 0 && uid != "" {
		t.known = &t.was[at]
	}
	_, t.slow, err = t.space.ask("/agenda", "text/html", 0)
	return err
}

// plant sends the invitation that comes before.
func (c *court) plant(t *trial, uid string) error {
	organizer := bare(property(t.data, "ORGANIZER"))
	var by demo.Operator
	for _, o := range []demo.Operator{c.f.hospital, c.f.city} {
		if _, domain, _ := strings.Cut(organizer, "@"); slices.Contains(o.Domains, domain) {
			by = o
		}
	}
	if by.Name == "" {
		t.note("its organizer is outside: no event is known before")
		return nil
	}
	start, end := property(t.data, "DTSTART"), property(t.data, "DTEND")
	lines := []string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//hostile//known//EN", "METHOD:REQUEST", "BEGIN:VEVENT",
		"UID:" + uid, "DTSTAMP:20200101T000000Z", "DTSTART:" + start, "DTEND:" + end, "SEQUENCE:1", "SUMMARY:Known before",
		"ORGANIZER:mailto:" + organizer, "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:" + t.patient.Address, "END:VEVENT", "END:VCALENDAR", "",
	}
	reply, err := c.bring(by, wiretest.Mail{
		From: organizer, To: t.patient.Address, Subject: "known before " + t.v.File, Text: "Bonjour.",
		Attachments: []wiretest.Attachment{{Type: "text/calendar; charset=utf-8; method=REQUEST", Name: "invitation.ics", Data: []byte(strings.Join(lines, "\r\n"))}},
	})
	if err != nil {
		return err
	}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		events, err := t.space.events()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(events, func(e event) bool { return e.UID == uid }) {
			t.note("after an invitation to the same event by %s's operator", by.Name)
			return nil
		}
	}
	return fmt.Errorf("accept-shown: the invitation that comes before was answered %s and is not in the agenda", clip(reply.String()))
}

// calendar holds the agenda: nothing is accepted by itself, what others wrote stays as
// it was, and no invitation fills it.
func (c *court) calendar(t *trial) error {
	now, err := t.space.events()
	if err != nil {
		return err
	}
	uid := property(t.data, "UID")
	fresh := 0
	for _, e := range now {
		old := slices.ContainsFunc(t.was, func(o event) bool { return o.ID == e.ID })
		if !old && c.of(t, e, uid) {
			fresh++
		}
		if c.of(t, e, uid) && e.Status != "needs-action" && e.Status != "cancelled" {
			return fmt.Errorf("no-spoof: an event is %q without anybody's doing", e.Status)
		}
	}
	switch {
	case t.v.Expect.Outcome == "accept-shown" && fresh != 1:
		return fmt.Errorf("accept-shown: %d events (%+v)", fresh, t.facts.Invitations)
	case fresh > 1:
		return fmt.Errorf("calendar-refused-or-bounded: %d events of one invitation", fresh)
	}
	if err := t.unchanged(now); err != nil {
		return err
	}
	if why := t.why(); why != "" {
		t.note("not in the agenda: %s", why)
	} else if !t.v.fits() {
		t.note("in the agenda: %s", t.status())
	}
	return c.bounded(t)
}

// of reports whether an event is the vector's own.
func (c *court) of(t *trial, e event, uid string) bool {
	return uid != "" && e.UID == uid || t.v.Marker != "" && strings.Contains(e.Summary+e.UID, t.v.Marker)
}

// why is the reason that the letter tells for what was not applied, empty for none.
func (t *trial) why() string {
	for _, i := range t.facts.Invitations {
		if i.Reason != "" {
			return i.Reason
		}
	}
	return ""
}

// status is what the letter tells of what was applied.
func (t *trial) status() string {
	for _, i := range t.facts.Invitations {
		return i.Status
	}
	return "nothing told"
}

// unchanged holds what was in the agenda before. Only the organizer may change an
// event, by a later version, and then the patient is asked again.
func (t *trial) unchanged(now []event) error {
	for _, was := range t.was {
		at := slices.IndexFunc(now, func(e event) bool { return e.ID == was.ID })
		switch {
		case at >= 0 && now[at] == was:
			continue
		case !t.v.alone() && (t.known == nil || was.ID != t.known.ID):
			continue // another vector runs beside this one
		case at >= 0 && t.known != nil && was.ID == t.known.ID && t.later() && now[at].Status == "needs-action":
			t.note("the organizer's later version is asked for again")
			continue
		}
		return errors.New("no-cross: an event that was known before has changed")
	}
	return nil
}

// later reports whether the vector is a later version by the organizer.
func (t *trial) later() bool {
	n, ok := new(big.Int).SetString(property(t.data, "SEQUENCE"), 10)
	return ok && n.Cmp(big.NewInt(1)) > 0 && property(t.data, "METHOD") == "REQUEST"
}

// bounded holds what an invitation makes of the agenda's pages.
func (c *court) bounded(t *trial) error {
	paths := []string{"/agenda"}
	if start := property(t.data, "DTSTART"); len(start) >= 8 && start[:4] >= "1900" && start[:4] <= "2200" {
		date := start[:4] + "-" + start[4:6] + "-" + start[6:8]
		paths = append(paths, "/agenda?view=month&date="+date, "/agenda?view=week&date="+date)
	}
	for _, path := range paths {
		p, took, err := t.space.ask(path, "text/html", t.slow+mostExpansion)
		if err != nil {
			return err
		}
		if err := inert(p); err != nil {
			return err
		}
		if n := strings.Count(string(p.Body), `href="/agenda/`); n > mostOccurrences {
			return fmt.Errorf("calendar-refused-or-bounded: %d links to events on one page", n)
		}
		if took > t.slow+mostExpansion {
			return fmt.Errorf("calendar-refused-or-bounded: a page of the agenda takes %v, %v before", took.Round(time.Millisecond), t.slow.Round(time.Millisecond))
		}
	}
	return nil
}
