package web

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	harden(w.Header())
	if len(r.TransferEncoding) > 0 {
		// RFC 9112 6.1: a connection ends after a request with a Content-Length beside its
		// Transfer-Encoding, since two readers may see its end in different places. net/http
		// drops the former without a word, so every chunked request is the last.
		w.Header().Set("Connection", "close")
	}
	switch {
	case r.URL.Path == "/healthz" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		s.health(w, r) // balancers ask by address
		return
	}
	v := s.stranger(r)
	defer s.recovered(w, r, v)
	if err := s.guard(r); err != nil {
		s.fail(w, r, v, err)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/static/") && r.Method == http.MethodGet && s.kit.ServeStatic(w, r) {
		return
	}
	if err := s.matches(w, r); err != nil {
		s.fail(w, r, v, err)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// matches reports whether a route answers the path and the method. ServeMux would
// answer by itself, in English and without our headers, and redirect to a cleaner path.
func (s *Server) matches(w http.ResponseWriter, r *http.Request) error {
	clean := path.Clean("/" + r.URL.Path)
	if clean != "/" && strings.HasSuffix(r.URL.Path, "/") {
		clean += "/"
	}
	if clean != r.URL.Path {
		return fault.New(fault.NotFound, "page-unknown")
	}
	handler, pattern := s.mux.Handler(r)
	if pattern != "" {
		return nil
	}
	why := &verdict{header: make(http.Header)}
	handler.ServeHTTP(why, r)
	if why.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", why.header.Get("Allow"))
		return fault.New(fault.Invalid, "method-not-allowed")
	}
	return fault.New(fault.NotFound, "page-unknown")
}

// verdict takes what ServeMux would have answered.
type verdict struct {
	header http.Header
	status int
}

func (v *verdict) Header() http.Header         { return v.header }
func (v *verdict) WriteHeader(status int)      { v.status = status }
func (v *verdict) Write(p []byte) (int, error) { return len(p), nil }

// stranger makes the visit of somebody who has shown nothing yet.
func (s *Server) stranger(r *http.Request) *ui.Visit {
	chosen := ""
	if cookie, err := r.Cookie(languageCookie); err == nil {
		chosen = cookie.Value
	}
	lang := ui.Language(chosen, r)
	return &ui.Visit{
		Lang: lang, Words: s.kit.Words(lang), JSON: ui.WantsJSON(r),
		Now: s.opts.Clock().In(s.opts.Zone), ID: newRequestID(),
	}
}

// newRequestID returns eight letters and digits, in two groups that can be said on
// the telephone.
func newRequestID() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails
	text := base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").EncodeToString(b[:])
	return text[:4] + "-" + text[4:]
}

// serve answers a route: who comes, what was sent, what is answered.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, route ui.Route) {
	v := s.stranger(r)
	if route.Stream && foreign(r) {
		s.fail(w, r, v, fault.New(fault.Denied, "foreign-origin"))
		return
	}
	over, err := s.resume(w, r, v)
	switch {
	case err != nil:
		s.fail(w, r, v, err)
		return
	case !v.Signed() && !route.Public:
		s.askToSignIn(w, r, v, route, over)
		return
	}
	if route.Body > formSize && v.Signed() {
		if !s.uploads.enter(v.Session.ID()) {
			s.fail(w, r, v, fault.New(fault.OverQuota, "too-many-uploads"))
			return
		}
		defer s.uploads.leave(v.Session.ID())
	}
	if err := readBody(w, r, route); err != nil {
		s.fail(w, r, v, err)
		return
	}
	answer, err := route.Serve(v, r)
	if err == nil {
		err = s.kit.Answer(w, r, v, answer, func() (ui.Around, error) { return s.around(w, r, v, route.Section) })
	}
	switch {
	case err == nil, r.Context().Err() != nil:
	case route.Stream && answer != nil: // its headers are on the wire
		s.Log.Error("stream.failed", "component", "web", "request", v.ID, "route", r.Pattern, "error", err)
	default:
		s.fail(w, r, v, err)
	}
}

// askToSignIn refuses a stranger: never by a redirect, so that a program sees what
// it did not get. The home page is the place where people are expected.
func (s *Server) askToSignIn(w http.ResponseWriter, r *http.Request, v *ui.Visit, route ui.Route, over bool) {
	if v.JSON || route.Stream {
		v.JSON = true
		w.Header().Set("WWW-Authenticate", challenge)
		s.kit.Fail(w, r, v, fault.New(fault.Denied, "session-needed"))
		return
	}
	form := signInForm{Over: over}
	status := http.StatusUnauthorized
	if route.Pattern == homePattern {
		status = http.StatusOK
	}
	s.answerSignIn(w, r, v, status, form)
}

// around is what the shell tells besides the page.
func (s *Server) around(w http.ResponseWriter, r *http.Request, v *ui.Visit, section string) (ui.Around, error) {
	a := ui.Around{Section: section, Notice: ui.TakeNotice(w, r, v.Words)}
	if !v.Signed() {
		return a, nil
	}
	unread, err := s.unread(r, v)
	a.Unread = unread
	return a, err
}

// unread counts the letters of the inbox that were not opened.
func (s *Server) unread(r *http.Request, v *ui.Visit) (int, error) {
	var unseen int64
	err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
		inbox, err := mailbox.FolderByRole(tx, v.Reader.Box.ID, mailbox.Inbox)
		unseen = inbox.Unseen
		return err
	})
	return int(unseen), err
}

// fail answers an error and logs what is ours.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, v *ui.Visit, err error) {
	err = readingFault(err)
	status := ui.Status(err)
	switch {
	case r.Context().Err() != nil:
		return // nobody is there any more
	case status >= http.StatusInternalServerError:
		s.Log.Error("request.failed", "component", "web", "request", v.ID, "route", r.Pattern, "status", status, "error", err)
	default:
		s.Log.Debug("request.refused", "component", "web", "request", v.ID, "route", r.Pattern, "status", status, "reason", fault.Reason(err))
		s.auditRefusal(r, v, err)
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	s.kit.Fail(w, r, v, err)
}

// readingFault gives the errors of reading a body their kind, wherever a route met them.
func readingFault(err error) error {
	if fault.KindOf(err) != fault.Internal {
		return err
	}
	if sent := bodyFault(err); ui.Status(sent) == http.StatusRequestEntityTooLarge {
		return sent
	}
	return err
}

// recovered answers a panic, which is our own bug, as an internal error.
func (s *Server) recovered(w http.ResponseWriter, r *http.Request, v *ui.Visit) {
	switch what := recover(); what {
	case nil:
	case http.ErrAbortHandler:
		panic(what)
	default:
		s.fail(w, r, v, fmt.Errorf("panic: %v", what))
	}
}
