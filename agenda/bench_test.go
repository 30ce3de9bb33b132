package agenda_test

import (
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/agenda"
)

// BenchmarkRead reads an invitation with a zone.
func BenchmarkRead(b *testing.B) {
	data := calendar("REQUEST", european("Romance Standard Time"), vevent("DTSTART;TZID=Romance Standard Time:20260701T100000"))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := agenda.Read(strings.NewReader(data), agenda.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkExpandWorst expands the dearest rules that are not refused: spec security
// 2.4 allows 50 ms.
func BenchmarkExpandWorst(b *testing.B) {
	const days = "BYDAY=MO,TU,WE,TH,FR,SA,SU"
	for name, rule := range map[string]string{
		"places": "FREQ=YEARLY;" + days + ";BYSETPOS=-1,-2,-3,-4,-5,-6,1,2,3,4,5,6",
		"hours":  "FREQ=YEARLY;" + days + ";BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23",
		"days":   "FREQ=DAILY;BYMONTHDAY=" + strings.Repeat("31,30,29,", 50) + "1",
		"never":  "FREQ=DAILY;BYMONTHDAY=30;BYMONTH=2",
	} {
		e := one(b, "REQUEST", "DTSTART;TZID=Europe/Paris:19590101T090000", "RRULE:"+rule)
		if e.Rule == "" {
			b.Fatal(name)
		}
		from := utc(b, "2026-12-01")
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				agenda.Expand(e, from, from.AddDate(2, 0, 0), 0)
			}
		})
	}
}
