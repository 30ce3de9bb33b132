package message_test

import (
	"encoding/json"
	"flag"
	"html/template"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/message"
	"github.com/vaguemestre/vaguemestre/web/ui"
	"github.com/vaguemestre/vaguemestre/web/ui/uitest"
)

var update = flag.Bool("update", false, "write the golden pages anew")

func testKit(t *testing.T) *ui.Kit {
	t.Helper()
	return uitest.Kit(t, leaf.Room(), message.Room(message.Parts{}))
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
		html := uitest.Draw(t, kit, v, page(v), ui.Around{Section: section, Unread: 2})
		uitest.Sound(t, html)
		if strings.Contains(html, "<no value>") || strings.Contains(html, "ZgotmplZ") {
			t.Errorf("%s: a value is missing", name)
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

func lines() []message.Line {
	return []message.Line{
		{ID: "m1", Name: "Dr Salima Berrahal", Subject: message.ReadSubject("XDM/1.0/DDM+Votre retour à la maison"), Preview: "Bonjour Madame Morvan, voici la lettre qui résume votre séjour.", Date: time.Date(2026, 11, 20, 8, 12, 0, 0, time.UTC), Unread: true, Files: 2},
		{ID: "m2", Name: "Laboratoire des Quais", Subject: message.ReadSubject("=?utf-8?q?Vos_analyses_du_18_novembre?="), Date: time.Date(2026, 11, 19, 15, 5, 0, 0, time.UTC), Unread: true, Files: 1},
		{ID: "m3", Name: "Dr Étienne Coulanges", Subject: message.ReadSubject("Ordonnance pour trois mois"), Preview: "Comme convenu <b>je</b> renouvelle", Date: time.Date(2026, 11, 12, 9, 0, 0, 0, time.UTC), Answered: true},
		{ID: "m/4", Subject: message.ReadSubject("[FIN]"), Date: time.Date(2025, 10, 29, 9, 0, 0, 0, time.UTC)},
	}
}

func TestListPage(t *testing.T) {
	t.Parallel()
	golden(t, "list", "messages", func(v *ui.Visit) ui.Page {
		return message.ListPage(v, "inbox", 2, lines(), "17", []string{"Dr Étienne Coulanges", "Pharmacie du Marché"})
	})
	golden(t, "list-empty", "messages", func(v *ui.Visit) ui.Page { return message.ListPage(v, "trash", 0, nil, "", nil) })
}

func TestListFacts(t *testing.T) {
	t.Parallel()
	v := visit(testKit(t), ui.French)
	got, err := json.Marshal(message.ListPage(v, "inbox", 2, lines()[:1], "17", nil).JSON)
	want := `{"messages":[{"id":"m1","from":"Dr Salima Berrahal","subject":"Votre retour à la maison","date":"2026-11-20T09:12:00+01:00","unread":true,` +
		`"preview":"Bonjour Madame Morvan, voici la lettre qui résume votre séjour.","answered":false,"attachments":2}],"unread":2,"next":"17"}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if got, err := json.Marshal(message.ListPage(v, "inbox", 0, nil, "", nil).JSON); err != nil || string(got) != `{"messages":[],"unread":0}` {
		t.Errorf("an empty list is %s, %v", got, err)
	}
}

func example(v *ui.Visit) message.LetterPage {
	tag := leaf.Tag{Text: v.T("event.status.needs-action"), Kind: "warn", Icon: "clock"}
	return message.LetterPage{
		URL: "/messages/m1", Folder: "inbox", Subject: "Votre retour à la maison", From: "Dr Salima Berrahal",
		Date: time.Date(2026, 11, 20, 8, 12, 0, 0, time.UTC), Day: "Vendredi 20 novembre 2026", Replaces: true, Frame: true,
		Text: message.Flow("Bonjour Madame Morvan,\nvoici la lettre.\n\n<script>alert(1)</script>", false),
		Invitations: []message.Invitation{{
			Title: "Visite de suivi, cardiologie", When: "Jeudi 3 décembre 2026, 14 h 15 à 14 h 45", Where: "Hôpital de Valbrume",
			URL: "/agenda/e1", Version: "v1", Said: &tag, Open: true,
		}},
		Filed: []message.FiledLine{
			{Title: "Lettre de sortie", URL: "/documents/d1"},
			{Title: "IHE_XDM.zip", Reason: v.T("msg.kept.identity")},
		},
		Leaves: []leaf.Document{{
			Title: "Lettre de sortie", Type: "Lettre de liaison", Patient: "Jeanne MORVAN", Born: "12 mars 1951", Authors: []string{"Dr Salima Berrahal, Hôpital de Valbrume"},
			Date:      time.Date(2026, 11, 16, 10, 0, 0, 0, time.UTC),
			Originals: []leaf.Original{{Kind: leaf.PDF, Name: "Lettre de sortie", Size: 212_000, URL: "/messages/m1/parts/2.d0.e0", Save: "/messages/m1/parts/2.d0.e0?keep=1"}},
			Narrative: template.HTML(`<section class="cda-section"><h3>Traitement</h3><p>Furosémide</p></section>`), //nolint:gosec // written here
			Warnings:  []string{"leaf.warning.ins-key-wrong"}, Save: "/messages/m1/parts/2.d0?keep=1",
		}},
		Files:  []leaf.Attachment{{Icon: "file", Tint: "k-gris", Name: "photo.jpg", Info: "Photo JPEG, 1,2 Mo", Open: "/messages/m1/parts/3", Keep: "/messages/m1/parts/3?keep=1"}},
		Answer: message.Answerable{Allowed: true},
	}
}

func letterPage(p message.LetterPage) ui.Page {
	return ui.Page{Template: "letter-page", Title: "msg.page", TitleArgs: []any{"Subject", p.Subject}, Data: p}
}

func TestLetterPage(t *testing.T) {
	t.Parallel()
	golden(t, "letter", "messages", func(v *ui.Visit) ui.Page { return letterPage(example(v)) })
	golden(t, "letter-closed", "messages", func(v *ui.Visit) ui.Page {
		p := example(v)
		p.Text, p.Invitations, p.Filed, p.Leaves, p.Files = nil, nil, nil, nil, nil
		p.Over, p.Folder, p.Answer = true, "trash", message.Answerable{Why: "closed"}
		return letterPage(p)
	})
	golden(t, "letter-sent", "messages", func(v *ui.Visit) ui.Page {
		p := example(v)
		p.Invitations, p.Filed, p.Leaves, p.Frame, p.Replaces = nil, nil, nil, false, false
		p.Mine, p.Folder, p.From, p.To, p.Outcome = true, "sent", v.T("msg.you"), "Dr Salima Berrahal", "/outcome/m1"
		return letterPage(p)
	})
}

func TestReplyPage(t *testing.T) {
	t.Parallel()
	golden(t, "reply", "messages", func(v *ui.Visit) ui.Page { return message.ReplyPage(v, true, "", "") })
	golden(t, "reply-wrong", "messages", func(v *ui.Visit) ui.Page {
		return message.ReplyPage(v, true, "", "Bonjour <Docteur>",
			leaf.Problem{ID: "text", Error: v.T("msg.reply.error.long", "Count", 100_000)},
			leaf.Problem{ID: "files", Error: v.T("msg.reply.error.large", "Name", "vacances.mov", "Size", v.Words.Size(148e6), "Max", v.Words.Size(5_000_000))})
	})
	for _, why := range []string{"closed", "unknown", "elsewhere"} {
		golden(t, "reply-"+why, "messages", func(v *ui.Visit) ui.Page { return message.ReplyPage(v, false, why, "") })
	}
}

func story() outcome.Story {
	at := func(minute int) time.Time { return time.Date(2026, 11, 20, 9, minute, 0, 0, time.UTC) }
	good := []outcome.Fact{
		{At: at(0), What: outcome.Accepted, Evidence: outcome.Evidence{Source: "self"}},
		{At: at(1), What: outcome.Relayed, Evidence: outcome.Evidence{Source: "smtp", Peer: "mx.chu.example", Text: "250 2.0.0 <anne@chu.example> queued"}},
	}
	bad := append(append([]outcome.Fact{}, good[:1]...), outcome.Fact{At: at(2), What: outcome.Refused, Code: "5.2.2", Evidence: outcome.Evidence{Source: "dsn"}})
	return outcome.Story{ID: "o1", At: at(0), Chapters: []outcome.Chapter{
		{No: 0, Facts: good, State: outcome.Status(good)}, {No: 1, Facts: bad, State: outcome.Status(bad)},
	}}
}

func TestStoryPage(t *testing.T) {
	t.Parallel()
	name := func(c outcome.Chapter) string { return []string{"Dr Salima Berrahal", ""}[c.No] }
	golden(t, "outcome", "messages", func(v *ui.Visit) ui.Page { return message.StoryPage(v, story(), name) })
	golden(t, "outcomes", "messages", func(v *ui.Visit) ui.Page { return message.StoriesPage(v, lines()[:1], story()) })
	v := visit(testKit(t), ui.French)
	got, err := json.Marshal(message.StoryPage(v, story(), name).JSON)
	want := `{"at":"2026-11-20T10:00:00+01:00","recipients":[{"recipient":"Dr Salima Berrahal","status":"relayed","facts":[` +
		`{"fact":"accepted","at":"2026-11-20T10:00:00+01:00","evidence":"self"},` +
		`{"fact":"relayed","at":"2026-11-20T10:01:00+01:00","evidence":"smtp mx.chu.example 250 2.0.0 queued"}]},` +
		`{"recipient":"Un professionnel de santé","status":"refused","facts":[{"fact":"accepted","at":"2026-11-20T10:00:00+01:00","evidence":"self"},` +
		`{"fact":"refused","at":"2026-11-20T10:02:00+01:00","evidence":"dsn","code":"5.2.2"}]}]}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}
