package record

import (
	"bytes"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// ics serves GET /agenda/{event}/ics: the event for another agenda (RFC 5545, METHOD
// PUBLISH). It names no organizer and nobody invited: it is a note for oneself, and an
// agenda outside must not write to anybody inside.
func (m *room) ics(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	e, err := m.Reading.Event(r.Context(), v.Reader, agenda.EventID(r.PathValue("event")))
	if err != nil {
		return nil, err
	}
	text := published(v, e)
	return ui.File{Name: v.T("cal.file"), Type: "text/calendar; charset=utf-8", Size: int64(len(text)), Content: bytes.NewReader(text)}, nil
}

// Forms of RFC 5545 3.3.
const (
	icsUTC   = "20060102T150405Z"
	icsLocal = "20060102T150405"
	icsDay   = "20060102"
)

// mostDates is how many dates of a series are written: each as a date of its own,
// since a rule would need its zone.
const mostDates = 200

// published writes an event as a calendar.
func published(v *ui.Visit, e reading.Event) []byte {
	var b bytes.Buffer
	for _, line := range []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Vaguemestre//Agenda//FR", "METHOD:PUBLISH", "BEGIN:VEVENT"} {
		content(&b, line)
	}
	content(&b, "UID:"+escape(e.UID))
	content(&b, "DTSTAMP:"+v.Now.UTC().Format(icsUTC))
	if !e.Start.IsZero() {
		content(&b, "DTSTART"+icsMoment(&e.Event, e.Start))
		if e.End.After(e.Start) {
			content(&b, "DTEND"+icsMoment(&e.Event, e.End))
		}
	}
	if e.Recurs() {
		starts, _ := agenda.Expand(e.Event, e.Start, v.Now.AddDate(aheadYears, 0, 0), mostDates)
		for _, t := range starts {
			if !t.Equal(e.Start) {
				content(&b, "RDATE"+icsMoment(&e.Event, t))
			}
		}
	}
	for _, p := range []struct{ name, value string }{{"SUMMARY", e.Summary}, {"LOCATION", e.Location}, {"DESCRIPTION", e.Description}} {
		if p.value != "" {
			content(&b, p.name+":"+escape(p.value))
		}
	}
	if e.Status == agenda.Cancelled {
		content(&b, "STATUS:CANCELLED")
	}
	content(&b, "CLASS:PRIVATE")
	content(&b, "END:VEVENT")
	content(&b, "END:VCALENDAR")
	return b.Bytes()
}

// icsMoment writes the parameters and the value of a time.
func icsMoment(e *agenda.Event, t time.Time) string {
	switch {
	case e.AllDay:
		return ";VALUE=DATE:" + t.Format(icsDay)
	case e.Floating:
		return ":" + t.Format(icsLocal)
	}
	return ":" + t.UTC().Format(icsUTC)
}

// escape writes a TEXT value (RFC 5545 3.3.11). Nothing in it can end a line.
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7F {
			return -1
		}
		return r
	}, s)
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}

// content writes a content line, folded at 75 octets (RFC 5545 3.1), never inside a
// character.
func content(b *bytes.Buffer, line string) {
	for room := 75; len(line) > room; room = 74 { // a space begins what follows
		n := room
		for n > 1 && !utf8.RuneStart(line[n]) {
			n--
		}
		b.WriteString(line[:n] + "\r\n ")
		line = line[n:]
	}
	b.WriteString(line + "\r\n")
}
