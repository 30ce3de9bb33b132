package record_test

import (
	"encoding/json"
	"flag"
	"html/template"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/record"
	"github.com/vaguemestre/vaguemestre/web/ui"
	"github.com/vaguemestre/vaguemestre/web/ui/uitest"
)

var update = flag.Bool("update", false, "write the golden pages anew")

func testKit(t *testing.T) *ui.Kit {
	t.Helper()
	return uitest.Kit(t, leaf.Room(), record.Room(record.Parts{}))
}

// now is Friday 20 November 2026, 10:42 in Paris: the day of the prototype.
func now() time.Time { return time.Date(2026, 11, 20, 9, 42, 0, 0, time.UTC) }

func visit(kit *ui.Kit, lang string) *ui.Visit {
	w := kit.Words(lang)
	return &ui.Visit{
		Person: account.Person{Name: "Jeanne Morvan", Given: "Jeanne"}, Session: new(porter.WebSession), Lang: lang, Now: now().In(w.Zone), Words: w, ID: "r1",
	}
}

// golden draws a page and holds it to its file and to what a program sees of it.
func golden(t *testing.T, name, section string, page func(v *ui.Visit) ui.Page) {
	t.Helper()
	kit := testKit(t)
	for _, lang := range ui.Languages() {
		v := visit(kit, lang)
		html := uitest.Draw(t, kit, v, page(v), ui.Around{Section: section})
		uitest.Sound(t, html)
		if strings.Contains(html, "<no value>") || strings.Contains(html, "ZgotmplZ") || strings.Contains(html, "@chu.example") {
			t.Errorf("%s: a value is missing, or an address is shown", name)
		}
		if lang == ui.French {
			uitest.Golden(t, name+".html", uitest.Own(html), *update)
		}
	}
}

func TestEveryWordIsSaid(t *testing.T) {
	t.Parallel()
	uitest.Words(t, testKit(t), ".", "../leaf")
}

func known() record.Names { return record.Names{"anne@chu.example": "Dr Salima Berrahal"} }

func entries() []dmp.Entry {
	at := time.Date(2026, 11, 20, 8, 12, 0, 0, time.UTC)
	return []dmp.Entry{
		{
			ID: "d1", State: dmp.Approved, At: at,
			Origins: []dmp.Origin{
				{Kind: dmp.ByLetter, Letter: "m1", From: "anne@chu.example", At: at},
				{Kind: dmp.ByDepot, From: "depot.auto@autre.example", At: at.Add(time.Hour)},
			},
			Document: dmp.Document{
				Title: "Lettre de sortie, cardiologie", Type: dmp.Code{Code: "11490-0"}, Created: time.Date(2026, 11, 16, 10, 0, 0, 0, time.UTC),
				Start: time.Date(2026, 11, 10, 10, 0, 0, 0, time.UTC), Stop: time.Date(2026, 11, 16, 10, 0, 0, 0, time.UTC),
				Authors: []dmp.Author{{Person: "Dr Salima Berrahal", Institution: "Hôpital de Valbrume"}}, Size: 212_000, Warnings: []string{"ins-key-wrong"},
			},
		},
		{
			ID: "d/2", State: dmp.Deprecated, At: at.AddDate(-1, 0, 0), ReplacedBy: "d3",
			Document: dmp.Document{Type: dmp.Code{Code: "11502-2"}, Authors: []dmp.Author{{Institution: "Laboratoire des Quais"}}},
		},
		{ID: "d4", State: dmp.Archived, At: at.AddDate(-1, 0, 0), Document: dmp.Document{Type: dmp.Code{Code: "inconnu", Display: "Carnet <b>"}}},
	}
}

func counts() []dmp.Count {
	return []dmp.Count{{Category: "CPT_REND", Documents: 11, Current: 10}, {Category: "BIOLOGIE", Documents: 1, Current: 1}, {Category: "DIR_ANT", Documents: 1, Current: 1}}
}

func TestDocumentsPages(t *testing.T) {
	t.Parallel()
	golden(t, "documents", "documents", func(v *ui.Visit) ui.Page { return record.HomePage(v, entries(), counts(), known()) })
	golden(t, "documents-empty", "documents", func(v *ui.Visit) ui.Page { return record.HomePage(v, nil, nil, nil) })
	golden(t, "family", "documents", func(v *ui.Visit) ui.Page { return record.ListPage(v, "CPT_REND", entries(), counts(), "d4") })
}

