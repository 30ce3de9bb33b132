package agenda_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/agenda"
)

// seeds are small calendars of every kind that is read.
func seeds() []string {
	return []string{
		calendar("REQUEST", vevent()),
		calendar("CANCEL", vevent("SEQUENCE:1", "STATUS:CANCELLED")),
		calendar("REQUEST", european("Hospital"), vevent("DTSTART;TZID=Hospital:20260701T100000", "RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=5", "EXDATE;TZID=Hospital:20260731T100000")),
		calendar("REQUEST", vevent("DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;UNTIL=20301231")),
		calendar("REQUEST", vevent("RECURRENCE-ID;RANGE=THISANDFUTURE:20261201T090000Z", "DURATION:PT1H30M", `DESCRIPTION:a\nb\, c`)),
		calendar("REQUEST", vevent("DTSTART:20260101T000000", "RRULE:FREQ=HOURLY;INTERVAL=8", "RDATE;VALUE=PERIOD:20261205T090000/PT1H,20261206T090000/PT1H")),
		calendar("REQUEST", vtimezone("X", "STANDARD 19700101T000000 +0000 +0500", "DAYLIGHT 20260601T000000 +0500 +0630 RDATE:20280601T000000"), vevent("DTSTART;TZID=X:20260701T100000", "RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU;BYHOUR=9,18")),
		calendar("REQUEST", "BEGIN:VALARM", "X:1", "END:VALARM", vevent(`ATTENDEE;CN="a;b:c^n";PARTSTAT=ACCEPTED:mailto:`+patient, "SUMMARY;LANGUAGE=fr:\u202Eé\n folded")),
	}
}

// FuzzRead holds, for any octets: no panic, the same result twice, plain and bounded
// text, a bounded expansion in order, and that an answer to what was read says the
// same event when it is read again.
func FuzzRead(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	me := address(f, patient)
	now := utc(f, "2026-11-03 08:00")
	f.Fuzz(func(t *testing.T, data string) {
		if len(data) > 64<<10 {
			return
		}
		m, err := agenda.Read(strings.NewReader(data), agenda.Limits{})
		again, err2 := agenda.Read(strings.NewReader(data), agenda.Limits{})
		if !reflect.DeepEqual(m, again) || reason(err) != reason(err2) {
			t.Fatalf("%v, then %v", m, again)
		}
		if err != nil {
			return
		}
		for i := range m.Events {
			e := &m.Events[i]
			checkEvent(t, "event", e)
			b, err := agenda.Reply(*e, me, e.Summary, agenda.Accepted, now)
			if err != nil {
				if reason(err) != "invite-no-organizer" {
					t.Fatal(err)
				}
				continue
			}
			r := read(t, string(b))
			if len(r.Events) != 1 || r.Method != agenda.Answers {
				t.Fatalf("%s", b)
			}
			got := r.Events[0]
			if got.UID != e.UID || got.RecurrenceID != e.RecurrenceID || got.Sequence != max(0, e.Sequence) || got.Following != e.Following ||
				!got.Start.Equal(e.Start) || got.AllDay != e.AllDay || !got.Organizer.Address.Equal(e.Organizer.Address) ||
				len(got.Attendees) != 1 || got.Attendees[0].Raw != patient {
				t.Fatalf("%+v became %+v in\n%s", e, got, b)
			}
		}
		agenda.Occurrences(m.Events, utc(t, "2026-01-01"), utc(t, "2027-01-01"), 0)
	})
}

// FuzzExpand holds that no rule panics, loops or gives too much.
func FuzzExpand(f *testing.F) {
	for _, rule := range []string{
		"FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,WE", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=YEARLY;BYYEARDAY=-366,1",
		"FREQ=YEARLY;BYWEEKNO=53;BYDAY=SU;WKST=SU", "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU,WE,TH,FR", "FREQ=SECONDLY;INTERVAL=1000",
		"FREQ=MONTHLY;BYMONTHDAY=-31", "FREQ=YEARLY;BYMONTH=2;BYDAY=5MO;COUNT=3", "FREQ=DAILY;UNTIL=20270101T000000Z",
	} {
		f.Add(rule, int64(1_790_000_000))
	}
	f.Fuzz(func(t *testing.T, rule string, start int64) {
		e := agenda.Event{UID: "x", Rule: rule, Start: utc(t, "2026-01-01").Add(0)}
		e.Start = e.Start.AddDate(int(start%60), int(start/60%12), int(start/720%31))
		e.End = e.Start
		checkEvent(t, rule, &e)
	})
}
