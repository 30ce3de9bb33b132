package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/vaguemestre/vaguemestre/web/ui/uitest"
)

func TestComingInAndGoingOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.patient("jeanne")
	b := w.browser()
	door := b.get("/").want(t, http.StatusOK, "web_login", "web_password")
	uitest.Sound(t, door.text)
	b.get("/settings").want(t, http.StatusUnauthorized, "web_login")
	b.json("/").want(t, http.StatusUnauthorized, `{"error":{"reason":"session-needed","id":"`)

	wrong := b.post("/login", "web_login", "jeanne", "web_password", "x").want(t, http.StatusUnauthorized, "ne vont pas ensemble", `value="jeanne"`)
	uitest.Sound(t, wrong.text)
	if strings.Contains(wrong.text, `value="x"`) || wrong.cookie("__Host-session") != nil {
		t.Error("a password in the page, or a session for nothing")
	}
	b.do(http.MethodPost, "/login", form("web_login", "nobody", "web_password", "x"), wantJSON).
		want(t, http.StatusUnauthorized, `"reason":"login-failed"`)

	in := b.post("/login", "web_login", "jeanne", "web_password", password).want(t, http.StatusSeeOther)
	c := in.cookie("__Host-session")
	if in.Header.Get("Location") != "/" || c == nil || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(c.Value) < 40 {
		t.Fatalf("the session: %q, to %q", c, in.Header.Get("Location"))
	}
	b.get("/").want(t, http.StatusOK, "Bonjour Jeanne", "<title>Accueil · Jeanne</title>")
	b.get("/login").want(t, http.StatusSeeOther)

	out := b.post("/logout").want(t, http.StatusSeeOther)
	if clear := out.Header.Get("Clear-Site-Data"); !strings.Contains(clear, `"cache"`) || out.cookie("__Host-session").MaxAge >= 0 {
		t.Errorf("what stays after signing out: %q", clear)
	}
	b.get("/").want(t, http.StatusOK, "Vous êtes déconnecté", "web_login")
	if again := b.get("/"); strings.Contains(again.text, "Vous êtes déconnecté") {
		t.Error("a notice is said once")
	}
	late := b.do(http.MethodGet, "/settings", "", func(r *http.Request) { r.AddCookie(c) })
	late.want(t, http.StatusUnauthorized, "Votre visite est terminée")
}

// Hostile vectors session-S0 (fixation), session-S4 (two cookies).
func TestASessionIsAlwaysFresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.patient("jeanne")
	b := w.browser()
	planted := &http.Cookie{Name: "__Host-session", Value: strings.Repeat("A", 43)}
	in := b.do(http.MethodPost, "/login", form("web_login", "jeanne", "web_password", password), func(r *http.Request) { r.AddCookie(planted) })
	first := in.cookie("__Host-session")
	for _, c := range in.Cookies() {
		if c.Name == "__Host-session" && c.MaxAge >= 0 {
			first = c
		}
	}
	if first == nil || first.Value == planted.Value || first.Value == "" {
		t.Fatalf("the session: %v", first)
	}
	again := b.post("/login", "web_login", "jeanne", "web_password", password).cookie("__Host-session")
	if again == nil || again.Value == first.Value {
		t.Error("the second sign-in has the first one's token")
	}
	b2 := w.browser()
	b2.do(http.MethodGet, "/settings", "", func(r *http.Request) { r.AddCookie(first) }).want(t, http.StatusUnauthorized)
	b2.do(http.MethodGet, "/settings", "", func(r *http.Request) { r.AddCookie(planted); r.AddCookie(again) }).want(t, http.StatusUnauthorized)
	b2.do(http.MethodGet, "/settings", "", func(r *http.Request) { r.AddCookie(again); r.AddCookie(planted) }).want(t, http.StatusOK)
}

