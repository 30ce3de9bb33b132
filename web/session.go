package web

import (
	"net/http"
	"net/netip"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// The cookies of the door. A browser takes a name with __Host- only from this very
// host, over TLS, for every path: no neighbour can plant one.
const (
	sessionCookie  = "__Host-session"
	ticketCookie   = "__Host-ticket"
	languageCookie = "__Host-language"
)

// challenge is what a 401 says (RFC 9110 11.6.1): sign in with the form.
const challenge = `Cookie realm="vaguemestre", form-action="/login", cookie-name="` + sessionCookie + `"`

// cookie makes a cookie; age is in seconds, 0 until the browser is closed, -1 never
// was. Lax, not Strict: a link in a notice leads into the space of who is signed in.
func cookie(name, value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: age,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// resume goes on with the session of a request, if it has one. Over says that it
// had one which has ended.
func (s *Server) resume(w http.ResponseWriter, r *http.Request, v *ui.Visit) (over bool, err error) {
	shown, err := r.Cookie(sessionCookie)
	if err != nil || shown.Value == "" {
		return false, nil
	}
	session, err := s.Porter.Resume(r.Context(), shown.Value)
	switch {
	case fault.Is(err, fault.Denied):
		http.SetCookie(w, cookie(sessionCookie, "", -1))
		return true, nil
	case err != nil:
		return false, err
	}
	sign(v, r, session)
	return false, nil
}

// sign makes a visit that of a session's person.
func sign(v *ui.Visit, r *http.Request, session *porter.WebSession) {
	v.Session, v.Person = session, session.Person()
	v.Reader = reading.Reader{
		By: session.By(), Name: v.Person.Name, Box: session.Box(), Keys: session.Keys(), Via: "web", Conn: v.ID,
		Remote: remote(r),
	}
}

// remote is where a request comes from. X-Forwarded-For is not looked at: whoever
// calls could write it.
func remote(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}
