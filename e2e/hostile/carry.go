package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/wiretest"
)

// trial is one vector that a letter carries.
type trial struct {
	v       vector
	patient demo.Person
	space   *space
	data    []byte // the attachment as it is sent
	secrets []string

	id         string // the letter's Message-ID
	begin, end time.Time
	took       time.Duration // until the letter was answered
	reply      wiretest.Reply
	notice     *notice
	letter     string // the server's own id, from the trace field
	message    string // its id in the patient's space
	facts      opened
	fresh      []document

	known  *event // what the patient had of the same UID before
	was    []event
	slow   time.Duration // of the agenda, before
	leaves []leaf
	notes  []string
	err    error
}

// accepted reports whether the server took the letter.
func (t *trial) accepted() bool { return t.reply.Code/100 == 2 }

func (t *trial) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// subject is how the patient finds the letter.
func (t *trial) subject() string { return t.v.File + " " + t.v.Marker }

// alone reports whether the vector has to be alone with the server: its memory is
// measured, or what others have must not change meanwhile.
func (v vector) alone() bool {
	return v.fits() || v.holds("mem") || v.holds("no-cross") || v.refersTo() != ""
}

// carryAll plays the vectors that letters carry: controls first, since some say that
// they come after theirs, then those that need to be alone, then the others.
func (c *court) carryAll(vectors []vector) ([]*trial, error) {
	if len(vectors) == 0 {
		return nil, nil
	}
	since := time.Now()
	if err := c.prepare(vectors); err != nil {
		return nil, err
	}
	var all []*trial
	for _, v := range vectors {
		all = append(all, &trial{v: v})
	}
	rank := func(t *trial) int {
		switch {
		case t.v.fits():
			return 0
		case t.v.alone():
			return 1
		}
		return 2
	}
	order := slices.SortedStableFunc(slices.Values(all), func(a, b *trial) int { return rank(a) - rank(b) })
	together := order[slices.IndexFunc(append(order, &trial{}), func(t *trial) bool { return rank(t) == 2 }):]
	for _, t := range order[:len(order)-len(together)] {
		t.err = c.carry(t)
	}
	c.crowd(together)
	c.finish(all, since)
	return all, nil
}

// crowd plays vectors four at a time.
func (c *court) crowd(all []*trial) {
	waiting := make(chan *trial)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for t := range waiting {
				t.err = c.carry(t)
			}
		})
	}
	for _, t := range all {
		waiting <- t
	}
	close(waiting)
	wg.Wait()
}

