package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/wiretest"
)

// files reports whether the vector is a file that a letter carries, not a script.
func (v vector) carried() bool {
	kind, _, _ := strings.Cut(v.File, "/")
	return slices.Contains([]string{"zip", "xml", "ics"}, kind)
}

// space is what a patient sees of their own space.
type space struct {
	Documents []struct{ ID, Title, Type string }
	Events    []struct{ ID, UID, Summary, Start, Status string }
	Messages  []struct{ ID, Subject string }
}

// look reads a patient's space from outside.
func (f *fixture) look(p demo.Person) (s space, web *wiretest.Web, err error) {
	conf, err := clientTLS(f.ready.Authority.CAFile, "", "")
	if err != nil {
		return s, nil, err
	}
	if web, err = wiretest.DialWeb(f.patients.HTTPS, conf); err != nil {
		return s, nil, err
	}
	if err := web.SignIn(p.WebLogin, p.WebPassword); err != nil {
		return s, nil, err
	}
	for path, into := range map[string]any{"/documents": &s, "/agenda": &s, "/messages": &s} {
		if err := web.JSON(path, into); err != nil {
			return s, nil, err
		}
	}
	return s, web, nil
}

// carry sends the vector's file to its patient and holds what becomes of it.
func (c *court) carry(v vector) verdict {
	kind, _, _ := strings.Cut(v.File, "/")
	patient := c.f.fictitious
	if kind == "ics" {
		patient = c.f.patients.Boxes[0]
	}
	before, err := c.w.look()
	if err != nil {
		return verdict{err: err}
	}
	begin := time.Now()
	was, _, err := c.f.look(patient)
	if err != nil {
		return verdict{err: err}
	}
	others, err := c.neighbours(patient)
	if err != nil {
		return verdict{err: err}
	}
	reply, err := c.post(v, kind, patient)
	if err != nil {
		return verdict{err: err}
	}
	var notes []string
	receipt := ""
	if reply.Code/100 == 2 {
		if receipt, err = c.receipt(v); err != nil {
			return verdict{err: err}
		}
	} else {
		notes = append(notes, "refused at the door: "+clip(reply.String()))
	}
	now, web, err := c.f.look(patient)
	if err != nil {
		return verdict{err: err}
	}
	checks := []func() error{
		c.w.alive,
		func() error { return c.filed(v, reply, receipt, was, now) },
		func() error { return pages(web, was, now, v.Marker) },
		func() error { return c.calendar(v, kind, was, now) },
		func() error { return c.untouched(others) },
		func() error { return c.w.logs(before) },
		func() error { return c.told(v, begin, kind) },
		c.confined,
		c.w.inside,
	}
	if v.holds("mem") {
		checks = append(checks, func() error {
			after, err := c.w.look()
			if err != nil {
				return err
			}
			return c.w.mem(v, before, after, c.m.Limits.MaxRSSMB)
		})
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return verdict{err: err, notes: notes}
		}
	}
	return verdict{notes: notes}
}

// post brings the letter to the patients' MX as the hospital's operator.
func (c *court) post(v vector, kind string, patient demo.Person) (wiretest.Reply, error) {
	conf, err := clientTLS(c.f.ready.Authority.CAFile, c.f.hospital.CertFile, c.f.hospital.KeyFile)
	if err != nil {
		return wiretest.Reply{}, err
	}
	s, err := wiretest.DialSMTP(c.f.patients.MX, conf)
	if err != nil {
		return wiretest.Reply{}, err
	}
	defer s.Close()
	from := c.f.hospital.Boxes[0].Address
	m := wiretest.Mail{
		From: from, To: patient.Address, Subject: "RDV " + v.Marker, Text: "Bonjour.", Receipt: true,
		Attachments: []wiretest.Attachment{c.attachment(v, kind)},
	}
	return s.Send(from, []string{patient.Address}, m.Bytes())
}

var methodLine = regexp.MustCompile(`(?m)^METHOD:([A-Z]+)\r?$`)

