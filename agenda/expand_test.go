package agenda_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
)

// TestExpand expands rules; the window is two years from 2026-12-01.
func TestExpand(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines []string
		want  string // starts, or their number and the first and last; "…" when truncated
	}{
		"one":                   {nil, "2026-12-01 09:00"},
		"weekly":                {[]string{"RRULE:FREQ=WEEKLY;COUNT=3"}, "2026-12-01 09:00, 2026-12-08 09:00, 2026-12-15 09:00"},
		"in lower case":         {[]string{"RRULE:freq=weekly;count=2"}, "2026-12-01 09:00, 2026-12-08 09:00"},
		"until":                 {[]string{"RRULE:FREQ=DAILY;UNTIL=20261203T090000Z"}, "2026-12-01 09:00, 2026-12-02 09:00, 2026-12-03 09:00"},
		"until a second less":   {[]string{"RRULE:FREQ=DAILY;UNTIL=20261203T085959Z"}, "2026-12-01 09:00, 2026-12-02 09:00"},
		"until a day":           {[]string{"RRULE:FREQ=DAILY;UNTIL=20261202"}, "2026-12-01 09:00, 2026-12-02 09:00"},
		"until before":          {[]string{"RRULE:FREQ=DAILY;UNTIL=20260101T000000Z"}, "2026-12-01 09:00"},
		"until year 1":          {[]string{"RRULE:FREQ=DAILY;UNTIL=00010101T000000Z"}, "2026-12-01 09:00"},
		"last friday":           {[]string{"RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3"}, "2026-12-01 09:00, 2026-12-25 09:00, 2027-01-29 09:00, 2027-02-26 09:00"},
		"29 February":           {[]string{"DTSTART:20240229T090000Z", "RRULE:FREQ=YEARLY"}, "2028-02-29 09:00"},
		"days of a week":        {[]string{"RRULE:FREQ=WEEKLY;BYDAY=TU,TH;COUNT=4"}, "2026-12-01 09:00, 2026-12-03 09:00, 2026-12-08 09:00, 2026-12-10 09:00"},
		"twice a day":           {[]string{"RRULE:FREQ=DAILY;BYHOUR=9,18;COUNT=3"}, "2026-12-01 09:00, 2026-12-01 18:00, 2026-12-02 09:00"},
		"every eight hours":     {[]string{"RRULE:FREQ=HOURLY;INTERVAL=8;COUNT=4"}, "2026-12-01 09:00, 2026-12-01 17:00, 2026-12-02 01:00, 2026-12-02 09:00"},
		"extra and except":      {[]string{"RRULE:FREQ=DAILY;COUNT=3", "RDATE:20261224T080000Z,20261202T090000Z", "EXDATE:20261201T090000Z"}, "2026-12-02 09:00, 2026-12-03 09:00, 2026-12-24 08:00"},
		"all taken out":         {[]string{"EXDATE:20261201T090000Z"}, ""},
		"whole days":            {[]string{"DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20261202"}, "2026-12-01 00:00, 2026-12-03 00:00"},
		"an extra period":       {[]string{"RDATE;VALUE=PERIOD:20261205T090000Z/PT1H"}, "2026-12-01 09:00, 2026-12-05 09:00"},
		"defaults of RSCALE":    {[]string{"RRULE:RSCALE=GREGORIAN;SKIP=OMIT;FREQ=DAILY;COUNT=2"}, "2026-12-01 09:00, 2026-12-02 09:00"},
		"long before":           {[]string{"DTSTART:19600101T090000Z", "RRULE:FREQ=YEARLY"}, "2027-01-01 09:00, 2028-01-01 09:00"},
		"began before":          {[]string{"DTSTART:20261130T230000Z", "DURATION:PT2H"}, "2026-11-30 23:00"},
		"ended before":          {[]string{"DTSTART:20261130T230000Z", "DURATION:PT1H"}, ""},
		"every day":             {[]string{"RRULE:FREQ=DAILY"}, "731 2026-12-01 09:00 2028-11-30 09:00"},
		"every second":          {[]string{"RRULE:FREQ=SECONDLY"}, "1000 2026-12-01 09:00 2026-12-01 09:16…"},
		"every second, before":  {[]string{"DTSTART:19700101T000000Z", "RRULE:FREQ=SECONDLY"}, "1000 2026-12-01 00:00 2026-12-01 00:16…"},
		"count of 2^31":         {[]string{"RRULE:FREQ=MINUTELY;COUNT=2147483647"}, "1000 2026-12-01 09:00 2026-12-02 01:39…"},
		"count that is over":    {[]string{"DTSTART:20200101T000000Z", "RRULE:FREQ=MINUTELY;COUNT=60"}, ""},
		"30 February":           {[]string{"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "2026-12-01 09:00"},
		"a week 53 in February": {[]string{"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;BYWEEKNO=53"}, "2026-12-01 09:00"},
		// What the library cannot bear, or reads otherwise than it is meant.
		"loops for ever":         {[]string{"RRULE:FREQ=HOURLY;INTERVAL=24;BYHOUR=5"}, "2026-12-01 09:00…"},
		"outside its arrays":     {[]string{"RRULE:FREQ=MONTHLY;BYDAY=53MO"}, "2026-12-01 09:00…"},
		"before its arrays":      {[]string{"RRULE:FREQ=MONTHLY;BYDAY=-53MO"}, "2026-12-01 09:00…"},
		"days with and without":  {[]string{"RRULE:FREQ=MONTHLY;BYDAY=1MO,TU"}, "2026-12-01 09:00…"},
		"interval 0":             {[]string{"RRULE:FREQ=DAILY;INTERVAL=0"}, "2026-12-01 09:00…"},
		"interval below 0":       {[]string{"RRULE:FREQ=DAILY;INTERVAL=-1"}, "2026-12-01 09:00…"},
		"interval of 2^62":       {[]string{"RRULE:FREQ=DAILY;INTERVAL=4611686018427387904"}, "2026-12-01 09:00…"},
		"31 million a year":      {[]string{"RRULE:FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYHOUR=0,1,2,3,4,5,6,7,8,9;BYMINUTE=0,1,2,3,4,5,6,7,8,9;BYSECOND=0,1,2,3,4,5,6,7,8,9"}, "2026-12-01 09:00…"},
		"another calendar":       {[]string{"RRULE:RSCALE=CHINESE;FREQ=YEARLY"}, "2026-12-01 09:00…"},
		"easter":                 {[]string{"RRULE:FREQ=YEARLY;BYEASTER=0"}, "2026-12-01 09:00…"},
		"its own start":          {[]string{"RRULE:FREQ=DAILY;DTSTART=19700101T000000Z"}, "2026-12-01 09:00…"},
		"a part twice":           {[]string{"RRULE:FREQ=DAILY;COUNT=1;COUNT=9"}, "2026-12-01 09:00…"},
		"no frequency":           {[]string{"RRULE:COUNT=9"}, "2026-12-01 09:00…"},
		"two rules":              {[]string{"RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"}, "2026-12-01 09:00…"},
		"a rule that takes away": {[]string{"RRULE:FREQ=DAILY", "EXRULE:FREQ=WEEKLY"}, "2026-12-01 09:00…"},
		"days of the year, week": {[]string{"RRULE:FREQ=WEEKLY;BYYEARDAY=1"}, "2026-12-01 09:00…"},
		"a start too far":        {[]string{"DTSTART:19030101T090000Z", "RRULE:FREQ=YEARLY"}, "…"},
	} {
		e := one(t, "REQUEST", c.lines...)
		begin := time.Now()
		starts, truncated := agenda.Expand(e, utc(t, "2026-12-01"), utc(t, "2028-12-01"), 0)
		if took := time.Since(begin); took > time.Second { // it takes a few ms; the machine may be busy
			t.Errorf("%s took %v", name, took)
		}
		if got := list(starts, truncated); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// list tells occurrences in short.
func list(starts []time.Time, truncated bool) string {
	var s []string
	for _, t := range starts {
		s = append(s, t.UTC().Format("2006-01-02 15:04"))
	}
	text := strings.Join(s, ", ")
	if len(s) > 5 {
		text = fmt.Sprint(len(s), " ", s[0], " ", s[len(s)-1])
	}
	if truncated {
		text += "…"
	}
	return text
}

// TestExpandIsStable holds what every window shows: order, no repeats, the bounds,
// and that two windows together show what one does.
func TestExpandIsStable(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{
		"FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;BYDAY=MO,WE,FR", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=YEARLY;BYDAY=20MO",
		"FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU,WE,TH,FR", "FREQ=HOURLY;INTERVAL=100", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=TU",
		"FREQ=DAILY;COUNT=200;BYMONTH=1,6", "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU",
	} {
		e := one(t, "REQUEST", "DTSTART;TZID=Europe/Paris:20200107T013000", "DURATION:PT45M", "RRULE:"+rule)
		from, middle, to := utc(t, "2026-03-20"), utc(t, "2026-09-17"), utc(t, "2027-04-02")
		whole, _ := agenda.Expand(e, from, to, 0)
		first, _ := agenda.Expand(e, from, middle, 0)
		second, _ := agenda.Expand(e, middle, to, 0)
		both := slices.CompactFunc(append(first, second...), time.Time.Equal)
		if !slices.EqualFunc(whole, both, time.Time.Equal) {
			t.Errorf("%s: %d occurrences, %d and %d in halves", rule, len(whole), len(first), len(second))
		}
		if over := strings.Contains(rule, "COUNT"); over != (len(whole) == 0) {
			t.Errorf("%s: %d occurrences", rule, len(whole))
		}
		for i, s := range whole {
			if s.Before(from.Add(-45*time.Minute)) || !s.Before(to) || i > 0 && !whole[i-1].Before(s) {
				t.Errorf("%s: %v out of order", rule, s)
			}
			if !strings.Contains(rule, "HOURLY") && (s.Hour() != 1 || s.Minute() != 30) {
				t.Errorf("%s: %v is not at 1:30 in Paris", rule, s)
			}
		}
		if few, more := agenda.Expand(e, from, to, 2); len(whole) > 2 && (len(few) != 2 || !more) {
			t.Errorf("%s: %d of 2, %v", rule, len(few), more)
		}
	}
}

// TestExpandWindow holds the bounds of the window.
func TestExpandWindow(t *testing.T) {
	t.Parallel()
	e := one(t, "REQUEST", "RRULE:FREQ=MONTHLY")
	from := utc(t, "2026-12-01")
	if starts, more := agenda.Expand(e, from, from.AddDate(50, 0, 0), 0); len(starts) != 24 || !more {
		t.Errorf("%d occurrences of two years, %v", len(starts), more)
	}
	if starts, more := agenda.Expand(e, from, from, 0); len(starts) != 0 || more {
		t.Errorf("%d occurrences of no time", len(starts))
	}
	single := one(t, "REQUEST")
	if starts, more := agenda.Expand(single, from, from.AddDate(50, 0, 0), 0); len(starts) != 1 || more {
		t.Errorf("%d occurrences, %v", len(starts), more)
	}
	if starts, _ := agenda.Expand(agenda.Event{Rule: "FREQ=DAILY"}, from, from.AddDate(1, 0, 0), 0); len(starts) != 0 {
		t.Errorf("%d occurrences of what never starts", len(starts))
	}
}
