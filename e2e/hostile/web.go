package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// attempt is one case of a list for the web.
type attempt struct {
	ID     string
	Do     string
	Param  string
	URL    string
	Expect string
}

// text is what the case says that it does.
func (a attempt) text() string { return a.Do + a.Param + a.URL }

// play plays the cases whose text matches. The remark says what was played instead,
// why there is nothing to play, or what could not be checked; empty for nothing.
type play struct {
	match *regexp.Regexp
	run   func(s *stage, a attempt) (remark string, err error)
}

func on(pattern string, run func(*stage, attempt) (string, error)) play {
	return play{regexp.MustCompile(`(?i)` + pattern), run}
}

// plays are the plays of a list, by the last element of the vector's class.
func plays(class string) []play {
	switch class[strings.LastIndexByte(class, '.')+1:] {
	case "csrf":
		return forgery()
	case "idor":
		return reach()
	case "ssrf":
		return fetching()
	case "redirect":
		return []play{on("", redirects)}
	case "headers":
		return headers()
	case "session":
		return sessions()
	case "upload":
		return uploads()
	}
	return nil
}

// webCases plays the lists of cases for the web.
func (c *court) webCases(vectors []vector) (all []result, err error) {
	if len(vectors) == 0 {
		return nil, nil
	}
	since := time.Now()
	s, err := c.furnish()
	if err != nil {
		return nil, fmt.Errorf("furnish two patients' spaces: %w", err)
	}
	if err := c.w.calm(); err != nil {
		return nil, err
	}
	verdicts := make([]verdict, len(vectors))
	for i, v := range vectors {
		verdicts[i] = c.list(s, v)
	}
	if err := c.inside(since, s.answers); err != nil {
		for i, v := range vectors {
			if v.holds("no-outside") && verdicts[i].err == nil {
				verdicts[i].err = err
			}
		}
	}
	for i, v := range vectors {
		all = append(all, report(v, verdicts[i]))
	}
	return all, nil
}

// list plays one list.
func (c *court) list(s *stage, v vector) (got verdict) {
	before, err := c.w.look()
	if err == nil {
		err = c.w.resetPeak()
	}
	if err != nil {
		return verdict{err: err}
	}
	begin := time.Now()
	s.refused = 0
	var failed []error
	for _, a := range v.cases {
		remark, err := c.attempt(s, v, a)
		if err != nil {
			failed = append(failed, err)
		} else if remark != "" {
			got.notes = append(got.notes, short(a.ID)+" "+remark)
		}
	}
	t := &trial{v: v, begin: begin, end: time.Now()}
	checks := []func() error{
		c.w.alive,
		func() error { return c.w.logs(before) },
		c.grounds.confined,
		c.tap.quiet,
		func() error { return c.refusals(s, t) },
	}
	if v.holds("mem") {
		checks = append(checks, func() error {
			after, err := c.w.look()
			if err != nil {
				return err
			}
			return c.w.peak(t, before, after, c.m.Limits.MaxRSSMB)
		})
	}
	for _, check := range checks {
		if err := check(); err != nil {
			failed = append(failed, err)
		}
	}
	got.notes = append(got.notes, t.notes...)
	if len(failed) > 0 {
		var lines []string
		for _, err := range failed {
			lines = append(lines, strings.ReplaceAll(err.Error(), "\n", " "))
		}
		got.err = errors.New(strings.Join(lines, "; "))
	}
	return got
}

// short is the number of a case within its list.
func short(id string) string { return id[strings.LastIndexByte(id, '-')+1:] }

// attempt plays one case.
func (c *court) attempt(s *stage, v vector, a attempt) (string, error) {
	for _, p := range plays(v.Class) {
		if p.match.MatchString(a.text()) {
			remark, err := p.run(s, a)
			if err != nil {
				return "", fmt.Errorf("%s: %s: %w", v.gate(), a.ID, err)
			}
			return remark, nil
		}
	}
	return "not played: this runner does not know it", nil
}

// gate is the invariant of a list that a case breaks first.
func (v vector) gate() string {
	for _, name := range []string{"no-cross", "no-fetch", "no-outside", "no-exec", "path-confined"} {
		if v.holds(name) {
			return name
		}
	}
	return "alive"
}

// refusals wants the audit list to tell of what the door refused to somebody, and no
// content in it. One list of cases makes many refusals, so one leaf each is too much
// to ask: at least one has to be there.
func (c *court) refusals(s *stage, t *trial) error {
	if !t.v.holds("audit") || s.refused == 0 {
		return nil
	}
	told := 0
	for end := time.Now().Add(5 * time.Second); told == 0 && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		leaves, err := c.ledger("patients", t.begin)
		if err != nil {
			return err
		}
		for _, l := range leaves {
			if l.Result == "refused" {
				told++
			}
			for _, a := range s.actors {
				if strings.Contains(l.line, a.person.INS) || strings.Contains(l.line, a.person.WebLogin) {
					return errors.New("audit: a leaf holds content")
				}
			}
		}
	}
	if told == 0 {
		return fmt.Errorf("audit: no leaf tells of any of %d refusals", s.refused)
	}
	t.notes = append(t.notes, fmt.Sprintf("audit: %d leaves tell of %d refusals", told, s.refused))
	return nil
}
