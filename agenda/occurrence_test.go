package agenda_test

import (
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/agenda"
)

// TestOccurrences joins series with their changed instances.
func TestOccurrences(t *testing.T) {
	t.Parallel()
	series := vevent("DTSTART:20261201T090000Z", "DURATION:PT30M", "SUMMARY:S", "RRULE:FREQ=WEEKLY;COUNT=4")
	for name, c := range map[string]struct {
		events    []string
		cancelled []int
		want      string
	}{
		"series":          {[]string{series}, nil, "1 09:00 S, 8 09:00 S, 15 09:00 S, 22 09:00 S"},
		"moved":           {[]string{series, vevent("RECURRENCE-ID:20261208T090000Z", "DTSTART:20261209T140000Z", "SUMMARY:M")}, nil, "1 09:00 S, 9 14:00 M, 15 09:00 S, 22 09:00 S"},
		"moved, in Paris": {[]string{series, vevent("RECURRENCE-ID;TZID=Europe/Paris:20261208T100000", "DTSTART:20261209T140000Z", "SUMMARY:M")}, nil, "1 09:00 S, 9 14:00 M, 15 09:00 S, 22 09:00 S"},
		"cancelled":       {[]string{series, vevent("RECURRENCE-ID:20261208T090000Z")}, []int{1}, "1 09:00 S, 15 09:00 S, 22 09:00 S"},
		"following moved": {[]string{series, vevent("RECURRENCE-ID;RANGE=THISANDFUTURE:20261208T090000Z", "DTSTART:20261208T110000Z", "SUMMARY:F")}, nil, "1 09:00 S, 8 11:00 F, 15 11:00 F, 22 11:00 F"},
		"following cancelled": {
			[]string{series, vevent("RECURRENCE-ID;RANGE=THISANDFUTURE:20261208T090000Z")},
			[]int{1},
			"1 09:00 S",
		},
		"following, then one": {
			[]string{
				series, vevent("RECURRENCE-ID;RANGE=THISANDFUTURE:20261208T090000Z", "DTSTART:20261208T110000Z", "SUMMARY:F"),
				vevent("RECURRENCE-ID:20261215T090000Z", "DTSTART:20261216T080000Z", "SUMMARY:M"),
			},
			nil, "1 09:00 S, 8 11:00 F, 16 08:00 M, 22 11:00 F",
		},
		"one instance alone":  {[]string{vevent("RECURRENCE-ID:20261208T090000Z", "DTSTART:20261209T140000Z", "SUMMARY:M")}, nil, "9 14:00 M"},
		"following alone":     {[]string{vevent("RECURRENCE-ID;RANGE=THISANDFUTURE:20261208T090000Z", "DTSTART:20261209T140000Z", "SUMMARY:M")}, nil, "9 14:00 M"},
		"series cancelled":    {[]string{series}, []int{0}, ""},
		"two events":          {[]string{vevent("UID:b", "DTSTART:20261203T080000Z", "SUMMARY:B"), vevent("UID:a", "DTSTART:20261202T080000Z", "SUMMARY:A")}, nil, "2 08:00 A, 3 08:00 B"},
		"of another series":   {[]string{series, vevent("UID:b", "RECURRENCE-ID:20261208T090000Z", "SUMMARY:B", "DTSTART:20261202T080000Z")}, nil, "1 09:00 S, 2 08:00 B, 8 09:00 S, 15 09:00 S, 22 09:00 S"},
		"moved into view":     {[]string{series, vevent("RECURRENCE-ID:20301208T090000Z", "DTSTART:20261209T140000Z", "SUMMARY:M")}, nil, "1 09:00 S, 8 09:00 S, 9 14:00 M, 15 09:00 S, 22 09:00 S"},
		"days":                {[]string{vevent("DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:S"), vevent("RECURRENCE-ID;VALUE=DATE:20261202", "DTSTART;VALUE=DATE:20261210", "SUMMARY:M")}, nil, "1 00:00 S, 3 00:00 S, 10 00:00 M"},
		"floating":            {[]string{vevent("DTSTART:20261201T090000", "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:S"), vevent("RECURRENCE-ID:20261202T090000", "DTSTART:20261210T080000", "SUMMARY:M")}, nil, "1 09:00 S, 3 09:00 S, 10 08:00 M"},
		"outside the window":  {[]string{vevent("DTSTART:20280101T000000Z")}, nil, ""},
		"an unreadable start": {[]string{vevent("DTSTART:x")}, nil, ""},
	} {
		var events []agenda.Event
		for _, e := range c.events {
			events = append(events, read(t, calendar("REQUEST", e)).Events...)
		}
		for _, i := range c.cancelled {
			events[i].Status = agenda.Cancelled
		}
		got, truncated := agenda.Occurrences(events, utc(t, "2026-12-01"), utc(t, "2027-01-01"), 0)
		var s []string
		for _, o := range got {
			s = append(s, o.Start.UTC().Format("2 15:04")+" "+o.Event.Summary)
			if o.End.Before(o.Start) {
				t.Errorf("%s: %v to %v", name, o.Start, o.End)
			}
		}
		if text := strings.Join(s, ", "); text != c.want || truncated {
			t.Errorf("%s: got %q, want %q (%v)", name, text, c.want, truncated)
		}
	}
}

// TestOccurrencesAreFew holds the bound over all events together.
func TestOccurrencesAreFew(t *testing.T) {
	t.Parallel()
	var events []agenda.Event
	for range 20 {
		events = append(events, one(t, "REQUEST", "RRULE:FREQ=SECONDLY"))
	}
	got, truncated := agenda.Occurrences(events, utc(t, "2026-12-01"), utc(t, "2027-01-01"), 0)
	if len(got) != 1000 || !truncated {
		t.Errorf("%d, %v", len(got), truncated)
	}
}
