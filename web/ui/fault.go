package ui

import (
	"net/http"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Status is the door's table from faults to HTTP. Everything that is not there looks
// alike: one who guesses an identifier learns nothing.
func Status(err error) int {
	switch fault.Reason(err) {
	case "not-acceptable":
		return http.StatusNotAcceptable
	case "method-not-allowed":
		return http.StatusMethodNotAllowed
	case "body-too-large":
		return http.StatusRequestEntityTooLarge
	case "body-type":
		return http.StatusUnsupportedMediaType
	case "body-malformed":
		return http.StatusBadRequest
	case "host-unknown":
		return http.StatusMisdirectedRequest
	case "session-needed", "login-failed", "code-required":
		return http.StatusUnauthorized
	}
	switch fault.KindOf(err) {
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Denied:
		return http.StatusForbidden
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.Conflict:
		return http.StatusConflict
	case fault.OverQuota:
		return http.StatusTooManyRequests
	case fault.Transient:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// Problem is what an error is told as, in JSON.
type Problem struct {
	Error struct {
		// Reason is a stable id; ID names the request, for whoever asks us about it.
		Reason string `json:"reason"`
		ID     string `json:"id"`
	} `json:"error"`
}

// failure is what the error page tells.
type failure struct {
	Status int
	// Key is the stem of the word keys: .title and .text.
	Key string
	// Reason is the word key of a sentence about this very reason, "" for none.
	Reason string
	ID     string
}

// Fail answers an error as a page or as JSON. What is said depends on the status and
// on the reason id, never on the error's text.
func (k *Kit) Fail(w http.ResponseWriter, r *http.Request, v *Visit, err error) {
	status := Status(err)
	reason := fault.Reason(err)
	switch status {
	case http.StatusNotFound:
		reason = "not-found" // whatever was looked for
	case http.StatusInternalServerError:
		reason = "internal"
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "30")
	}
	if v.JSON {
		var p Problem
		p.Error.Reason, p.Error.ID = reason, v.ID
		_ = WriteJSON(w, status, p) // two strings: marshalled without fail
		return
	}
	f := failure{Status: status, Key: failureKey(status), ID: v.ID}
	if key := "reason." + reason; v.Words.Has(key) {
		f.Reason = key
	}
	page := Page{Status: status, Template: "error-page", Title: f.Key + ".title", Data: f, Door: true}
	if k.page(w, r, v, page, func() (Around, error) { return Around{}, nil }) != nil {
		http.Error(w, http.StatusText(status), status)
	}
}

// failureKey names the words for a status.
func failureKey(status int) string {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable:
		return "error.gone"
	case http.StatusForbidden, http.StatusMisdirectedRequest, http.StatusUnauthorized:
		return "error.denied"
	case http.StatusTooManyRequests:
		return "error.slow"
	case http.StatusServiceUnavailable:
		return "error.later"
	case http.StatusConflict:
		return "error.changed"
	case http.StatusInternalServerError:
		return "error.ours"
	}
	return "error.input"
}
