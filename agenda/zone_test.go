package agenda_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
)

// vtimezone makes a zone of observances "name onset from to rule".
func vtimezone(id string, observances ...string) string {
	lines := []string{"BEGIN:VTIMEZONE", "TZID:" + id}
	for _, o := range observances {
		f := append(strings.Fields(o), "")
		lines = append(lines, "BEGIN:"+f[0], "DTSTART:"+f[1], "TZOFFSETFROM:"+f[2], "TZOFFSETTO:"+f[3])
		if f[4] != "" {
			lines = append(lines, f[4])
		}
		lines = append(lines, "END:"+f[0])
	}
	return strings.Join(append(lines, "END:VTIMEZONE"), "\n")
}

// european is how Exchange writes the rules of the Union.
func european(id string) string {
	return vtimezone(id,
		"STANDARD 16010101T030000 +0200 +0100 RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10",
		"DAYLIGHT 16010101T020000 +0100 +0200 RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3")
}

// TestZones resolves what a TZID may be.
func TestZones(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ zone, tzid, clock, want string }{
		"iana":                  {"", "Europe/Paris", "20260701T100000", "08:00Z Europe/Paris"},
		"iana in winter":        {"", "Europe/Paris", "20261201T100000", "09:00Z Europe/Paris"},
		"overseas":              {"", "Indian/Reunion", "20261201T100000", "06:00Z Indian/Reunion"},
		"three names":           {"", "America/Argentina/Buenos_Aires", "20261201T100000", "13:00Z America/Argentina/Buenos_Aires"},
		"utc by name":           {"", "UTC", "20261201T100000", "10:00Z"},
		"microsoft":             {"", "Romance Standard Time", "20260701T100000", "08:00Z Europe/Paris"},
		"microsoft and defined": {european("Romance Standard Time"), "Romance Standard Time", "20260701T100000", "08:00Z Europe/Paris"},
		"libical":               {"", "/freeassociation.sourceforge.net/Europe/Berlin", "20260701T100000", "08:00Z Europe/Berlin"},
		"libical with Tzfile":   {"", "/freeassociation.sourceforge.net/Tzfile/America/Argentina/Buenos_Aires", "20260701T100000", "13:00Z America/Argentina/Buenos_Aires"},
		"mozilla":               {"", "/mozilla.org/20070129_1/Europe/Berlin", "20260701T100000", "08:00Z Europe/Berlin"},
		"a slash before":        {"", "/Europe/Stockholm", "20260701T100000", "08:00Z Europe/Stockholm"},
		"defined only":          {european("Hospital"), "Hospital", "20260701T100000", "08:00Z Hospital"},
		"defined, in winter":    {european("Hospital"), "Hospital", "20261201T100000", "09:00Z Hospital"},
		"last hour of winter":   {european("Hospital"), "Hospital", "20260329T015959", "00:59Z Hospital"},
		"skipped":               {european("Hospital"), "Hospital", "20260329T023000", "01:30Z Hospital"},
		"first hour of summer":  {european("Hospital"), "Hospital", "20260329T030000", "01:00Z Hospital"},
		"repeated: the first":   {european("Hospital"), "Hospital", "20261025T023000", "00:30Z Hospital"},
		"after it":              {european("Hospital"), "Hospital", "20261025T030000", "02:00Z Hospital"},
		"escaped id":            {european(`Paris\, Madrid`), `"Paris, Madrid"`, "20260701T100000", "08:00Z Paris, Madrid"},
		"rules that ended": {
			vtimezone("X", "DAYLIGHT 19900325T020000 +0100 +0200 RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20100328T010000Z",
				"STANDARD 19901028T030000 +0200 +0100 RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20101031T010000Z"),
			"X", "20260701T100000", "09:00Z X",
		},
		"dates": {
			vtimezone("X", "STANDARD 19700101T000000 +0000 +0500", "DAYLIGHT 20260601T000000 +0500 +0630 RDATE:20280601T000000"),
			"X", "20260701T100000", "03:30Z X",
		},
		"before it begins, unknown":   {vtimezone("X", "STANDARD 20300101T000000 +0100 +0300"), "X", "20260701T100000", "09:00Z X"},
		"before it begins, known":     {vtimezone("Europe/Paris", "STANDARD 20300101T000000 +0100 +0300"), "Europe/Paris", "20260701T100000", "08:00Z Europe/Paris"},
		"a lie":                       {vtimezone("Europe/Paris", "STANDARD 19700101T000000 +0000 +1200"), "Europe/Paris", "20261201T090000", "21:00Z Europe/Paris zone-disagrees"},
		"unknown":                     {"", "Hospital", "20261201T090000", "09:00Z floating zone-unknown"},
		"empty definition":            {"BEGIN:VTIMEZONE\nTZID:X\nEND:VTIMEZONE", "X", "20261201T090000", "09:00Z floating zone-unknown"},
		"offset of two days":          {vtimezone("X", "STANDARD 19700101T000000 +0000 +4800"), "X", "20261201T090000", "09:00Z floating zone-unknown"},
		"offset that is none":         {vtimezone("X", "STANDARD 19700101T000000 +0000 +1x00"), "X", "20261201T090000", "09:00Z floating zone-unknown"},
		"every second since year 1":   {vtimezone("X", "STANDARD 00010101T000000 +0100 +0200 RRULE:FREQ=SECONDLY"), "X", "20261201T090000", "09:00Z floating zone-unknown"},
		"a broken one of a known":     {vtimezone("Europe/Paris", "STANDARD 00010101T000000 +0100 +0200 RRULE:FREQ=SECONDLY"), "Europe/Paris", "20261201T090000", "08:00Z Europe/Paris"},
		"this machine":                {"", "Local", "20261201T090000", "09:00Z floating zone-unknown"},
		"traversal":                   {"", "../../../etc/passwd", "20261201T090000", "09:00Z floating zone-unknown"},
		"traversal behind a name":     {"", "Europe/../Europe/Paris", "20261201T090000", "09:00Z floating zone-unknown"},
		"absolute":                    {"", "/etc/passwd", "20261201T090000", "09:00Z floating zone-unknown"},
		"absolute to a zone":          {"", "/usr/share/zoneinfo/Europe/Paris", "20261201T090000", "08:00Z Europe/Paris"},
		"a file of the database":      {"", "zone.tab", "20261201T090000", "09:00Z floating zone-unknown"},
		"leap seconds":                {"", "right/Europe/Paris", "20261201T090000", "09:00Z floating zone-unknown"},
		"a name with a line end":      {"", "Romance Standard Time=Europe/Paris", "20261201T090000", "09:00Z floating zone-unknown"},
		"a hundred thousand letters":  {"", strings.Repeat("A", 100_000), "20261201T090000", "09:00Z floating zone-unknown"},
		"an empty name":               {"", `""`, "20261201T090000", "09:00Z floating"},
		"slashes":                     {"", strings.Repeat("/", 300), "20261201T090000", "09:00Z floating zone-unknown"},
		"two definitions: the first":  {european("X") + "\n" + vtimezone("X", "STANDARD 19700101T000000 +0000 +1200"), "X", "20261201T090000", "08:00Z X"},
		"observances without an end":  {vtimezone("X", manyObservances(121)...), "X", "20261201T090000", "09:00Z floating zone-unknown"},
		"many observances, few zones": {vtimezone("X", manyObservances(100)...), "X", "20261201T090000", "08:00Z X"},
	} {
		data := calendar("REQUEST", c.zone, vevent("DTSTART;TZID="+c.tzid+":"+c.clock))
		e := read(t, data).Events[0]
		got := e.Start.UTC().Format("15:04Z")
		if e.Zone != "" {
			got += " " + e.Zone
		}
		if e.Floating {
			got += " floating"
		}
		if got = strings.Join(append([]string{got}, e.Warnings...), " "); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// manyObservances are zones that change every year, to +0100 in the end.
func manyObservances(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("STANDARD %d0101T000000 +0100 +0100", 1900+i))
	}
	return out
}