// prepare opens what is looked at, before the first measurement.
func (c *court) prepare(vectors []vector) error {
	var err error
	if c.receipts, err = openReceipts(c.f); err != nil {
		return err
	}
	c.traces = make(map[string]*traces)
	var targets []string
	for _, kind := range []string{"zip", "xml", "ics"} {
		p, err := c.patient(kind)
		if err != nil {
			if !slices.ContainsFunc(vectors, func(v vector) bool { return v.kind() == kind }) {
				continue
			}
			return err
		}
		targets = append(targets, p.Address)
		if _, err := c.spaces.open(p); err != nil {
			return err
		}
		if c.traces[p.Address] == nil {
			if c.traces[p.Address], err = openTraces(c.f, p); err != nil {
				return err
			}
		}
	}
	for _, p := range c.f.patients.Boxes {
		if slices.Contains(targets, p.Address) {
			continue
		}
		s, err := c.spaces.open(p)
		if err != nil {
			return err
		}
		c.bystanders = append(c.bystanders, s)
	}
	c.grounds.remember(vectors)
	var paths []string
	for _, v := range vectors {
		for _, path := range v.wanted() {
			if !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	c.tap.watch(paths)
	return c.w.calm()
}

// patient is for whom vectors of a kind are.
func (c *court) patient(kind string) (demo.Person, error) {
	if kind == "ics" {
		return c.f.patients.Boxes[0], nil
	}
	for _, kind := range []string{kind, "xml", "zip"} {
		if p, known := c.f.fictitious[kind]; known {
			return p, nil
		}
	}
	return demo.Person{}, errors.New("no control of the folder names a patient: not-filed would prove nothing")
}

// carry sends the vector's file to its patient and holds what becomes of it.
func (c *court) carry(t *trial) error {
	var err error
	if t.patient, err = c.patient(t.v.kind()); err != nil {
		return err
	}
	if t.space, err = c.spaces.open(t.patient); err != nil {
		return err
	}
	t.id = fmt.Sprintf("%x.%d@hostile.example", t.v.File, time.Now().UnixNano())
	t.secrets = t.v.secrets()
	if err := c.make(t); err != nil {
		return err
	}
	before, err := c.w.look()
	if err != nil {
		return err
	}
	if err := c.w.resetPeak(); err != nil {
		return err
	}
	t.begin = time.Now()
	t.reply, err = c.post(t)
	t.end = time.Now()
	t.took = t.end.Sub(t.begin)
	if err != nil {
		return fmt.Errorf("alive: the MX: %w", err)
	}
	if t.accepted() {
		if err := c.await(t); err != nil {
			return err
		}
	} else {
		t.note("refused at the door: %s", clip(t.reply.String()))
	}
	if err := c.judge(t); err != nil {
		return err
	}
	if t.v.holds("mem") {
		after, err := c.w.look()
		if err == nil {
			err = c.w.peak(t, before, after, c.m.Limits.MaxRSSMB)
		}
		if err != nil {
			return err
		}
	}
	for _, check := range []func() error{
		c.w.alive,
		func() error { return c.w.logs(before) },
		c.grounds.confined,
		func() error { return c.grounds.unmade(t.v) },
		c.tap.quiet,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	if t.v.holds("no-leak-fd") {
		return c.w.files(before)
	}
	return nil
}

// make is the attachment as it is sent, with what it needs to be judged.
func (c *court) make(t *trial) error {
	switch t.v.kind() {
	case "ics":
		t.data = []byte(c.mapping.replacer.Replace(string(t.v.raw)))
		return c.invite(t)
	case "zip":
		t.data = t.v.raw
		if t.v.refersTo() == "" {
			return nil
		}
		return c.reuse(t)
	}
	t.data = t.v.raw
	return nil
}

// post brings the letter to the patients' MX as the hospital's operator.
func (c *court) post(t *trial) (wiretest.Reply, error) {
	return c.bring(c.f.hospital, wiretest.Mail{
		From: c.f.hospital.Boxes[0].Address, To: t.patient.Address, Subject: t.subject(), Text: "Bonjour.", MessageID: t.id, Receipt: true,
		Attachments: []wiretest.Attachment{t.attachment()},
	})
}

// bring brings a letter to the patients' MX.
func (c *court) bring(by demo.Operator, m wiretest.Mail) (wiretest.Reply, error) {
	conf, err := clientTLS(c.f.ready.Authority.CAFile, by.CertFile, by.KeyFile)
	if err != nil {
		return wiretest.Reply{}, err
	}
	s, err := wiretest.DialSMTP(c.f.patients.MX, conf)
	if err != nil {
		return wiretest.Reply{}, err
	}
	defer s.Close()
	return s.Send(m.From, []string{m.To}, m.Bytes())
}

var (
	methodLine  = regexp.MustCompile(`(?m)^METHOD:([A-Z]+)\r?$`)
	methodTitle = regexp.MustCompile(`part with method=([A-Z]+)`)
)

// attachment is the vector as a hospital's software would attach it.
func (t *trial) attachment() wiretest.Attachment {
	switch t.v.kind() {
	case "zip":
		return wiretest.Attachment{Type: "application/zip", Name: "IHE_XDM.zip", Data: t.data}
	case "xml":
		return wiretest.Attachment{Type: "text/xml", Name: "document.xml", Data: t.data}
	}
	method := "REQUEST"
	if found := methodLine.FindSubmatch(t.data); found != nil {
		method = string(found[1])
	}
	if said := methodTitle.FindStringSubmatch(t.v.Title); said != nil {
		method = said[1]
	}
	return wiretest.Attachment{Type: "text/calendar; charset=utf-8; method=" + method, Name: "invitation.ics", Data: t.data}
}

// await waits until the letter is with the patient and what it brings was dealt with:
// the sender is told of documents; of an invitation the letter itself tells.
func (c *court) await(t *trial) (err error) {
	const patience = 30 * time.Second
	if t.v.kind() != "ics" {
		if t.notice, err = c.receipts.await(t.id, patience); err != nil {
			return err
		}
		if t.notice == nil {
			return fmt.Errorf("audit: the sender was told nothing within %v", patience)
		}
	}
	if t.message, err = t.space.find(t.subject(), patience); err != nil {
		return err
	}
	if t.message == "" {
		return fmt.Errorf("no-loss: the letter got its 250 and is not in the patient's inbox")
	}
	if t.letter, err = c.traces[t.patient.Address].letter(t.id); err != nil {
		return err
	}
	pause := 30 * time.Millisecond
	for end := time.Now().Add(patience); ; time.Sleep(pause) {
		t.facts = opened{}
		if err := t.space.JSON("/messages/"+t.message, &t.facts); err != nil {
			return err
		}
		if t.v.kind() != "ics" || len(t.facts.Invitations)+len(t.facts.Documents) > 0 {
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("audit: the letter does not tell within %v what became of its invitation", patience)
		}
		pause += pause / 2
	}
	t.fresh, err = t.space.of(t.message)
	return err
}

// limit is how long one answer may take: the vector's, else the folder's.
func (c *court) limit(v vector) time.Duration {
	switch {
	case v.Expect.MaxS > 0:
		return time.Duration(v.Expect.MaxS * float64(time.Second))
	case v.Expect.MaxMS > 0:
		return time.Duration(v.Expect.MaxMS) * time.Millisecond
	}
	return time.Duration(c.m.Limits.MaxMS) * time.Millisecond
}

// judge holds the results against what the vector allows.
func (c *court) judge(t *trial) error {
	if within := time.Duration(c.m.Limits.MaxMS) * time.Millisecond; t.took > max(within, c.limit(t.v)) {
		return fmt.Errorf("alive: the letter was answered after %v", t.took.Round(time.Millisecond))
	}
	if t.took > c.limit(t.v) {
		t.note("the letter was answered after %v", t.took.Round(time.Millisecond))
	}
	if !t.accepted() {
		return c.refused(t)
	}
	if err := c.filed(t); err != nil {
		return err
	}
	if err := c.shown(t); err != nil {
		return err
	}
	if t.v.kind() == "ics" {
		return c.calendar(t)
	}
	return nil
}

// refused holds a letter that was turned away.
func (c *court) refused(t *trial) error {
	switch {
	case t.v.fits():
		return fmt.Errorf("%s: answered %s", t.v.Expect.Outcome, clip(t.reply.String()))
	case t.reply.Code/100 == 4:
		return fmt.Errorf("alive: a refusal that will never be another one is told as temporary: %s", clip(t.reply.String()))
	}
	id, err := t.space.find(t.subject(), 0)
	if err == nil && id != "" {
		err = errors.New("no-delivery: the letter was refused and is in the inbox")
	}
	return err
}

// finish looks at everything once more, and reads the audit lists.
func (c *court) finish(all []*trial, since time.Time) {
	blame := func(invariant string, err error) {
		for _, t := range all {
			if t.err == nil && (t.v.holds(invariant) || invariant == "") {
				t.err = err
			}
		}
	}
	if err := c.accounted(all); err != nil {
		blame("not-filed", err)
	}
	if err := c.untouched(); err != nil {
		blame("single-owner", err)
		blame("no-cross", err)
	}
	if err := c.audit(all, since); err != nil {
		blame("audit", err)
	}
	if err := c.inside(since, 0); err != nil {
		blame("no-outside", err)
	}
	for _, t := range all {
		for _, text := range c.tap.blindness() {
			if invariant, _, _ := strings.Cut(text, ":"); t.v.holds(invariant) && len(t.v.wanted()) > 0 {
				t.note("%s", text)
			}
		}
	}
}

// accounted wants every document of the patients' vaults to be one that a vector
// brought.
func (c *court) accounted(all []*trial) error {
	brought := make(map[string]bool)
	seen := make(map[*space]bool)
	for _, t := range all {
		for _, d := range t.fresh {
			brought[d.ID] = true
		}
		if t.space != nil {
			seen[t.space] = true
		}
	}
	for s := range seen {
		list, err := s.documents(10_000)
		if err != nil {
			return err
		}
		for _, d := range list {
			if !brought[d.ID] {
				return fmt.Errorf("not-filed: there is a document that no letter of this run has brought")
			}
		}
	}
	return nil
}

// untouched wants nothing in the spaces of those to whom nothing was sent.
func (c *court) untouched() error {
	for _, s := range c.bystanders {
		n, err := s.counts()
		if err != nil {
			return err
		}
		if n != [3]int{} {
			return fmt.Errorf("single-owner: another patient has %d documents, %d events, %d letters", n[0], n[1], n[2])
		}
	}
	return nil
}

// same reports whether octets came back as they were sent.
func same(got, sent []byte) bool { return bytes.Equal(got, sent) }