// Hostile vector session-S3: 30 minutes idle, 12 hours in all.
func TestASessionEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.patient("jeanne")
	b := w.signedIn("jeanne")
	for range 20 {
		w.clock.Advance(25 * time.Minute)
		b.get("/more").want(t, http.StatusOK)
	}
	w.clock.Advance(31 * time.Minute)
	b.get("/more").want(t, http.StatusUnauthorized, "Votre visite est terminée")
	b = w.signedIn("jeanne")
	for range 30 {
		w.clock.Advance(25 * time.Minute)
		if a := b.json("/settings"); a.StatusCode != http.StatusOK {
			return
		}
	}
	t.Error("a session of twelve hours and a half")
}

func TestASecondFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.patient("jeanne")
	b, other := w.signedIn("jeanne"), w.signedIn("jeanne")
	uitest.Sound(t, b.get("/settings/code").want(t, http.StatusOK).text)
	b.post("/settings/code/begin", "password", "x").want(t, http.StatusForbidden, "pas votre mot de passe", `aria-invalid="true"`)
	shown := b.post("/settings/code/begin", "password", password).want(t, http.StatusOK, "<svg class=\"qr\"")
	uitest.Sound(t, shown.text)
	_, rest, _ := strings.Cut(shown.text, `<p class="secret">`)
	secret, _, _ := strings.Cut(rest, "<")
	code := func() string {
		c, err := totp.GenerateCode(secret, w.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	uitest.Sound(t, b.post("/settings/code/on", "code", "000000").want(t, http.StatusForbidden, "Attendez le suivant").text)
	on := b.post("/settings/code/on", "code", code()).want(t, http.StatusOK, "codes de secours")
	uitest.Sound(t, on.text)
	_, rest, _ = strings.Cut(on.text, `<li class="secret">`)
	recovery, _, _ := strings.Cut(rest, "<")
	other.get("/more").want(t, http.StatusUnauthorized) // hostile vector session-S2
	b.get("/settings").want(t, http.StatusOK, "Un code est demandé")

	// Both steps, with the password in no page.
	w.clock.Advance(time.Minute)
	b = w.browser()
	ask := b.post("/login", "web_login", "jeanne", "web_password", password).want(t, http.StatusUnauthorized, `autocomplete="one-time-code"`)
	uitest.Sound(t, ask.text)
	ticket := ask.cookie("__Host-ticket")
	if ticket == nil || !ticket.Secure || !ticket.HttpOnly || ticket.MaxAge > 600 || strings.Contains(ask.text, password) {
		t.Fatalf("the ticket: %v", ticket)
	}
	if plain, _ := url.QueryUnescape(ticket.Value); strings.Contains(plain, "mots") {
		t.Error("the ticket is readable")
	}
	b.get("/more").want(t, http.StatusUnauthorized)
	b.post("/login", "code", "000000").want(t, http.StatusUnauthorized, "Ce code ne va pas")
	b.post("/login", "code", code()).want(t, http.StatusSeeOther)
	b.get("/more").want(t, http.StatusOK)

	// A program sends everything at once; a code is good once.
	w.clock.Advance(time.Minute)
	p := w.browser()
	p.do(http.MethodPost, "/login", form("web_login", "jeanne", "web_password", password), wantJSON).want(t, http.StatusUnauthorized, `"reason":"code-required"`)
	now := code()
	p.post("/login", "web_login", "jeanne", "web_password", password, "code", now).want(t, http.StatusSeeOther)
	w.browser().post("/login", "web_login", "jeanne", "web_password", password, "code", now).want(t, http.StatusUnauthorized)
	w.browser().post("/login", "web_login", "jeanne", "web_password", password, "code", recovery).want(t, http.StatusSeeOther)

	// A ticket does not wait for ever, and is nobody else's to make.
	late := w.browser()
	late.post("/login", "web_login", "jeanne", "web_password", password).want(t, http.StatusUnauthorized)
	w.clock.Advance(6 * time.Minute)
	late.post("/login", "code", code()).want(t, http.StatusUnauthorized, "trop longtemps")
	w.browser().do(http.MethodPost, "/login", form("code", code()), func(r *http.Request) {
		r.AddCookie(&http.Cookie{Name: "__Host-ticket", Value: "bm9ib2R5"})
	}).want(t, http.StatusUnauthorized, "trop longtemps")

	b.post("/settings/code/recovery", "password", password, "code", "000000").want(t, http.StatusForbidden, "Attendez le suivant")
	b.post("/settings/code/recovery", "password", password, "code", code()).want(t, http.StatusOK, "codes de secours")
	w.clock.Advance(time.Minute)
	b.post("/settings/code/off", "password", password, "code", code()).want(t, http.StatusSeeOther)
	w.signedIn("jeanne")
}

func TestTooManyTries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.patient("jeanne")
	b := w.browser()
	for range 40 {
		a := b.post("/login", "web_login", "jeanne", "web_password", "x")
		if a.StatusCode == http.StatusTooManyRequests {
			a.want(t, http.StatusTooManyRequests, "Attendez une minute")
			if a.Header.Get("Retry-After") == "" {
				t.Error("nothing says when to come back")
			}
			b.do(http.MethodPost, "/login", form("web_login", "jeanne", "web_password", "x"), wantJSON).
				want(t, http.StatusTooManyRequests, `"reason":"too-fast"`)
			return
		}
		a.want(t, http.StatusUnauthorized)
	}
	t.Error("forty tries")
}

