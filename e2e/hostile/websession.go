package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/vaguemestre/vaguemestre/wiretest"
)

// sessions plays what keeps somebody signed in.
func sessions() []play {
	return []play{
		on(`pre-set session cookie`, fixation),
		on(`cookie flags`, flags),
		on(`after password`, passwordChange),
		on(`^idle`, idle),
		on(`two session cookies`, twoCookies),
		on(`Cookie header`, longCookie),
		on(`after logout`, afterLogout),
		on(`cache`, caches),
	}
}

const sessionCookie = "__Host-session"

// set is the cookie of that name that a browser keeps of an answer: the last one.
func set(p wiretest.Page, name string) *http.Cookie {
	for _, c := range slices.Backward((&http.Response{Header: p.Header}).Cookies()) {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// signIn makes a new session of a patient in a browser of its own.
func (s *stage) signIn(a *actor, change func(*http.Request)) (*actor, wiretest.Page, error) {
	w := s.stranger()
	p, err := s.send(w, http.MethodPost, "/login", url.Values{"web_login": {a.person.WebLogin}, "web_password": {a.person.WebPassword}}, change)
	if err == nil {
		err = want(p, "sign-in", http.StatusSeeOther)
	}
	other := *a
	other.space = &space{w, a.person}
	return &other, p, err
}

func fixation(s *stage, _ attempt) (string, error) {
	planted := rand.Text() + rand.Text()
	for _, value := range []string{planted, strings.TrimPrefix(s.cookie(s.actors[1]), sessionCookie+"=")} {
		_, p, err := s.signIn(s.actors[0], func(r *http.Request) { r.Header.Set("Cookie", sessionCookie+"="+value) })
		if err != nil {
			return "", err
		}
		if c := set(p, sessionCookie); c == nil || c.Value == value || len(c.Value) < 20 {
			return "", fmt.Errorf("the session that was there before goes on")
		}
	}
	// The second value was the other patient's: their session ends, or goes on as theirs.
	p, err := s.get(s.actors[1], "/messages", "application/json")
	if err != nil {
		return "", err
	}
	if p.Code == http.StatusUnauthorized {
		fresh, _, err := s.signIn(s.actors[1], nil)
		if err != nil {
			return "", err
		}
		*s.actors[1] = *fresh
		devices, err := fresh.devices()
		if err == nil && len(devices) == 0 {
			err = errors.New("a new session has no id")
		}
		if err != nil {
			return "", err
		}
		s.actors[1].session = devices[0]
		return "the session that the browser had before ends", nil
	}
	return "", want(p, "the other patient's session", http.StatusOK)
}

func flags(s *stage, _ attempt) (string, error) {
	_, p, err := s.signIn(s.actors[0], nil)
	if err != nil {
		return "", err
	}
	for _, c := range (&http.Response{Header: p.Header}).Cookies() {
		lax := c.SameSite == http.SameSiteLaxMode || c.SameSite == http.SameSiteStrictMode
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || !lax || c.Path != "/" || c.Domain != "" {
			return "", fmt.Errorf("the cookie %s is set as %s", c.Name, strings.Replace(c.String(), c.Value, "…", 1))
		}
	}
	if set(p, sessionCookie) == nil {
		return "", fmt.Errorf("no session cookie is set")
	}
	return "", nil
}

func passwordChange(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	other, _, err := s.signIn(me, nil)
	if err != nil {
		return "", err
	}
	before := me.person.WebPassword
	fresh := "hostile " + rand.Text()
	p, err := s.send(me.Web, http.MethodPost, "/settings/password", url.Values{"old": {before}, "new": {fresh}, "again": {fresh}}, nil)
	if err == nil {
		err = want(p, "the change of the password", http.StatusSeeOther)
	}
	if err != nil {
		return "", err
	}
	me.person.WebPassword = fresh
	for _, path := range other.reads() {
		p, err := s.get(other, path, "application/json")
		if err == nil {
			err = want(p, "another session after the change", http.StatusUnauthorized)
		}
		if err != nil {
			return "", err
		}
	}
	if p, err = s.get(me, "/messages", "application/json"); err == nil {
		err = want(p, "the session that changed it", http.StatusOK)
	}
	if err != nil {
		return "", err
	}
	p, err = s.send(s.stranger(), http.MethodPost, "/login", url.Values{"web_login": {me.person.WebLogin}, "web_password": {before}}, nil)
	if err == nil {
		err = want(p, "the old password", http.StatusUnauthorized)
	}
	return "there are no passkeys", err
}

func idle(*stage, attempt) (string, error) {
	return "not checked: nobody waits 30 minutes or 12 hours here, and the server's clock is not the runner's", nil
}

func twoCookies(s *stage, _ attempt) (string, error) {
	me, them := s.actors[0], s.actors[1]
	mine, theirs := s.cookie(me), s.cookie(them)
	for _, pair := range [][2]string{{mine, theirs}, {theirs, mine}, {sessionCookie + "=x", mine}} {
		var answers [2]wiretest.Page
		for i, cookies := range []string{pair[0], pair[0] + "; " + pair[1]} {
			var err error
			answers[i], err = s.send(s.stranger(), http.MethodGet, "/messages", nil, func(r *http.Request) {
				r.Header.Set("Cookie", cookies)
				r.Header.Set("Accept", "application/json")
			})
			if err != nil {
				return "", err
			}
		}
		none := answers[1].Code == http.StatusUnauthorized
		first := answers[1].Code == answers[0].Code && bytes.Equal(answers[1].Body, answers[0].Body)
		if !none && !first {
			return "", fmt.Errorf("of two cookies neither the first nor none counts")
		}
	}
	return "", nil
}

func longCookie(s *stage, _ attempt) (string, error) {
	got, err := s.raw("GET /messages HTTP/1.1\r\nHost: " + s.host() + "\r\nCookie: a=" + strings.Repeat("a", 512<<10) + "\r\n\r\n")
	if err != nil {
		return "", err
	}
	if !bytes.HasPrefix(got, []byte("HTTP/1.1 431")) {
		return "", fmt.Errorf("answered %q", clip(string(got)))
	}
	return "", nil
}

func afterLogout(s *stage, _ attempt) (string, error) {
	a, _, err := s.signIn(s.actors[0], nil)
	if err != nil {
		return "", err
	}
	cookie := s.cookie(a)
	for _, path := range a.reads() {
		p, err := s.get(a, path, "text/html")
		if err != nil {
			return "", err
		}
		if !strings.Contains(p.Header.Get("Cache-Control"), "no-store") {
			return "", fmt.Errorf("%s may be kept by the browser", kindOf(path))
		}
	}
	p, err := s.send(a.Web, http.MethodPost, "/logout", url.Values{}, nil)
	if err == nil {
		err = want(p, "sign-out", http.StatusSeeOther)
	}
	if err != nil {
		return "", err
	}
	for _, path := range a.reads() {
		p, err := s.send(s.stranger(), http.MethodGet, path, nil, func(r *http.Request) {
			r.Header.Set("Cookie", cookie)
			r.Header.Set("Accept", "application/json")
		})
		if err == nil {
			err = want(p, "the cookie after sign-out", http.StatusUnauthorized)
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

func caches(s *stage, _ attempt) (string, error) {
	a := s.actors[0]
	for _, accept := range []string{"text/html", "application/json"} {
		for _, path := range append(a.reads(), "/messages/"+nobodys(a.letter)) {
			p, err := s.get(a, path, accept)
			if err != nil {
				return "", err
			}
			control := p.Header.Get("Cache-Control")
			if !strings.Contains(control, "no-store") || !strings.Contains(control, "private") {
				return "", fmt.Errorf("%s has Cache-Control %q", kindOf(path), control)
			}
		}
	}
	for _, path := range []string{"/messages/x.css", "/messages;a.js", "/settings/style.css", "/messages%2Fa.css"} { // deception of caches
		p, err := s.get(a, path, "text/html")
		if err != nil {
			return "", err
		}
		if !strings.Contains(p.Header.Get("Cache-Control"), "no-store") || p.Code == http.StatusOK {
			return "", fmt.Errorf("%s answered %d, Cache-Control %q", path, p.Code, p.Header.Get("Cache-Control"))
		}
	}
	return "", nil
}