// attachment is the vector as a hospital's software would attach it.
func (c *court) attachment(v vector, kind string) wiretest.Attachment {
	switch kind {
	case "zip":
		return wiretest.Attachment{Type: "application/zip", Name: "IHE_XDM.zip", Data: v.raw}
	case "xml":
		return wiretest.Attachment{Type: "text/xml", Name: "document.xml", Data: v.raw}
	}
	method := "REQUEST"
	if found := methodLine.FindSubmatch(v.raw); found != nil && !strings.Contains(v.File, "method-mismatch") {
		method = string(found[1])
	}
	return wiretest.Attachment{
		Type: "text/calendar; charset=utf-8; method=" + method, Name: "invitation.ics",
		Data: []byte(c.mapping.replacer.Replace(string(v.raw))),
	}
}

// receipt waits for the notification that every letter here asks for.
func (c *court) receipt(v vector) (string, error) {
	b, err := openBox(c.f.ready.Authority.CAFile, c.f.hospital, c.f.hospital.Boxes[0])
	if err != nil {
		return "", err
	}
	defer b.close()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, err := b.Do("NOOP"); err != nil {
			return "", err
		}
		uids, err := b.search(v.Marker)
		if err != nil {
			return "", err
		}
		if len(uids) > 0 {
			return b.text(uids[len(uids)-1])
		}
	}
	return "", errors.New("audit: no notification came back within 30 s")
}

// filed holds the vault against what the vector allows.
func (c *court) filed(v vector, reply wiretest.Reply, receipt string, was, now space) error {
	fresh := len(now.Documents) - len(was.Documents)
	failed := regexp.MustCompile(`Error: ?90[0-6]`).MatchString(receipt)
	switch {
	case fresh < 0:
		return fmt.Errorf("no-loss: %d documents where there were %d", len(now.Documents), len(was.Documents))
	case fresh > 1:
		return fmt.Errorf("single-owner: one file became %d documents", fresh)
	case v.Expect.Outcome == "accept-filed" || v.Expect.Outcome == "filed-sanitised":
		if fresh != 1 || failed {
			return fmt.Errorf("%s: %s, %d new documents, notification %q", v.Expect.Outcome, clip(reply.String()), fresh, reason(receipt))
		}
	case v.holds("not-filed") && fresh != 0:
		return fmt.Errorf("not-filed: there is a new document")
	case strings.HasPrefix(v.Expect.Outcome, "accept") && reply.Code/100 != 2 && !regexp.MustCompile(`^55[04] `).MatchString(reply.String()):
		return fmt.Errorf("%s: answered %s", v.Expect.Outcome, clip(reply.String()))
	case v.holds("not-filed") && reply.Code/100 == 2 && !failed:
		return fmt.Errorf("not-filed: the sender was told %q", reason(receipt))
	}
	if reply.Code/100 == 2 && len(now.Messages) <= len(was.Messages) {
		return errors.New("no-loss: the letter is not in the patient's inbox")
	}
	return nil
}

