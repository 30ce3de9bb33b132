package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/wiretest"
)

// reach plays one patient's session with the identifiers of another.
func reach() []play {
	return []play{
		on(`^GET .*/messages/\{id2\}/parts`, parts),
		on(`^GET .*/messages/\{id2\}`, letters),
		on(`/documents/\{doc2\}`, documents),
		on(`/move`, moves),
		on(`/audit`, audits),
		on(`^DELETE`, deletes),
		on(`/events/\{ev2\}`, events),
		on(`^PATCH`, patches),
		on(`\?as=`, asAnother),
		on(`batch`, batches),
		on(`^REPORT|/dav/`, dav),
		on(`signed link`, links),
		on(`delegate`, delegates),
		on(`professional of`, professionals),
	}
}

// requestID is what differs between two answers that are the same.
var requestID = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}`)

// closed wants another's to be answered as what nobody has: 404, the same words.
func (s *stage) closed(method, path, theirs string, form url.Values) error {
	me := s.actors[0]
	for _, accept := range []string{"text/html", "application/json"} {
		ask := func(id string) (wiretest.Page, error) {
			return s.send(me.Web, method, strings.ReplaceAll(path, "ID", id), form, func(r *http.Request) { r.Header.Set("Accept", accept) })
		}
		got, err := ask(theirs)
		if err != nil {
			return err
		}
		none, err := ask(nobodys(theirs))
		if err != nil {
			return err
		}
		if got.Code != http.StatusNotFound || none.Code != http.StatusNotFound {
			return fmt.Errorf("%s %s: another's answers %d, nobody's %d", method, path, got.Code, none.Code)
		}
		if !bytes.Equal(requestID.ReplaceAll(got.Body, nil), requestID.ReplaceAll(none.Body, nil)) {
			return fmt.Errorf("%s %s: another's is answered in other words than nobody's", method, path)
		}
	}
	return nil
}

func letters(s *stage, _ attempt) (string, error) {
	theirs := s.actors[1].letter
	for _, path := range []string{"/messages/ID", "/messages/ID/html", "/messages/ID/reply"} {
		if err := s.closed(http.MethodGet, path, theirs, nil); err != nil {
			return "", err
		}
	}
	if err := s.closed(http.MethodGet, "/outcome/ID", s.actors[1].outcome, nil); err != nil {
		return "", err
	}
	gap, err := s.gap("/messages/ID", theirs)
	if err == nil && gap > 5*time.Millisecond { // once more: this machine has other things to do
		gap, err = s.gap("/messages/ID", theirs)
	}
	if err != nil {
		return "", err
	}
	if gap > 5*time.Millisecond { // the folder's figure for telling apart, submission timing
		return "", fmt.Errorf("another's letter takes %v longer or shorter than nobody's", gap)
	}
	return "", nil
}

// gap is the difference of the medians of 30 times each, one after the other.
func (s *stage) gap(path, theirs string) (time.Duration, error) {
	var times [2][]time.Duration
	for range 30 {
		for i, id := range []string{theirs, nobodys(theirs)} {
			begin := time.Now()
			if _, err := s.get(s.actors[0], strings.ReplaceAll(path, "ID", id), "application/json"); err != nil {
				return 0, err
			}
			times[i] = append(times[i], time.Since(begin))
		}
	}
	slices.Sort(times[0])
	slices.Sort(times[1])
	return (times[0][15] - times[1][15]).Abs(), nil
}

func parts(s *stage, _ attempt) (string, error) {
	for _, part := range []string{s.actors[1].part, "1", "2.d0", "2.d0.e1"} {
		if err := s.closed(http.MethodGet, "/messages/ID/parts/"+part, s.actors[1].letter, nil); err != nil {
			return "", err
		}
	}
	return "", nil
}

func documents(s *stage, _ attempt) (string, error) {
	for _, path := range []string{"/documents/ID", "/documents/ID/original", "/documents/ID/embedded/0", "/documents/ID/embedded/self", "/documents/ID/thumbnail"} {
		if err := s.closed(http.MethodGet, path, s.actors[1].document, nil); err != nil {
			return "", err
		}
	}
	return "there are no thumbnails: the document, its original and its parts instead", nil
}

func moves(s *stage, _ attempt) (string, error) {
	return "no letter is moved into a box: trash, restore and unread instead", s.unchanged(func() error {
		for _, verb := range []string{"trash", "restore", "unread", "reply"} {
			if err := s.closed(http.MethodPost, "/messages/ID/"+verb, s.actors[1].letter, url.Values{"text": {"x"}}); err != nil {
				return err
			}
		}
		return s.gone(s.actors[0], http.MethodPost, "/messages/"+s.actors[0].letter+"/move?mailbox="+s.actors[1].letter)
	})
}

func audits(s *stage, _ attempt) (string, error) {
	me, them := s.actors[0], s.actors[1]
	own, err := s.get(me, "/history", "application/json")
	if err != nil {
		return "", err
	}
	for _, about := range []string{them.person.Address, them.person.INS, them.person.WebLogin} {
		p, err := s.get(me, "/history?subject="+url.QueryEscape(about)+"&who="+url.QueryEscape(about), "application/json")
		if err != nil {
			return "", err
		}
		if !bytes.Equal(p.Body, own.Body) {
			return "", errors.New("/history answers otherwise about another")
		}
	}
	return "the history has no parameter for somebody: it stays one's own", s.gone(me, http.MethodGet, "/audit?subject="+url.QueryEscape(them.person.Address), "/api/audit")
}

func deletes(s *stage, _ attempt) (string, error) {
	me, them := s.actors[0], s.actors[1]
	return "nothing is deleted by this method", s.unchanged(func() error {
		return s.gone(me, http.MethodDelete, "/messages/"+them.letter, "/messages/"+me.letter, "/documents/"+them.document, "/agenda/"+them.event)
	})
}

func events(s *stage, _ attempt) (string, error) {
	return "", s.unchanged(func() error {
		for _, path := range []string{"/agenda/ID", "/agenda/ID/ics"} {
			if err := s.closed(http.MethodGet, path, s.actors[1].event, nil); err != nil {
				return err
			}
		}
		return s.closed(http.MethodPost, "/agenda/ID/answer", s.actors[1].event, url.Values{"answer": {"accept"}})
	})
}

func patches(s *stage, _ attempt) (string, error) {
	me, them := s.actors[0], s.actors[1]
	name := url.PathEscape(them.person.Address)
	return "no counterpart: nobody is named by a path (404); another's session instead", s.unchanged(func() error {
		for _, method := range []string{http.MethodPatch, http.MethodPut, http.MethodPost, http.MethodGet} {
			if err := s.gone(me, method, "/users/"+name, "/api/users/"+name, "/settings/"+name); err != nil {
				return err
			}
		}
		return s.closed(http.MethodPost, "/settings/devices/ID/end", them.session, nil)
	})
}

func asAnother(s *stage, _ attempt) (string, error) {
	me, them := s.actors[0], s.actors[1]
	for _, path := range []string{"/messages/" + me.letter, "/messages", "/documents", "/agenda", "/settings"} {
		own, err := s.get(me, path, "application/json")
		if err != nil {
			return "", err
		}
		for _, name := range []string{"as", "user", "subject", "box", "space"} {
			p, err := s.get(me, path+"?"+name+"="+url.QueryEscape(them.person.Address), "application/json")
			if err != nil {
				return "", err
			}
			if p.Code != own.Code || !bytes.Equal(seenField.ReplaceAll(p.Body, nil), seenField.ReplaceAll(own.Body, nil)) {
				return "", fmt.Errorf("%s answers otherwise with ?%s=", kindOf(path), name)
			}
		}
	}
	return "", nil
}

// seenField is when a session was seen last.
var seenField = regexp.MustCompile(`"seen":"[^"]*"`)

