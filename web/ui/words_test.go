package ui_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/vaguemestre/vaguemestre/web/ui"
	"github.com/vaguemestre/vaguemestre/web/ui/uitest"
)

// words makes a room that says a few things.
func words(french, english string) ui.Room {
	return ui.Room{Name: "essai", Words: fstest.MapFS{
		"fr.toml": {Data: []byte(french)}, "en.toml": {Data: []byte(english)},
	}}
}

func TestTheCommonWordsStandInBothLanguages(t *testing.T) {
	t.Parallel()
	uitest.Words(t, uitest.Kit(t), ".")
}

func TestWordsAreChosenByNumberAndEscapeWhatTheyAreGiven(t *testing.T) {
	t.Parallel()
	kit := uitest.Kit(t, words(
		"[x]\nletters = { one = \"{{.Count}} lettre\", other = \"{{.Count}} lettres\" }\nhello = \"<b>{{.Name}}</b>\"\nmarks = \"« Bon » : ça va ? Oui ; non !\"",
		"[x]\nletters = { one = \"{{.Count}} letter\", other = \"{{.Count}} letters\" }\nhello = \"<b>{{.Name}}</b>\"\nmarks = \"a : b\"",
	))
	fr, en := kit.Words("fr"), kit.Words("en")
	for _, row := range []struct{ got, want string }{
		{fr.T("x.letters", "Count", 0), "0 lettre"}, // French: nothing is singular
		{fr.T("x.letters", "Count", 1), "1 lettre"},
		{fr.T("x.letters", "Count", 2), "2 lettres"},
		{fr.T("x.letters", "Count", 1_000_000), "1\u202f000\u202f000 lettres"},
		{en.T("x.letters", "Count", 0), "0 letters"},
		{en.T("x.letters", "Count", 1), "1 letter"},
		{en.T("x.letters", "Count", 12_345), "12,345 letters"},
		{fr.T("x.hello", "Name", "<i>"), "<b><i></b>"}, // a text, escaped where it is shown
		{string(fr.Rich("x.hello", "Name", "<i>")), "<b>&lt;i&gt;</b>"},
		{fr.T("x.nothing"), "x.nothing"},
		{fr.T("x.marks"), "«\u00a0Bon\u00a0»\u00a0: ça va\u00a0? Oui\u00a0; non\u00a0!"},
		{en.T("x.marks"), "a : b"},
		{fr.Size(999), "999\u00a0octets"},
		{fr.Size(211_700), "212\u00a0Ko"},
		{fr.Size(1_440_000), "1,4\u00a0Mo"},
		{en.Size(1_440_000), "1.4\u00a0MB"},
	} {
		if row.got != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
}

func TestDatesAreToldWhereTheReaderLives(t *testing.T) {
	t.Parallel()
	kit := uitest.Kit(t)
	fr, en := kit.Words("fr"), kit.Words("en")
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC) // 11 h in Paris
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, time.UTC)
	}
	for _, row := range []struct{ got, want string }{
		{fr.Day(now), "vendredi 20\u00a0novembre\u00a02026"},
		{fr.Date(at(12, 1, 9, 0)), "1er\u00a0décembre\u00a02026"},
		{en.Day(now), "Friday 20\u00a0November\u00a02026"},
		{fr.Clock(at(11, 20, 8, 12)), "9\u00a0h\u00a012"},
		{fr.Clock(at(11, 20, 7, 0)), "8\u00a0h"},
		{fr.Clock(at(7, 20, 7, 0)), "9\u00a0h"}, // summer
		{en.Clock(at(11, 20, 8, 12)), "09:12"},
		{fr.When(now, at(11, 20, 8, 12)), "9\u00a0h\u00a012"},
		{fr.When(now, at(11, 18, 23, 30)), "hier"}, // the 19th, in Paris
		{fr.When(now, at(11, 12, 9, 0)), "12\u00a0nov."},
		{fr.When(now, time.Date(2025, 11, 12, 9, 0, 0, 0, time.UTC)), "12\u00a0nov.\u00a02025"},
		{fr.When(now, at(11, 23, 9, 0)), "23\u00a0nov."},
		{fr.Moment(now, at(11, 19, 17, 40)), "hier à 18\u00a0h\u00a040"},
		{fr.Moment(now, at(11, 14, 19, 15)), "le 14\u00a0novembre à 20\u00a0h\u00a015"},
		{en.Moment(now, at(11, 20, 8, 12)), "today at 09:12"},
		{fr.DayHead(now, at(11, 12, 9, 0)), "Jeudi 12\u00a0novembre"},
		{fr.DayHead(now, now), "Aujourd’hui"},
		{fr.Month(now), "Novembre\u00a02026"},
		{fr.Machine(now), "2026-11-20T11:00:00+01:00"},
	} {
		if row.got != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
}

func TestNothingIsSaidTwice(t *testing.T) {
	t.Parallel()
	zone := time.UTC
	for name, rooms := range map[string][]ui.Room{
		"a key of ours":        {words("brand = \"x\"", "brand = \"x\"")},
		"a key of two rooms":   {words("y = \"x\"", "y = \"x\""), words("y = \"x\"", "y = \"x\"")},
		"a malformed file":     {words("y = ", "y = \"x\"")},
		"a part of ours":       {{Name: "a", Pages: fstest.MapFS{"a.html": {Data: []byte(`{{define "row"}}{{end}}`)}}}},
		"one template twice":   {{Name: "a", Pages: fstest.MapFS{"a.html": {Data: []byte(`{{define "x"}}{{end}}{{- define "x"}}{{end}}`)}}}},
		"a malformed page":     {{Name: "a", Pages: fstest.MapFS{"a.html": {Data: []byte(`{{define "x"}}{{nothing}}{{end}}`)}}}},
		"only in one language": {{Name: "a", Words: fstest.MapFS{"fr.toml": {Data: []byte(`z = "x"`)}}}},
	} {
		if _, err := ui.NewKit(ui.Site{}, zone, rooms...); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestInitials(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Jeanne Morvan": "JM", "Dr Salima Berrahal": "SB", "Étienne de Coulanges": "ÉC", "Laboratoire": "L",
		"": "·", "42": "·", "Dr. Pr. Zoé": "Z",
	} {
		if got := ui.Initials(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