// Hostile vector session-S2: the other sessions end with the password.
func TestAnotherPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.patient("jeanne")
	b, other := w.signedIn("jeanne"), w.signedIn("jeanne")
	const fresh = "encore quatre autres mots"
	for _, row := range []struct {
		old, new, again string
		status          int
		says            string
	}{
		{password, fresh, "autre", http.StatusUnprocessableEntity, "pas pareils"},
		{"x", fresh, fresh, http.StatusForbidden, "pas votre mot de passe"},
		{password, "court", "court", http.StatusUnprocessableEntity, "trop court"},
		{password, strings.Repeat("x", 300), strings.Repeat("x", 300), http.StatusUnprocessableEntity, "trop long"},
		{password, "jeanne jeanne jeanne", "jeanne jeanne jeanne", http.StatusUnprocessableEntity, "facile"},
	} {
		a := b.post("/settings/password", "old", row.old, "new", row.new, "again", row.again).want(t, row.status, row.says, `aria-invalid="true"`)
		uitest.Sound(t, a.text)
	}
	b.post("/settings/password", "old", password, "new", fresh, "again", fresh).want(t, http.StatusSeeOther)
	b.get("/settings").want(t, http.StatusOK, "Votre mot de passe est changé")
	other.get("/settings").want(t, http.StatusUnauthorized)
	w.browser().post("/login", "web_login", "jeanne", "web_password", password).want(t, http.StatusUnauthorized)
	w.browser().post("/login", "web_login", "jeanne", "web_password", fresh).want(t, http.StatusSeeOther)
}

func TestDevices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.patient("jeanne")
	b, other, third := w.signedIn("jeanne"), w.signedIn("jeanne"), w.signedIn("jeanne")
	type settings struct {
		Devices []struct {
			ID      string
			Current bool
		}
	}
	list := facts[settings](t, b.json("/settings")).Devices
	if len(list) != 3 {
		t.Fatalf("%d devices, want 3", len(list))
	}
	uitest.Sound(t, b.get("/settings").text)
	mine := facts[settings](t, other.json("/settings")).Devices
	for _, d := range mine {
		if d.Current {
			b.post("/settings/devices/"+d.ID+"/end").want(t, http.StatusSeeOther)
		}
	}
	other.get("/settings").want(t, http.StatusUnauthorized)
	third.get("/settings").want(t, http.StatusOK)
	b.post("/settings/devices/end").want(t, http.StatusSeeOther)
	third.get("/settings").want(t, http.StatusUnauthorized)
	b.get("/settings").want(t, http.StatusOK)
}