// reason is the line of a notification that says what went wrong.
func reason(receipt string) string {
	for line := range strings.SplitSeq(receipt, "\n") {
		if strings.HasPrefix(line, "Disposition:") || strings.HasPrefix(line, "Error:") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

var active = regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>[^<]|<(?:svg|object|embed|base|meta\s+http-equiv=.?refresh)[^>]*MARK|\son[a-z]+\s*=|javascript:|(?:src|href|action|data|srcset)\s*=\s*["']?[^"'>]*canary-`)

// pages opens what is new as a browser would, and looks for anything that would
// act or fetch.
func pages(web *wiretest.Web, was, now space, marker string) error {
	var paths []string
	for _, d := range now.Documents[:max(0, len(now.Documents)-len(was.Documents))] {
		paths = append(paths, "/documents/"+d.ID)
	}
	for _, e := range now.Events {
		if strings.Contains(e.Summary+e.UID, marker) {
			paths = append(paths, "/agenda/"+e.ID)
		}
	}
	for _, m := range now.Messages {
		if strings.Contains(m.Subject, marker) {
			paths = append(paths, "/messages/"+m.ID)
		}
	}
	for _, path := range append(paths, "/documents", "/agenda", "/messages") {
		begin := time.Now()
		p, err := web.Do(http.MethodGet, path, "text/html", nil)
		if err != nil {
			return fmt.Errorf("alive: %s: %w", kindOf(path), err)
		}
		if p.Code != http.StatusOK {
			return fmt.Errorf("no-exec: the page %s answered %d", kindOf(path), p.Code)
		}
		if csp := p.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe-inline") {
			return fmt.Errorf("no-exec: the page %s has the policy %q", kindOf(path), csp)
		}
		if found := active.Find(p.Body); found != nil {
			return fmt.Errorf("no-exec: the page %s holds %q", kindOf(path), found)
		}
		if took := time.Since(begin); took > 5*time.Second {
			return fmt.Errorf("alive: the page %s took %v", kindOf(path), took)
		}
	}
	return nil
}

// kindOf names a page without the id in it.
func kindOf(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return "/" + first
}

// calendar holds the agenda: nothing is accepted by itself, and what others wrote
// stays as it was.
func (c *court) calendar(v vector, kind string, was, now space) error {
	if kind != "ics" {
		return nil
	}
	shown := 0
	for _, e := range now.Events {
		if !strings.Contains(e.Summary+e.UID, v.Marker) {
			continue
		}
		shown++
		if e.Status != "needs-action" && e.Status != "cancelled" {
			return fmt.Errorf("no-spoof: an event is %q without anybody's doing", e.Status)
		}
	}
	if v.Expect.Outcome == "accept-shown" && shown != 1 {
		return fmt.Errorf("accept-shown: %d events", shown)
	}
	if shown > 1 {
		return fmt.Errorf("calendar-refused-or-bounded: %d events of one invitation", shown)
	}
	for _, e := range was.Events {
		if !slices.Contains(now.Events, e) {
			return errors.New("no-cross: an event of somebody else changed")
		}
	}
	return nil
}

// neighbours counts what the other patients have.
func (c *court) neighbours(of demo.Person) (map[string][2]int, error) {
	counts := map[string][2]int{}
	for _, p := range append(slices.Clone(c.f.patients.Boxes[:2]), c.f.fictitious) {
		if p.Address == of.Address {
			continue
		}
		s, _, err := c.f.look(p)
		if err != nil {
			return nil, err
		}
		counts[p.WebLogin] = [2]int{len(s.Documents), len(s.Events)}
	}
	return counts, nil
}

// untouched holds the other patients' spaces.
func (c *court) untouched(before map[string][2]int) error {
	for _, p := range append(slices.Clone(c.f.patients.Boxes[:2]), c.f.fictitious) {
		was, watched := before[p.WebLogin]
		if !watched {
			continue
		}
		s, _, err := c.f.look(p)
		if err != nil {
			return err
		}
		if now := [2]int{len(s.Documents), len(s.Events)}; now != was {
			return fmt.Errorf("single-owner: another patient's space went from %v to %v documents and events", was, now)
		}
	}
	return nil
}

// told wants exactly one leaf about what the letter brought, with the reason where
// it was not filed.
func (c *court) told(v vector, since time.Time, kind string) error {
	if !v.holds("audit") {
		return nil
	}
	config := filepath.Join(c.w.dirs[2], "vaguemestre.toml")
	out, err := exec.Command(c.binary, "audit", "list", "--config", config, "--since", since.UTC().Format(time.RFC3339Nano)).Output()
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	acts := 0
	for line := range strings.SplitSeq(string(out), "\n") {
		var leaf struct{ Act, Result, Reason string }
		if json.Unmarshal([]byte(line), &leaf) != nil || !strings.HasPrefix(leaf.Act, "document.file") && !strings.HasPrefix(leaf.Act, "smtp.refused") {
			continue
		}
		acts++
		if v.holds("not-filed") && leaf.Reason == "" {
			return errors.New("audit: the leaf gives no reason")
		}
	}
	if acts != 1 {
		return fmt.Errorf("audit: %d leaves tell what became of the file, wanted one (%s)", acts, kind)
	}
	return nil
}
