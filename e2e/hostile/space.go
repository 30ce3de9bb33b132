package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/wiretest"
)

// space is a patient's own space as a program of theirs sees it. It is safe for
// concurrent use.
type space struct {
	*wiretest.Web
	person demo.Person
}

// document, message and event are what the lists tell.
type document struct {
	ID, Title, Type, Status string
	Origins                 []struct{ Kind, Letter string }
}

type message struct {
	ID, Subject string
	Unread      bool
}

type event struct{ ID, UID, Summary, Start, End, Status, Version string }

// opened is a letter as /messages/ID tells it.
type opened struct {
	Documents   []struct{ Part, Outcome, ID, Reason string }
	Attachments []struct {
		Part, Name, Kind string
		Size             int64
	}
	Invitations []struct{ ID, Summary, Status, Reason string }
	HTML        string
}

// open signs a patient in.
func (f *fixture) open(p demo.Person) (*space, error) {
	web, err := f.browser(f.patients)
	if err != nil {
		return nil, err
	}
	return &space{web, p}, web.SignIn(p.WebLogin, p.WebPassword)
}

// browser is that of a stranger.
func (f *fixture) browser(o demo.Operator) (*wiretest.Web, error) {
	conf, err := clientTLS(f.ready.Authority.CAFile, "", "")
	if err != nil {
		return nil, err
	}
	return wiretest.DialWeb(o.HTTPS, conf)
}

// documents lists the newest documents, at most n.
func (s *space) documents(n int) (all []document, err error) {
	for next := ""; ; {
		var page struct {
			Documents []document
			Next      string
		}
		if err := s.JSON("/documents?category=all&limit=50&before="+url.QueryEscape(next), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Documents...)
		if next = page.Next; next == "" || len(all) >= n {
			return all, nil
		}
	}
}

// of are those documents that a letter brought.
func (s *space) of(letter string) (all []document, err error) {
	newest, err := s.documents(50)
	return slices.DeleteFunc(newest, func(d document) bool {
		return !slices.ContainsFunc(d.Origins, func(o struct{ Kind, Letter string }) bool { return o.Letter == letter })
	}), err
}

func (s *space) events() ([]event, error) {
	var page struct{ Events []event }
	return page.Events, s.JSON("/agenda", &page)
}

// messages lists the letters of a folder, the newest first, at most n.
func (s *space) messages(folder string, n int) (all []message, err error) {
	for next := ""; ; {
		var page struct {
			Messages []message
			Next     string
		}
		if err := s.JSON("/messages?folder="+folder+"&before="+url.QueryEscape(next), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Messages...)
		if next = page.Next; next == "" || len(all) >= n {
			return all, nil
		}
	}
}

// find waits for the letter with a subject.
func (s *space) find(subject string, within time.Duration) (id string, err error) {
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		all, err := s.messages("inbox", 50)
		if err != nil {
			return "", err
		}
		for _, m := range all {
			if strings.Contains(m.Subject, subject) {
				return m.ID, nil
			}
		}
		if time.Now().After(end) {
			return "", nil
		}
	}
}

// counts are how much there is in a space.
func (s *space) counts() (n [3]int, err error) {
	documents, err := s.documents(1)
	if err != nil {
		return n, err
	}
	events, err := s.events()
	if err != nil {
		return n, err
	}
	letters, err := s.messages("inbox", 1)
	return [3]int{len(documents), len(events), len(letters)}, err
}

// ask fetches a page and says how long it took: of three tries the fastest, since this
// machine may have other things to do.
func (s *space) ask(path, accept string, within time.Duration) (p wiretest.Page, best time.Duration, err error) {
	for try := range 3 {
		begin := time.Now()
		if p, err = s.Do(http.MethodGet, path, accept, nil); err != nil {
			return p, 0, err
		}
		if took := time.Since(begin); try == 0 || took < best {
			best = took
		}
		if best <= within {
			break
		}
	}
	return p, best, nil
}

// spaces are the open ones.
type spaces struct {
	f  *fixture
	mu sync.Mutex // guards open
	of map[string]*space
}

func (all *spaces) open(p demo.Person) (*space, error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if s, known := all.of[p.Address]; known {
		return s, nil
	}
	s, err := all.f.open(p)
	if err == nil {
		all.of[p.Address] = s
	}
	return s, err
}