func batches(s *stage, _ attempt) (string, error) {
	me, them := s.actors[0], s.actors[1]
	if err := s.gone(me, http.MethodPost, "/graphql", "/api/graphql", "/batch", "/api/batch"); err != nil {
		return "", err
	}
	for _, path := range []string{me.letter + "," + them.letter, me.letter + "%20" + them.letter, me.letter + "%2F" + them.letter, me.letter + "?letter=" + them.letter} {
		p, err := s.get(me, "/messages/"+path, "application/json")
		if err != nil {
			return "", err
		}
		if bytes.Contains(p.Body, []byte(them.letter)) || p.Code != http.StatusNotFound && !strings.Contains(path, "?") {
			return "", fmt.Errorf("two letters in one path answered %d", p.Code)
		}
	}
	return "no counterpart: one request names one item; two in one path are none", nil
}

func dav(s *stage, _ attempt) (string, error) {
	me, them := s.actors[0], s.actors[1]
	for _, method := range []string{"REPORT", "PROPFIND", http.MethodGet} {
		if err := s.gone(me, method, "/dav/"+url.PathEscape(me.person.Address)+"/", "/dav/"+url.PathEscape(them.person.Address)+"/", "/.well-known/caldav"); err != nil {
			return "", err
		}
	}
	return "no counterpart: no DAV is spoken (404)", nil
}

