package web

import (
	"net/http"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// settingsRoutes are those of how somebody signs in.
func (s *Server) settingsRoutes() []ui.Route {
	session := map[string]string{"id": "session"}
	return []ui.Route{
		{Pattern: "GET /settings", Section: "settings", Serve: s.showSettings},
		{Pattern: "GET /settings/password", Section: "settings", Serve: s.showPassword},
		{Pattern: "POST /settings/password", Section: "settings", Serve: s.changePassword},
		{Pattern: "GET /settings/code", Section: "settings", Serve: s.showFactor},
		{Pattern: "POST /settings/code/begin", Section: "settings", Serve: s.enrol},
		{Pattern: "POST /settings/code/on", Section: "settings", Serve: s.confirmFactor},
		{Pattern: "POST /settings/code/off", Section: "settings", Serve: s.dropFactor},
		{Pattern: "POST /settings/code/recovery", Section: "settings", Serve: s.renewRecovery},
		{Pattern: "POST /settings/devices/{id}/end", Section: "settings", Serve: s.endDevice, Names: session},
		{Pattern: "POST /settings/devices/end", Section: "settings", Serve: s.endOtherDevices},
	}
}

// device is one session in the list, and in the JSON of GET /settings.
type device struct {
	ID      string    `json:"id"`
	Device  string    `json:"device"`
	Since   time.Time `json:"since"`
	Seen    time.Time `json:"seen"`
	Current bool      `json:"current"`
}

// settings is what the page shows.
type settings struct {
	Login        string   `json:"login"`
	Language     string   `json:"language"`
	SecondFactor bool     `json:"second_factor"`
	RecoveryLeft int      `json:"recovery_codes_left"`
	Devices      []device `json:"devices"`

	PasswordChanged time.Time `json:"-"`
	Others          bool      `json:"-"`
}

func (s *Server) showSettings(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	security, err := s.Porter.Security(r.Context(), v.Session)
	if err != nil {
		return nil, err
	}
	sessions, err := s.Porter.Sessions(r.Context(), v.Session)
	if err != nil {
		return nil, err
	}
	data := settings{
		Login: security.Login, Language: v.Lang, SecondFactor: security.SecondFactor,
		RecoveryLeft: security.RecoveryLeft, PasswordChanged: security.PasswordChanged,
		Devices: make([]device, 0, len(sessions)),
	}
	for _, session := range sessions {
		d := device{session.ID, session.Device, session.Created, session.Seen, session.ID == v.Session.ID()}
		data.Devices = append(data.Devices, d)
		data.Others = data.Others || !d.Current
	}
	return ui.Page{Template: "settings", Title: "settings.title", Data: data, JSON: data}, nil
}

func (s *Server) endDevice(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	id := r.PathValue("id")
	if err := s.Porter.Revoke(r.Context(), v.Session, id); err != nil {
		return nil, err
	}
	if id == v.Session.ID() {
		return ui.Redirect{To: "/", Notice: "notice.signed-out", Header: cookies(cookie(sessionCookie, "", -1))}, nil
	}
	return ui.Redirect{To: "/settings", Notice: "notice.device-ended"}, nil
}

func (s *Server) endOtherDevices(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	sessions, err := s.Porter.Sessions(r.Context(), v.Session)
	if err != nil {
		return nil, err
	}
	for _, session := range sessions {
		if session.ID == v.Session.ID() {
			continue
		}
		if err := s.Porter.Revoke(r.Context(), v.Session, session.ID); err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
	}
	return ui.Redirect{To: "/settings", Notice: "notice.devices-ended"}, nil
}

// fieldError is one line of the list on top of a form.
type fieldError struct{ ID, Error string }

// form is what a settings form shows: what was wrong, by field.
type form struct {
	Errors []fieldError
	// On says that the second factor is on, Left how many recovery codes there are.
	On   bool
	Left int
}

// Error returns what was wrong with a field, "" for nothing.
func (f form) Error(field string) string {
	for _, e := range f.Errors {
		if e.ID == field {
			return e.Error
		}
	}
	return ""
}

func (s *Server) showPassword(*ui.Visit, *http.Request) (ui.Answer, error) {
	return passwordPage(http.StatusOK), nil
}

func passwordPage(status int, errors ...fieldError) ui.Page {
	return ui.Page{Status: status, Template: "password", Title: "password.title", Data: form{Errors: errors}}
}

func (s *Server) changePassword(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	old, fresh, again := r.PostForm.Get("old"), r.PostForm.Get("new"), r.PostForm.Get("again")
	if fresh != again {
		if v.JSON {
			return nil, fault.New(fault.Invalid, "password-differs")
		}
		return passwordPage(http.StatusUnprocessableEntity, fieldError{"again", v.T("password.differs")}), nil
	}
	err := s.Porter.ChangePassword(r.Context(), v.Session, remote(r), old, fresh)
	if err == nil {
		return ui.Redirect{To: "/settings", Notice: "notice.password-changed"}, nil
	}
	wrong, known := settingError(v, err, "old")
	if !known || v.JSON {
		return nil, err
	}
	if fault.Is(err, fault.Invalid) {
		wrong.ID = "new"
	}
	return passwordPage(ui.Status(err), wrong), nil
}

// settingError says what was wrong with a settings form, if it is something that the
// person can put right. A code's fault is at the field "code", any other at field.
func settingError(v *ui.Visit, err error, field string) (fieldError, bool) {
	reason := fault.Reason(err)
	key := "wrong." + reason
	if !v.Words.Has(key) {
		return fieldError{}, false
	}
	if reason == "code-wrong" {
		field = "code"
	}
	return fieldError{field, v.T(key)}, true
}

// securityOf reads how somebody signs in.
func (s *Server) securityOf(v *ui.Visit, r *http.Request) (porter.Security, error) {
	return s.Porter.Security(r.Context(), v.Session)
}

func (s *Server) showFactor(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	return s.factorPage(v, r, http.StatusOK)
}

// factorPage is the page of the second factor, with the forms for its state.
func (s *Server) factorPage(v *ui.Visit, r *http.Request, status int, errors ...fieldError) (ui.Answer, error) {
	security, err := s.securityOf(v, r)
	if err != nil {
		return nil, err
	}
	data := form{Errors: errors, On: security.SecondFactor, Left: security.RecoveryLeft}
	return ui.Page{Status: status, Template: "factor", Title: "factor.title", Data: data}, nil
}

// enrolment is a second factor shown once.
type enrolment struct {
	form
	account.Enrolment
	Drawing drawing
}

// enrol shows a new second factor. It is an answer to a POST, so that no URL leads
// to the secret and no cache keeps it.
func (s *Server) enrol(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	e, err := s.Porter.Enrol(r.Context(), v.Session, remote(r), r.PostForm.Get("password"))
	if err != nil {
		return s.refuseFactor(v, r, err)
	}
	data := enrolment{Enrolment: e}
	if data.Drawing, err = drawCode(e); err != nil {
		return nil, err
	}
	return ui.Page{
		Template: "factor-begin", Title: "factor.begin", Data: data,
		JSON: map[string]string{"secret": e.Secret, "uri": e.URI},
	}, nil
}

func (s *Server) confirmFactor(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	codes, err := s.Porter.ConfirmFactor(r.Context(), v.Session, r.PostForm.Get("code"))
	switch wrong, known := settingError(v, err, "code"); {
	case err == nil:
		return recoveryPage(codes), nil
	case !known || v.JSON:
		return nil, err
	default: // the secret was shown once: the device has it, or one begins again
		data := enrolment{form: form{Errors: []fieldError{wrong}}}
		return ui.Page{Status: ui.Status(err), Template: "factor-begin", Title: "factor.begin", Data: data}, nil
	}
}

func (s *Server) dropFactor(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	err := s.Porter.DropFactor(r.Context(), v.Session, remote(r), r.PostForm.Get("password"), r.PostForm.Get("code"))
	if err != nil {
		return s.refuseFactor(v, r, err)
	}
	return ui.Redirect{To: "/settings", Notice: "notice.factor-off"}, nil
}

func (s *Server) renewRecovery(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	codes, err := s.Porter.RenewRecovery(r.Context(), v.Session, remote(r), r.PostForm.Get("password"), r.PostForm.Get("code"))
	if err != nil {
		return s.refuseFactor(v, r, err)
	}
	return recoveryPage(codes), nil
}

// recoveryPage shows recovery codes, once.
func recoveryPage(codes []string) ui.Page {
	return ui.Page{
		Template: "recovery", Title: "recovery.title", Data: codes,
		JSON: map[string][]string{"recovery_codes": codes},
	}
}

// refuseFactor shows the page of the second factor again with what was wrong.
func (s *Server) refuseFactor(v *ui.Visit, r *http.Request, err error) (ui.Answer, error) {
	wrong, known := settingError(v, err, "password")
	if !known || v.JSON {
		return nil, err
	}
	return s.factorPage(v, r, ui.Status(err), wrong)
}
