package agenda_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/fault"
)

// TestReadEvent reads every property that counts.
func TestReadEvent(t *testing.T) {
	t.Parallel()
	e := one(t, "request",
		"UID:rdv-7", "SEQUENCE:3", "DTSTAMP:20261102T090000Z",
		"DTSTART;TZID=Europe/Paris:20261201T100000", "DTEND;TZID=Europe/Paris:20261201T103000",
		`SUMMARY;LANGUAGE=fr:Consultation\, cardiologie`, "LOCATION:Bât. B, 2e étage",
		`DESCRIPTION:Venir à jeun.\nApporter l'ordonnance.`,
		`ORGANIZER;CN="Martin, Anne";SENT-BY="mailto:secretariat@hopital-a.mss.test":MAILTO:`+doctor,
		"ATTENDEE;PARTSTAT=NEEDS-ACTION;CN=Jean Dupont:mailto:"+patient,
		"RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;TZID=Europe/Paris:20261208T100000",
		"RDATE;TZID=Europe/Paris:20261224T090000", "STATUS:confirmed")
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 12, day, hour, minute, 0, 0, paris) }
	want := agenda.Event{
		Method: agenda.Request, UID: "rdv-7", Sequence: 3, Stamp: utc(t, "2026-11-02 09:00"),
		Start: at(1, 10, 0), End: at(1, 10, 30), Zone: "Europe/Paris",
		Summary: "Consultation, cardiologie", Location: "Bât. B, 2e étage",
		Description: "Venir à jeun.\nApporter l'ordonnance.",
		Organizer: agenda.Party{
			Address: address(t, doctor), Raw: doctor, Name: "Martin, Anne",
			SentBy: address(t, "secretariat@hopital-a.mss.test"),
		},
		Attendees: []agenda.Party{{Address: address(t, patient), Raw: patient, Name: "Jean Dupont", PartStat: "NEEDS-ACTION"}},
		Rule:      "FREQ=WEEKLY;COUNT=3", Extra: []time.Time{at(24, 9, 0)}, Except: []time.Time{at(8, 10, 0)},
		State: "CONFIRMED",
	}
	if diff := cmp.Diff(want, e, cmp.Comparer(func(a, b time.Location) bool { return a.String() == b.String() }), addresses()); diff != "" {
		t.Error(diff)
	}
}

// addresses compares addresses by what they name.
func addresses() cmp.Option {
	return cmp.Comparer(func(a, b agenda.Party) bool {
		return a.Address.Equal(b.Address) && a.SentBy.Equal(b.SentBy) && a.Raw == b.Raw && a.Name == b.Name && a.PartStat == b.PartStat
	})
}

