package web_test

import (
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/web"
	"github.com/vaguemestre/vaguemestre/web/ui"
	"github.com/vaguemestre/vaguemestre/web/ui/uitest"
)

func TestPages(t *testing.T) {
	t.Parallel()
	hall, err := web.Hall()
	if err != nil {
		t.Fatal(err)
	}
	kit := uitest.Kit(t, hall)
	uitest.Words(t, kit, ".", "ui")
	uitest.Spare(t, kit, ".", "ui")
	for _, lang := range ui.Languages() {
		words := kit.Words(lang)
		v := &ui.Visit{
			Lang: lang, Words: words, ID: "7F3K-20A9", Now: time.Date(2026, 11, 20, 11, 0, 0, 0, words.Zone),
			Person: account.Person{Name: "Jeanne Morvan", Given: "Jeanne"},
		}
		for name, page := range web.Pages(v) {
			visit := *v
			if !page.Door {
				visit.Session = &porter.WebSession{}
			}
			html := uitest.Draw(t, kit, &visit, page, ui.Around{Section: "home", Unread: 2})
			t.Run(name+"."+lang, func(t *testing.T) {
				uitest.Sound(t, html)
				if name != "home" {
					html = uitest.Own(html)
				}
				uitest.Golden(t, name+"."+lang+".html", html, *update)
			})
		}
	}
}
