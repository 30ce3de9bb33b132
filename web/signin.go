package web

import (
	"errors"
	"net/http"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// signInForm is what the sign-in and code pages show.
type signInForm struct {
	Login string
	// Over says that a session had ended; Error is the word key of what was wrong.
	Over  bool
	Error string
}

// signInRoutes are those of coming in and going out.
func (s *Server) signInRoutes() []ui.Route {
	return []ui.Route{
		{Pattern: "GET /login", Public: true, Serve: s.showSignIn},
		{Pattern: "POST /login", Public: true, Serve: s.signIn},
		{Pattern: "POST /logout", Section: "more", Serve: s.signOut},
		{Pattern: "POST /language", Public: true, Serve: s.chooseLanguage},
	}
}

func (s *Server) showSignIn(v *ui.Visit, _ *http.Request) (ui.Answer, error) {
	if v.Signed() {
		return ui.Redirect{To: "/"}, nil
	}
	return signInPage(http.StatusOK, signInForm{}), nil
}

// signInPage asks who comes.
func signInPage(status int, form signInForm) ui.Page {
	p := ui.Page{Status: status, Template: "signin", Title: "signin.title", Door: true, Data: form}
	if status == http.StatusUnauthorized {
		p.Header = http.Header{"Www-Authenticate": {challenge}}
	}
	return p
}

// codePage asks for the second factor. The first step waits in the ticket.
func codePage(form signInForm) ui.Page {
	return ui.Page{
		Status: http.StatusUnauthorized, Template: "code", Title: "code.title", Door: true, Data: form,
		Header: http.Header{"Www-Authenticate": {challenge}},
	}
}

// answerSignIn answers the sign-in page where another one was asked for.
func (s *Server) answerSignIn(w http.ResponseWriter, r *http.Request, v *ui.Visit, status int, form signInForm) {
	err := s.kit.Answer(w, r, v, signInPage(status, form), func() (ui.Around, error) {
		return ui.Around{Notice: ui.TakeNotice(w, r, v.Words)}, nil
	})
	if err != nil {
		s.fail(w, r, v, err)
	}
}

// signIn takes the form of sign-in, both steps: login and password, then a code with
// the ticket of the first step. A program may send all three at once.
func (s *Server) signIn(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	a := porter.WebAttempt{
		Conn: v.ID, Remote: remote(r), Agent: r.UserAgent(),
		Login: r.PostForm.Get("web_login"), Password: r.PostForm.Get("web_password"), Code: r.PostForm.Get("code"),
	}
	if r.TLS != nil {
		a.TLS = *r.TLS
	}
	second := false
	if a.Login == "" && a.Password == "" {
		if shown, err := r.Cookie(ticketCookie); err == nil {
			var t ticket
			if t, second = openTicket(s.Works, shown.Value, s.opts.Clock()); second {
				a.Login, a.Password = t.Login, t.Password
			}
		}
		if !second && r.PostForm.Has("code") { // it took too long: begin again
			return s.refuseSignIn(v, a, false, fault.New(fault.Denied, "login-late"))
		}
	}
	session, err := s.Porter.SignIn(r.Context(), a)
	if err != nil {
		return s.refuseSignIn(v, a, second, err)
	}
	if v.Signed() { // the browser had a session already: it gets this one instead
		if err := s.Porter.SignOut(r.Context(), v.Session); err != nil {
			s.Log.Warn("sign-out.failed", "component", "web", "request", v.ID, "error", err)
		}
	}
	return ui.Redirect{To: "/", Header: cookies(
		cookie(sessionCookie, session.Token().Reveal(), 0), cookie(ticketCookie, "", -1),
	)}, nil
}

// refuseSignIn tells people what they can do, and programs the reason.
func (s *Server) refuseSignIn(v *ui.Visit, a porter.WebAttempt, second bool, err error) (ui.Answer, error) {
	reason := fault.Reason(err)
	switch {
	case reason == "code-required":
		page, failure := s.askForCode(a)
		if failure != nil {
			return nil, failure
		}
		if v.JSON {
			return nil, err
		}
		return page, nil
	case fault.Is(err, fault.Transient), fault.Is(err, fault.Internal):
		return nil, err
	case v.JSON:
		if reason == "login-late" {
			return nil, errors.Join(fault.New(fault.Denied, "login-failed"), err)
		}
		return nil, err
	case second && reason == "login-failed":
		return codePage(signInForm{Error: "code.wrong"}), nil
	}
	form := signInForm{Login: a.Login, Error: "signin.wrong"}
	status := http.StatusUnauthorized
	switch {
	case reason == "login-late":
		form.Error = "signin.late"
	case fault.Is(err, fault.OverQuota):
		form.Error, status = "signin.too-fast", http.StatusTooManyRequests
	}
	page := signInPage(status, form)
	if status == http.StatusTooManyRequests {
		page.Header = http.Header{"Retry-After": {"60"}}
	}
	return page, nil
}

// askForCode keeps the first step in a ticket.
func (s *Server) askForCode(a porter.WebAttempt) (ui.Page, error) {
	text, err := ticket{a.Login, a.Password, s.opts.Clock().Add(ticketAge)}.seal(s.Works)
	if err != nil {
		return ui.Page{}, err
	}
	page := codePage(signInForm{})
	page.Header.Add("Set-Cookie", cookie(ticketCookie, text, int(ticketAge.Seconds())).String())
	return page, nil
}

// signOut ends the session, here and in the browser: what it keeps of our pages goes too.
func (s *Server) signOut(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	if err := s.Porter.SignOut(r.Context(), v.Session); err != nil {
		return nil, err
	}
	header := cookies(cookie(sessionCookie, "", -1), cookie(ticketCookie, "", -1))
	header.Set("Clear-Site-Data", `"cache", "storage"`)
	return ui.Redirect{To: "/", Notice: "notice.signed-out", Header: header}, nil
}

// chooseLanguage keeps the language in a cookie for a year: a browser is one person's
// more often than an account is read in two languages.
func (s *Server) chooseLanguage(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	chosen := r.PostForm.Get("language")
	if chosen != ui.French && chosen != ui.English {
		return nil, fault.New(fault.Invalid, "language-unknown")
	}
	to := "/"
	if v.Signed() {
		to = "/settings"
	}
	return ui.Redirect{To: to, Header: cookies(cookie(languageCookie, chosen, 365*24*3600))}, nil
}

// cookies makes a header of cookies.
func cookies(all ...*http.Cookie) http.Header {
	h := make(http.Header)
	for _, c := range all {
		h.Add("Set-Cookie", c.String())
	}
	return h
}