func links(s *stage, _ attempt) (string, error) {
	them := s.actors[1]
	path := "/messages/" + them.letter + "/parts/" + them.part
	p, err := s.get(them, path, "")
	if err == nil {
		err = want(p, "one's own file", http.StatusOK)
	}
	if err != nil {
		return "", err
	}
	if err := s.closed(http.MethodGet, "/messages/ID/parts/"+them.part, them.letter, nil); err != nil {
		return "", err
	}
	if p, err = s.send(s.stranger(), http.MethodGet, path, nil, nil); err == nil {
		err = want(p, "the file without a session", http.StatusUnauthorized)
	}
	return "no link is signed: the address opens nothing without the session (401), nor with another's (404)", err
}

func delegates(s *stage, _ attempt) (string, error) {
	me, them := s.actors[0], s.actors[1]
	for _, folder := range []string{url.QueryEscape(them.person.Address), "Drafts", "../inbox", them.letter} {
		p, err := s.get(me, "/messages?folder="+folder, "application/json")
		if err == nil {
			err = want(p, "a folder that is none", http.StatusNotFound)
		}
		if err != nil {
			return "", err
		}
	}
	return "no counterpart: nobody reads for somebody else; the list has three folders, any other is 404", s.gone(me, http.MethodGet, "/delegates", "/settings/delegates", "/shared")
}

func professionals(s *stage, _ attempt) (string, error) {
	c := s.c
	for _, at := range c.f.ready.Operators {
		w, err := c.f.browser(at)
		if err != nil {
			return "", err
		}
		for _, p := range []string{c.f.hospital.Boxes[0].Login, c.f.hospital.Boxes[0].Address} {
			form := url.Values{"web_login": {p}, "web_password": {c.f.hospital.Boxes[0].Password}}
			got, err := s.send(w, http.MethodPost, "/login", form, nil)
			if err == nil {
				err = want(got, "a professional's sign-in at "+at.Name, http.StatusUnauthorized)
			}
			if err != nil {
				return "", err
			}
		}
		for _, path := range []string{"/documents", "/documents/" + s.actors[0].document, "/history"} {
			got, err := s.send(w, http.MethodGet, path, nil, nil)
			if err == nil {
				err = want(got, kindOf(path)+" of "+at.Name, http.StatusUnauthorized)
			}
			if err != nil {
				return "", err
			}
		}
	}
	return "no counterpart: a professional has no way into any file; sign-in is refused", nil
}
