package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/vaguemestre/vaguemestre/wiretest"
)

// forgery plays what a page of another site makes a patient's browser send.
func forgery() []play {
	return []play{
		on(`^Origin: null`, foreign),
		on(`session cookie, Origin: `, foreign),
		on(`text/plain body`, plainBody),
		on(`GET on a state-changing route`, getChanges),
		on(`Method-Override`, override),
		on(`token of session A`, noTokens),
		on(`top-level GET`, topLevel),
		on(`WebSocket|SSE`, streams),
	}
}

var originIn = regexp.MustCompile(`Origin: ([^\s,;]+)`)

// foreign sends every change with the origin that the case names, and as a browser that
// says where the request comes from.
func foreign(s *stage, a attempt) (string, error) {
	origin := "null"
	if m := originIn.FindStringSubmatch(a.Do); m != nil {
		origin = m[1]
	}
	me := s.actors[0]
	return "", s.unchanged(func() error {
		for _, ch := range me.changes() {
			for name, change := range map[string]func(*http.Request){
				"Origin":         func(r *http.Request) { r.Header.Set("Origin", origin) },
				"Sec-Fetch-Site": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
				"both": func(r *http.Request) {
					r.Header.Set("Origin", origin)
					r.Header.Set("Sec-Fetch-Site", "cross-site")
					r.Header.Set("Sec-Fetch-Mode", "navigate")
				},
			} {
				p, err := s.send(me.Web, http.MethodPost, ch.path, ch.form, change)
				if err != nil {
					return err
				}
				if err := want(p, fmt.Sprintf("POST %s with %s", kindOf(ch.path), name), http.StatusForbidden); err != nil {
					return err
				}
			}
		}
		// Nor may another site sign the browser in as somebody else.
		login := url.Values{"web_login": {me.person.WebLogin}, "web_password": {me.person.WebPassword}}
		p, err := s.send(s.stranger(), http.MethodPost, "/login", login, func(r *http.Request) { r.Header.Set("Origin", origin) })
		if err != nil {
			return err
		}
		return want(p, "POST /login", http.StatusForbidden)
	})
}

// stranger is a browser without a session.
func (s *stage) stranger() *wiretest.Web {
	w, err := s.c.f.browser(s.c.f.patients)
	if err != nil {
		panic(err) // the authority's file was read before
	}
	return w
}

// plainBody sends JSON as text, which a form of another site can.
func plainBody(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	return "", s.unchanged(func() error {
		for _, ch := range me.changes() {
			p, err := s.send(me.Web, http.MethodPost, ch.path, url.Values{}, func(r *http.Request) {
				r.Header.Set("Content-Type", "text/plain")
				body := []byte(`{"text":"x","answer":"decline"}`)
				r.Body, r.ContentLength = bodyOf(body), int64(len(body))
			})
			if err != nil {
				return err
			}
			if err := want(p, "POST "+kindOf(ch.path)+" of text/plain", http.StatusForbidden, http.StatusUnsupportedMediaType); err != nil {
				return err
			}
		}
		return nil
	})
}

// getChanges asks for the changes with GET.
func getChanges(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	return "", s.unchanged(func() error {
		for _, ch := range me.changes() {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				p, err := s.send(me.Web, method, ch.path+"?"+ch.form.Encode(), nil, nil)
				if err != nil {
					return err
				}
				if p.Code == http.StatusOK && (strings.HasSuffix(ch.path, "/reply") || ch.path == "/settings/password") {
					continue // the form itself
				}
				if err := want(p, method+" "+kindOf(ch.path), http.StatusMethodNotAllowed); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// override asks for another method in a header.
func override(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	return "", s.unchanged(func() error {
		for _, name := range []string{"X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"} {
			for _, path := range []string{"/messages/" + me.letter, "/documents/" + me.document, "/agenda/" + me.event} {
				p, err := s.send(me.Web, http.MethodGet, path+"?_method=DELETE", nil, func(r *http.Request) { r.Header.Set(name, http.MethodDelete) })
				if err != nil {
					return err
				}
				if err := want(p, "GET "+kindOf(path), http.StatusOK); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

var hiddenField = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`)

// noTokens shows that no form has a token: the browser's own word about where a request
// comes from counts.
func noTokens(s *stage, _ attempt) (string, error) {
	names := make(map[string]bool)
	for _, path := range s.actors[0].reads() {
		p, err := s.get(s.actors[0], path, "text/html")
		if err != nil {
			return "", err
		}
		for _, field := range hiddenField.FindAllString(string(p.Body), -1) {
			if m := regexp.MustCompile(`name="([^"]*)"`).FindStringSubmatch(field); m != nil {
				names[m[1]] = true
			}
		}
	}
	for name := range names {
		if strings.Contains(name, "csrf") || strings.Contains(name, "token") {
			return "", fmt.Errorf("a form has the field %q, which this runner does not play", name)
		}
	}
	return fmt.Sprintf("no counterpart: no form has a token (hidden fields: %s); Origin and Sec-Fetch-Site decide", listOf(names)), nil
}

// topLevel follows links of another site, as a person's click does.
func topLevel(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	cross := func(r *http.Request) {
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Dest", "document")
	}
	for _, path := range me.reads() { // what a page itself marks as read is read before
		if _, err := s.get(me, path, "text/html"); err != nil {
			return "", err
		}
	}
	err := s.unchanged(func() error {
		for _, path := range me.reads() {
			p, err := s.send(me.Web, http.MethodGet, path, nil, cross)
			if err != nil {
				return err
			}
			if err := want(p, "GET "+kindOf(path), http.StatusOK); err != nil {
				return err
			}
		}
		for _, ch := range me.changes() {
			p, err := s.send(me.Web, http.MethodGet, ch.path, nil, cross)
			if err != nil {
				return err
			}
			if p.Code != http.StatusMethodNotAllowed && p.Code != http.StatusOK {
				return fmt.Errorf("GET %s answered %d", kindOf(ch.path), p.Code)
			}
		}
		return nil
	})
	return "opening a letter marks it as read whoever's link led there, once: its id is not to be guessed", err
}

// streams asks for the stream of events, and for a socket, from another site.
func streams(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	p, err := s.send(me.Web, http.MethodGet, "/live", nil, func(r *http.Request) {
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set("Origin", "https://evil.example")
	})
	if err != nil {
		return "", err
	}
	if err := want(p, "GET /live of another origin", http.StatusForbidden); err != nil {
		return "", err
	}
	for _, path := range []string{"/live", "/", "/messages"} {
		answer, err := s.raw("GET " + path + " HTTP/1.1\r\nHost: " + s.host() + "\r\nCookie: " + s.cookie(me) +
			"\r\nOrigin: https://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
		if err != nil {
			return "", err
		}
		if bytes.HasPrefix(answer, []byte("HTTP/1.1 101")) {
			return "", errors.New("a socket was opened")
		}
		if path == "/live" && !bytes.HasPrefix(answer, []byte("HTTP/1.1 403")) {
			return "", fmt.Errorf("the stream answered %q", clip(string(answer)))
		}
	}
	return "", nil
}