// TestZoneOfASeries holds that a series keeps its clock time over the changes of a
// zone that only the message knows, for as long as it is shown, sealed or not.
func TestZoneOfASeries(t *testing.T) {
	t.Parallel()
	data := calendar("REQUEST", european("Hospital"), vevent("DTSTART;TZID=Hospital:20260201T100000", "RRULE:FREQ=MONTHLY"))
	e := read(t, data).Events[0]
	for year := 2026; year < 2046; year += 2 {
		from := time.Date(year, 2, 1, 0, 0, 0, 0, time.UTC)
		starts, _ := agenda.Expand(e, from, from.AddDate(1, 0, 0), 0)
		if len(starts) != 12 {
			t.Fatalf("%d: %d occurrences", year, len(starts))
		}
		for _, s := range starts {
			if s.Hour() != 10 {
				t.Errorf("%s is not at 10", s)
			}
			paris, err := time.LoadLocation("Europe/Paris")
			if err != nil {
				t.Fatal(err)
			}
			if s.In(paris).Hour() != 10 {
				t.Errorf("%s is not at 10 in Paris", s)
			}
		}
	}
}

// TestMicrosoftZones holds that every Windows zone of the table leads somewhere.
func TestMicrosoftZones(t *testing.T) {
	t.Parallel()
	n := 0
	for l := range strings.Lines(agenda.MicrosoftZones) {
		windows, iana, found := strings.Cut(strings.TrimSpace(l), "=")
		if !found {
			continue
		}
		n++
		if e := one(t, "REQUEST", "DTSTART;TZID="+windows+":20261201T090000"); e.Zone != iana && iana != "UTC" || e.Floating {
			t.Errorf("%s: got %q, want %q", windows, e.Zone, iana)
		}
	}
	if n < 40 {
		t.Errorf("%d zones", n)
	}
}
