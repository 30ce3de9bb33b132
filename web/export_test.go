package web

import (
	"net/http"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// Hall is this package's own room.
func Hall() (ui.Room, error) { return new(Server).hall() }

// Kit is what the pages of all rooms are made of.
func (s *Server) Kit() *ui.Kit { return s.kit }

// Pages are this package's pages with facts that do not change, by the name of their
// golden file.
func Pages(v *ui.Visit) map[string]ui.Page {
	day := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, v.Words.Zone)
	}
	full := &home{
		Name: "Jeanne", unread: 2,
		letters: []reading.Line{
			{ID: "l1", From: "Dr Salima Berrahal", Subject: "Votre retour à la maison", Preview: "Bonjour Madame Morvan", At: day(11, 20, 9, 12), Attachments: 2},
			{ID: "l2", From: "Laboratoire des Quais", At: day(11, 19, 16, 5)},
		},
		documents: []dmp.Entry{{ID: "d1", Document: dmp.Document{
			Title: "Analyses de sang", Category: dmp.Other, Created: day(11, 18, 9, 0), Authors: []dmp.Author{{Institution: "Laboratoire des Quais"}},
		}}},
		accesses: []dmp.Access{{Who: "Dr Étienne Coulanges", What: dmp.DocumentOpened, Title: "Analyses de sang", At: day(11, 19, 18, 40), Why: dmp.Care}},
	}
	full.sort(v, []reading.Event{
		{Event: agenda.Event{ID: "e2", Status: agenda.Accepted, Start: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), AllDay: true, Summary: "Prise de sang"}},
		{Event: agenda.Event{ID: "e1", Status: agenda.NeedsAction, Start: day(12, 3, 14, 15), Summary: "Visite de suivi", Location: "Hôpital de Valbrume"}},
		{Event: agenda.Event{ID: "e3", Status: agenda.NeedsAction, Start: day(11, 3, 14, 15), Summary: "passée"}},
		{Event: agenda.Event{ID: "e4", Status: agenda.Cancelled, Start: day(12, 4, 14, 15), Summary: "annulée"}},
		{Event: agenda.Event{ID: "e5", Status: agenda.Accepted, Start: time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC), Floating: true, Summary: "Dr Coulanges"}},
	})
	full.rows(v)
	empty := &home{Name: "Jeanne"}
	empty.rows(v)
	devices := []device{
		{"s1", "Firefox, Android", day(11, 20, 9, 0), day(11, 20, 11, 0), true},
		{"s2", "", day(11, 14, 20, 0), day(11, 14, 20, 15), false},
	}
	wrong := form{Errors: []fieldError{{"code", v.T("wrong.code-wrong")}}}
	on := form{On: true, Left: 9, Errors: wrong.Errors}
	page := func(template, title string, data any) ui.Page {
		return ui.Page{Template: template, Title: title, Data: data}
	}
	bare := map[string]ui.Page{
		"home": page("home", "home.title", full), "home-empty": page("home", "home.title", empty),
		"settings": page("settings", "settings.title", settings{
			Login: "jeanne", Devices: devices, PasswordChanged: day(10, 1, 9, 0), SecondFactor: true, Others: true,
		}),
		"password": passwordPage(http.StatusUnprocessableEntity, fieldError{"new", v.T("wrong.password-too-short")}),
		"factor":   page("factor", "factor.title", form{}), "factor-on": page("factor", "factor.title", on),
		"factor-begin": page("factor-begin", "factor.begin", enrolment{
			Enrolment: account.Enrolment{Secret: "JBSWY3DPEHPK3PXP"}, Drawing: drawing{"0 0 1 1", "M0 0h1v1h-1z"},
		}),
		"factor-again": page("factor-begin", "factor.begin", enrolment{form: wrong}),
		"recovery":     recoveryPage([]string{"aaaa-bbbb", "cccc-dddd"}),
		"help":         page("help", "help.title", true), "accessibility": page("accessibility", "accessibility.title", true),
		"privacy": page("privacy", "privacy.title", true),
		"more": page("more", "more.title", struct {
			Born  time.Time
			Known bool
		}{day(3, 12, 12, 0).AddDate(-75, 0, 0), true}),
	}
	for name, p := range map[string]ui.Page{
		"signin": signInPage(200, signInForm{}), "signin-wrong": signInPage(401, signInForm{Login: "jeanne", Error: "signin.wrong"}),
		"signin-over": signInPage(401, signInForm{Over: true}), "code": codePage(signInForm{}), "code-wrong": codePage(signInForm{Error: "code.wrong"}),
		"help-stranger": {Template: "help", Title: "help.title", Door: true, Data: false}, "site": {Template: "site", Title: "site.title", Door: true},
	} {
		bare[name] = p
	}
	return bare
}