// TestReadTimes reads every way of saying when, good and bad.
func TestReadTimes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"utc":                   {[]string{"DTSTART:20261201T090000Z", "DTEND:20261201T093000Z"}, "2026-12-01T09:00:00Z 30m0s"},
		"utc with a zone":       {[]string{"DTSTART;TZID=Europe/Paris:20261201T090000Z"}, "2026-12-01T09:00:00Z 0s"},
		"zone":                  {[]string{"DTSTART;TZID=Europe/Paris:20261201T090000"}, "2026-12-01T09:00:00+01:00 0s Europe/Paris"},
		"zones differ":          {[]string{"DTSTART;TZID=Europe/Paris:20261201T090000", "DTEND;TZID=Europe/London:20261201T090000"}, "2026-12-01T09:00:00+01:00 1h0m0s Europe/Paris"},
		"floating":              {[]string{"DTSTART:20261201T090000", "DTEND:20261201T100000"}, "2026-12-01T09:00:00Z 1h0m0s floating"},
		"day":                   {[]string{"DTSTART;VALUE=DATE:20261201"}, "2026-12-01T00:00:00Z 24h0m0s day"},
		"days":                  {[]string{"DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261204"}, "2026-12-01T00:00:00Z 72h0m0s day"},
		"day that ends itself":  {[]string{"DTSTART:20261201", "DTEND:20261201"}, "2026-12-01T00:00:00Z 24h0m0s day"},
		"duration":              {[]string{"DTSTART:20261201T090000Z", "DURATION:PT1H30M"}, "2026-12-01T09:00:00Z 1h30m0s"},
		"duration too long":     {[]string{"DTSTART:20261201T090000Z", "DURATION:P99999999999W"}, "2026-12-01T09:00:00Z 0s end-unreadable"},
		"duration that wraps":   {[]string{"DTSTART:20261201T090000Z", "DURATION:P9999W9999W9999W"}, "2026-12-01T09:00:00Z 0s end-unreadable"},
		"duration below zero":   {[]string{"DTSTART:20261201T090000Z", "DURATION:-PT1H"}, "2026-12-01T09:00:00Z 0s end-unreadable"},
		"end before":            {[]string{"DTSTART:20261201T090000Z", "DTEND:20261101T090000Z"}, "2026-12-01T09:00:00Z 0s end-before-start"},
		"end is a day":          {[]string{"DTSTART:20261201T090000Z", "DTEND:20261202"}, "2026-12-01T09:00:00Z 0s end-unreadable"},
		"leap second":           {[]string{"DTSTART:20261231T235960Z"}, "2027-01-01T00:00:00Z 0s"},
		"no such day":           {[]string{"DTSTART:20260230T090000Z"}, "none start-unreadable"},
		"year 0":                {[]string{"DTSTART:00000101T000000Z"}, "none start-unreadable"},
		"year 9999":             {[]string{"DTSTART:99991231T235959Z"}, "none start-unreadable"},
		"none":                  {[]string{"-DTSTART:"}, "none"},
		"two":                   {[]string{"DTSTART:20261201T090000Z", "DTSTART:20270101T090000Z"}, "2026-12-01T09:00:00Z 0s event-ambiguous"},
		"skipped clock time":    {[]string{"DTSTART;TZID=Europe/Paris:20270328T023000"}, "2027-03-28T03:30:00+02:00 0s Europe/Paris"},
		"second from year 1901": {[]string{"DTSTART;TZID=Europe/Paris:19050101T000000"}, "1905-01-01T00:00:00+00:09 0s Europe/Paris"},
	} {
		if got := when(one(t, "REQUEST", c.lines...)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// when tells an event's times in short.
func when(e agenda.Event) string {
	parts := []string{"none"}
	if !e.Start.IsZero() {
		parts = []string{e.Start.Format(time.RFC3339), e.End.Sub(e.Start).String()}
	}
	if e.AllDay {
		parts = append(parts, "day")
	}
	if e.Floating {
		parts = append(parts, "floating")
	}
	if e.Zone != "" {
		parts = append(parts, e.Zone)
	}
	return strings.Join(append(parts, e.Warnings...), " ")
}

// TestTextIsPlain holds what becomes of text that is not.
func TestTextIsPlain(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 40_000)
	for name, c := range map[string]struct{ in, want string }{
		"escapes":          {`a\, b\; c\\d\: e`, `a, b; c\d: e`},
		"lines":            {`a\nb\Nc`, "a b c"},
		"unescaped":        {`a, b; c`, "a, b; c"},
		"unknown escape":   {`C:\temp \x`, `C:\temp \x`},
		"trailing escape":  {`a\`, `a\`},
		"control":          {"a\x07b\x1b[31mc", "ab[31mc"},
		"bidi override":    {"facture\u202Etxt.exe", "facturetxt.exe"},
		"bidi isolates":    {"\u2066a\u2069\u200Eb\u061C", "ab"},
		"zero width":       {"RD\u200BV\uFEFF", "RDV"},
		"tags":             {"a\U000E0041\U000E007Fb", "ab"},
		"line separator":   {"a\u2028b\u0085c", "a b c"},
		"joiner stays":     {"👩\u200D⚕️", "👩\u200D⚕️"},
		"markup is text":   {"<img src=x onerror=MARK()>", "<img src=x onerror=MARK()>"},
		"long":             {long, strings.Repeat("é", 248) + "…"},
		"windows-1252":     {"Caf\xe9 \x80", "Café €"},
		"arabic and latin": {"موعد RDV", "موعد RDV"},
	} {
		e := one(t, "REQUEST", "SUMMARY:"+c.in)
		if e.Summary != c.want {
			t.Errorf("%s: got %q, want %q", name, e.Summary, c.want)
		}
	}
	e := one(t, "REQUEST", `DESCRIPTION:a\n\n\tb`+"\t"+`c\r`, "ATTENDEE;CN=\"x^nBcc: ^'y^' ^^\":mailto:"+patient)
	if want := "a\n\n\\tb c\\r"; e.Description != want {
		t.Errorf("got %q, want %q", e.Description, want)
	}
	if got, want := e.Attendees[0].Name, `x Bcc: "y" ^`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e = one(t, "REQUEST", "DESCRIPTION:"+long, "LOCATION:"+long)
	if len(e.Description) > 16<<10 || len(e.Location) > 1000 || !strings.HasSuffix(e.Description, "é…") {
		t.Errorf("description %d octets, location %d", len(e.Description), len(e.Location))
	}
}

// TestReadFaults holds what is no calendar, or too much of one.
func TestReadFaults(t *testing.T) {
	t.Parallel()
	many := func(n int, line string) string { return strings.Repeat(line+"\n", n) }
	for name, c := range map[string]struct{ data, want string }{
		"empty":                 {"", "calendar-malformed"},
		"text":                  {"Bonjour,\n", "calendar-malformed"},
		"nul":                   {calendar("REQUEST", vevent("SUMMARY:a\x00b")), "calendar-malformed"},
		"no end":                {strings.TrimSuffix(calendar("REQUEST", vevent()), "END:VCALENDAR\r\n"), "calendar-malformed"},
		"wrong end":             {calendar("REQUEST", "BEGIN:VEVENT\nEND:VALARM"), "calendar-malformed"},
		"an event alone":        {vevent(), "calendar-malformed"},
		"a line before":         {"X:1\n" + calendar("REQUEST"), "calendar-malformed"},
		"no value":              {calendar("REQUEST", vevent("SUMMARY")), "calendar-malformed"},
		"parameter without end": {calendar("REQUEST", vevent(`ATTENDEE;CN="a:mailto:x`)), "calendar-malformed"},
		"size":                  {calendar("REQUEST", vevent("DESCRIPTION:"+strings.Repeat("a", 1<<20))), "calendar-too-large"},
		"lines":                 {calendar("REQUEST", many(20_001, "X:1")), "calendar-too-large"},
		"folds":                 {calendar("REQUEST", vevent("DESCRIPTION:a"+strings.Repeat("\n b", 30_000))), "calendar-too-large"},
		"a rule of 20 KiB":      {calendar("REQUEST", vevent("RRULE:FREQ=DAILY;BYMONTHDAY="+strings.Repeat("1,", 10_000))), "calendar-too-large"},
		"depth":                 {calendar("REQUEST", many(9, "BEGIN:X"), many(9, "END:X")), "calendar-too-deep"},
		"components":            {calendar("REQUEST", many(2001, "BEGIN:X\nEND:X")), "calendar-too-many-components"},
		"events":                {calendar("REQUEST", many(201, "BEGIN:VEVENT\nUID:1\nEND:VEVENT")), "calendar-too-many-events"},
		"properties":            {calendar("REQUEST", vevent(strings.Split(many(601, "EXDATE:20261201T090000Z"), "\n")...)), "calendar-too-many-properties"},
		"attendees":             {calendar("REQUEST", vevent(strings.Split(many(301, "ATTENDEE:mailto:a@b.fr"), "\n")...)), "calendar-too-many-attendees"},
		"dates":                 {calendar("REQUEST", vevent("RDATE:"+strings.Repeat("20261201T090000Z,", 501))), "calendar-too-many-dates"},
		"other properties":      {calendar("REQUEST", vevent(strings.Split(many(5000, "X-A:1"), "\n")...)), ""},
		"a lone method":         {calendar("REQUEST"), ""},
	} {
		_, err := agenda.Read(strings.NewReader(c.data), agenda.Limits{})
		if got := reason(err); got != c.want || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	cause := errors.New("the disk")
	if _, err := agenda.Read(iotest.ErrReader(cause), agenda.Limits{}); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

// TestReadIsLenient reads what real clients write although they should not.
func TestReadIsLenient(t *testing.T) {
	t.Parallel()
	good := calendar("REQUEST", vevent("SUMMARY:Rendez-vous"))
	for name, data := range map[string]string{
		"line feeds":          strings.ReplaceAll(good, "\r\n", "\n"),
		"byte order mark":     "\uFEFF" + good,
		"blank lines":         strings.ReplaceAll(good, "\r\n", "\r\n\r\n"),
		"lower case":          strings.ReplaceAll(strings.ReplaceAll(good, "BEGIN:VEVENT", "begin:vevent"), "SUMMARY", "summary"),
		"folded names":        strings.ReplaceAll(good, "SUMMARY", "SUM\r\n MARY"),
		"folded in a letter":  strings.ReplaceAll(good, "Rendez-vous", "Rendez-\r\n\tvous"),
		"lines that are none": strings.ReplaceAll(good, "BEGIN:VEVENT", "BEGIN:VEVENT\r\n???\r\nX-A;B\r\n;;::"),
		"no final line end":   strings.TrimSuffix(good, "\r\n"),
		"alarms":              strings.ReplaceAll(good, "END:VEVENT", "BEGIN:VALARM\r\nSUMMARY:other\r\nACTION:EMAIL\r\nEND:VALARM\r\nEND:VEVENT"),
		"stray quotes":        strings.ReplaceAll(good, "CN=Dr Martin", `CN=Dr "Anne" Martin`),
	} {
		m := read(t, data)
		if len(m.Events) != 1 || m.Events[0].Summary != "Rendez-vous" || m.Events[0].Organizer.Raw != doctor {
			t.Errorf("%s: got %+v", name, m.Events)
		}
	}
}

// TestReadInOneReader holds that the same octets give the same message however they
// come, and that no more is read than needed.
func TestReadInOneReader(t *testing.T) {
	t.Parallel()
	data := calendar("REQUEST", vevent())
	m, err := agenda.Read(iotest.OneByteReader(strings.NewReader(data)), agenda.Limits{})
	if err != nil || m.Events[0].UID != "rdv-1@hopital-a.mss.test" {
		t.Errorf("%v %v", m, err)
	}
	endless := &counting{}
	if _, err := agenda.Read(endless, agenda.Limits{}); reason(err) != "calendar-too-large" || endless.n > 2<<20 {
		t.Errorf("%v after %d octets", err, endless.n)
	}
	if got := fmt.Sprint(m.LogValue(), m.Events[0].LogValue(), m.Events[0].Organizer.LogValue()); strings.Contains(got, "martin") {
		t.Errorf("logged as %s", got)
	}
}

// counting is an endless line.
type counting struct{ n int }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	c.n += len(p)
	return len(p), nil
}

var _ io.Reader = (*counting)(nil)