func TestDocumentsFacts(t *testing.T) {
	t.Parallel()
	v := visit(testKit(t), ui.French)
	got, err := json.Marshal(record.HomePage(v, entries()[:1], counts()[1:2], known()).JSON)
	want := `{"documents":[{"id":"d1","title":"Lettre de sortie, cardiologie","type":"11490-0","date":"2026-11-16T11:00:00+01:00",` +
		`"author":"Dr Salima Berrahal, Hôpital de Valbrume","status":"approved","origins":[` +
		`{"kind":"letter","letter":"m1","from":"Dr Salima Berrahal","at":"2026-11-20T09:12:00+01:00"},` +
		`{"kind":"depot","from":"autre.example","at":"2026-11-20T10:12:00+01:00"}],` +
		`"type_name":"` + typeName(t, "11490-0") + `","category":"CPT_REND","filed":"2026-11-20T09:12:00+01:00","warnings":["ins-key-wrong"]}],` +
		`"categories":[{"category":"BIOLOGIE","name":"Résultats de biologie","count":1}]}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func typeName(t *testing.T, code string) string {
	t.Helper()
	kind, ok := dmp.Classify(code)
	if !ok {
		t.Fatalf("type %s is unknown", code)
	}
	return kind.Label.FR
}

func TestDocumentPage(t *testing.T) {
	t.Parallel()
	shown := leaf.Document{
		Title: "Lettre de sortie, cardiologie", Type: "Lettre de liaison", Patient: "Jeanne MORVAN", Born: "12 mars 1951",
		Originals: []leaf.Original{{Kind: leaf.PDF, Name: "PDF", Size: 96_000, URL: "/documents/d1/embedded/0", Save: "/documents/d1/embedded/0?keep=1"}},
		Narrative: template.HTML(`<section class="cda-section"><h2>Traitement</h2></section>`), //nolint:gosec // written here
		Save:      "/documents/d1/original", Warnings: []string{"leaf.warning.ins-key-wrong"},
	}
	golden(t, "document", "documents", func(v *ui.Visit) ui.Page { return record.DocumentPage(v, entries()[0], shown, known()) })
	golden(t, "document-replaced", "documents", func(v *ui.Visit) ui.Page {
		return record.DocumentPage(v, entries()[1], leaf.Document{Title: "Analyses", Unread: "leaf.unread.damaged"}, nil)
	})
}

func address(t *testing.T, s string) identity.Address {
	t.Helper()
	a, err := identity.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func events(t *testing.T) []reading.Event {
	t.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	anne := agenda.Party{Address: address(t, "anne@chu.example"), Raw: "anne@chu.example", Name: "anne@chu.example"}
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 12, day, hour, minute, 0, 0, paris) }
	day := func(d int) time.Time { return time.Date(2026, 12, d, 0, 0, 0, 0, time.UTC) }
	return []reading.Event{
		{Version: "v1", Event: agenda.Event{
			ID: "e1", UID: "u1", Status: agenda.NeedsAction, Letter: "m1", Organizer: anne, Summary: "Visite de suivi, cardiologie",
			Start: at(3, 14, 15), End: at(3, 14, 45), Location: "Hôpital de Valbrume, 2e étage", Description: "Apportez votre carnet de poids.\n\n<b>À jeun</b>",
		}},
		{Version: "v2", Event: agenda.Event{ID: "e2", UID: "u2", Status: agenda.Accepted, Organizer: anne, Summary: "Kinésithérapeute", Start: at(4, 11, 0), End: at(4, 11, 30), Rule: "FREQ=WEEKLY;COUNT=3"}},
		{Version: "v3", Event: agenda.Event{ID: "e3", UID: "u3", Status: agenda.Cancelled, Organizer: anne, Start: at(1, 10, 0), End: at(1, 10, 0)}},
		{Version: "v4", Event: agenda.Event{ID: "e4", UID: "u4", Status: agenda.Tentative, Organizer: anne, Summary: "Séjour", AllDay: true, Start: day(5), End: day(7)}},
		{Version: "v5", Event: agenda.Event{ID: "e5", UID: "u5", Status: agenda.Accepted, Organizer: anne, Summary: "Prise de sang", Floating: true, Start: time.Date(2026, 11, 18, 7, 50, 0, 0, time.UTC), End: time.Date(2026, 11, 18, 8, 0, 0, 0, time.UTC)}},
		{Version: "v6", Event: agenda.Event{ID: "e6", UID: "u6", Status: agenda.NeedsAction, Organizer: anne, Summary: "Trop tard", Start: at(1, 9, 0).AddDate(0, -2, 0), End: at(1, 10, 0).AddDate(0, -2, 0)}},
	}
}

func TestAgendaPages(t *testing.T) {
	t.Parallel()
	golden(t, "agenda", "agenda", func(v *ui.Visit) ui.Page { return record.AgendaPage(v, "list", "", events(t)) })
	golden(t, "agenda-empty", "agenda", func(v *ui.Visit) ui.Page { return record.AgendaPage(v, "list", "", nil) })
	golden(t, "agenda-week", "agenda", func(v *ui.Visit) ui.Page { return record.AgendaPage(v, "week", "2026-12-03", events(t)) })
	golden(t, "agenda-month", "agenda", func(v *ui.Visit) ui.Page { return record.AgendaPage(v, "month", "2026-12-03", events(t)) })
}

func TestAgendaFacts(t *testing.T) {
	t.Parallel()
	v := visit(testKit(t), ui.French)
	got, err := json.Marshal(record.AgendaPage(v, "list", "", events(t)[3:5]).JSON)
	want := `{"events":[{"id":"e5","uid":"u5","summary":"Prise de sang","start":"2026-11-18T07:50:00","end":"2026-11-18T08:00:00","status":"accepted",` +
		`"location":"","all_day":false,"repeats":false,"version":"v5"},` +
		`{"id":"e4","uid":"u4","summary":"Séjour","start":"2026-12-05","end":"2026-12-07","status":"tentative","location":"","all_day":true,"repeats":false,"version":"v4"}]}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func TestEventPages(t *testing.T) {
	t.Parallel()
	golden(t, "event", "agenda", func(v *ui.Visit) ui.Page { return record.EventPage(v, events(t)[0], known(), "") })
	golden(t, "event-series", "agenda", func(v *ui.Visit) ui.Page { return record.EventPage(v, events(t)[1], nil, "") })
	golden(t, "event-cancelled", "agenda", func(v *ui.Visit) ui.Page {
		return record.EventPage(v, events(t)[2], nil, "cal.closed.cancelled")
	})
}

func TestWhatCanBeAnswered(t *testing.T) {
	t.Parallel()
	v := visit(testKit(t), ui.French)
	all := events(t)
	silent := all[0]
	silent.Organizer = agenda.Party{}
	for _, c := range []struct {
		e    reading.Event
		want string
	}{{all[0], ""}, {all[1], ""}, {all[2], "event-cancelled"}, {all[5], "event-past"}, {silent, "event-without-organizer"}} {
		err := record.Answerable(v, c.e)
		if (c.want == "") != (err == nil) || err != nil && fault.Reason(err) != c.want {
			t.Errorf("%s: got %v, want %q", c.e.ID, err, c.want)
		}
	}
}

func TestPublished(t *testing.T) {
	t.Parallel()
	v := visit(testKit(t), ui.French)
	got := record.Published(v, events(t)[0])
	want := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Vaguemestre//Agenda//FR\r\nMETHOD:PUBLISH\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20261120T094200Z\r\n" +
		"DTSTART:20261203T131500Z\r\nDTEND:20261203T134500Z\r\nSUMMARY:Visite de suivi\\, cardiologie\r\nLOCATION:Hôpital de Valbrume\\, 2e étage\r\n" +
		"DESCRIPTION:Apportez votre carnet de poids.\\n\\n<b>À jeun</b>\r\nCLASS:PRIVATE\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	series := events(t)[1]
	series.Summary = strings.Repeat("é", 60) + "\r\nATTENDEE:mailto:x@y.example"
	got = record.Published(v, series)
	if strings.Contains(got, "\r\nATTENDEE") || strings.Count(got, "RDATE:") != 2 || !strings.Contains(got, "RDATE:20261211T100000Z") {
		t.Errorf("a series: %q", got)
	}
	for line := range strings.SplitSeq(got, "\r\n") {
		if len(line) > 75 {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
	}
	if got := record.Published(v, events(t)[3]); !strings.Contains(got, "DTSTART;VALUE=DATE:20261205\r\nDTEND;VALUE=DATE:20261207\r\n") {
		t.Errorf("whole days: %q", got)
	}
}

func accesses() []dmp.Access {
	at := time.Date(2026, 11, 19, 17, 40, 0, 0, time.UTC)
	return []dmp.Access{
		{At: at.Add(15 * time.Hour), Who: "Jeanne Morvan", WhoKind: "patient", What: dmp.LetterOpened, Why: dmp.Own, Title: "XDM/1.0/DDM+Lettre de sortie", Object: "m1", Via: "web"},
		{At: at, Who: "Dr Étienne Coulanges", WhoKind: "professional", What: dmp.DocumentOpened, Why: dmp.Care, Title: "Analyses de sang", Via: "web"},
		{At: at, Who: "anne@chu.example", WhoKind: "professional", What: dmp.DocumentFiled, Why: dmp.Filing, Title: "Lettre", Via: "letter"},
		{At: at.AddDate(0, 0, -9), Who: "Dr Hugo Tessier", WhoKind: "professional", What: dmp.DocumentOpened, Why: dmp.Emergency},
		{At: at.AddDate(0, 0, -9), Who: "Cabinet Vautrin", WhoKind: "professional", What: dmp.Refused, Why: dmp.Care},
		{At: at.AddDate(0, 0, -9), WhoKind: "service", What: dmp.InvitationReceived, Why: dmp.Filing},
		{At: at.AddDate(0, 0, -9), Who: "Claire Morvan", WhoKind: "patient", What: dmp.SpaceOpened, Why: dmp.Mandate},
	}
}

func TestHistoryPage(t *testing.T) {
	t.Parallel()
	golden(t, "history", "history", func(v *ui.Visit) ui.Page { return record.HistoryPage(v, accesses(), "a7", known()) })
	golden(t, "history-empty", "history", func(v *ui.Visit) ui.Page { return record.HistoryPage(v, nil, "", nil) })
	v := visit(testKit(t), ui.French)
	got, err := json.Marshal(record.HistoryPage(v, accesses()[2:3], "", known()).JSON)
	want := `{"accesses":[{"at":"2026-11-19T18:40:00+01:00","who":"Dr Salima Berrahal","what":"document-filed","why":"filing","who_kind":"professional","title":"Lettre","via":"letter"}]}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

// TestEveryActHasWords holds the closed lists of package dmp against the catalogue.
func TestEveryActHasWords(t *testing.T) {
	t.Parallel()
	w := testKit(t).Words(ui.French)
	for _, act := range []dmp.Act{dmp.DocumentOpened, dmp.DocumentDownloaded, dmp.DocumentFiled, dmp.LetterOpened, dmp.SpaceOpened, dmp.InvitationReceived, dmp.InvitationAnswered, dmp.Refused} {
		if !w.Has("his.what."+string(act)) || !w.Has("his.you."+string(act)) {
			t.Errorf("no words for %s", act)
		}
	}
	for _, why := range []dmp.Reason{dmp.Own, dmp.Mandate, dmp.Care, dmp.Emergency, dmp.Filing} {
		if !w.Has("his.why." + string(why)) {
			t.Errorf("no words for %s", why)
		}
	}
	for _, s := range []agenda.Status{agenda.NeedsAction, agenda.Accepted, agenda.Declined, agenda.Tentative, agenda.Cancelled} {
		if !w.Has("event.status." + string(s)) {
			t.Errorf("no words for %s", s)
		}
	}
	for _, o := range []dmp.OriginKind{dmp.ByLetter, dmp.ByDepot} {
		if !w.Has("doc.origin."+string(o)) || !w.Has("doc.origin."+string(o)+"-from") {
			t.Errorf("no words for %s", o)
		}
	}
}
