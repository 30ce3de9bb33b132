package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/wiretest"
)

// stage is where the cases for the web are played: two patients, each with a letter, a
// document, an invitation, an answer and a session.
type stage struct {
	c      *court
	actors [2]*actor
	// refused counts the requests that the door refused, since the list began; answers
	// the letters that patients wrote, since the stage stands.
	refused, answers int
}

// actor is one of the two.
type actor struct {
	*space
	letter, part, document, event, outcome, session string
}

// furnish makes the stage.
func (c *court) furnish() (*stage, error) {
	s := &stage{c: c}
	for i := range s.actors {
		p := c.f.patients.Boxes[2+i]
		home, err := c.f.open(p)
		if err != nil {
			return nil, err
		}
		s.actors[i] = &actor{space: home}
		if err := s.fill(s.actors[i]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// awkward is a file name that breaks a header where it is not quoted.
const awkward = "a\"b;c=d\r\nX-Injected: 1\r\n\u202Eéçà€.txt"

// fill gives a patient one of everything.
func (s *stage) fill(a *actor) error {
	const patience = 30 * time.Second
	p := a.person
	letters := map[string][]byte{
		"stage letter": mixed(s.c.f.hospital.Boxes[0].Address, p.Address),
		"stage document": wiretest.Mail{
			From: s.c.f.hospital.Boxes[0].Address, To: p.Address, Subject: "stage document", Text: "Bonjour.",
			Attachments: []wiretest.Attachment{{Type: "text/xml", Name: "document.xml", Data: discharge(p)}},
		}.Bytes(),
		"stage invitation": wiretest.Mail{
			From: s.c.f.hospital.Boxes[0].Address, To: p.Address, Subject: "stage invitation", Text: "Bonjour.",
			Attachments: []wiretest.Attachment{{
				Type: "text/calendar; charset=utf-8; method=REQUEST", Name: "invitation.ics", Data: invitation(s.c.f.hospital.Boxes[0].Address, p.Address),
			}},
		}.Bytes(),
	}
	for subject, text := range letters {
		reply, err := s.c.bringOctets(s.c.f.hospital, s.c.f.hospital.Boxes[0].Address, p.Address, text)
		if err == nil && reply.Code != 250 {
			err = fmt.Errorf("%s: %s", subject, reply)
		}
		if err != nil {
			return err
		}
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		documents, err := a.documents(1)
		if err != nil {
			return err
		}
		events, err := a.events()
		if err != nil {
			return err
		}
		letter, err := a.find("stage letter", 0)
		if err != nil {
			return err
		}
		if len(documents) > 0 && len(events) > 0 && letter != "" {
			a.letter, a.document, a.event = letter, documents[0].ID, events[0].ID
			return s.more(a)
		}
	}
	return errors.New("a letter, a document or an invitation did not arrive")
}

// more lets a patient answer, and learns the ids of the answer and of the session.
func (s *stage) more(a *actor) error {
	var l opened
	if err := a.JSON("/messages/"+a.letter, &l); err != nil {
		return err
	}
	if len(l.Attachments) == 0 {
		return errors.New("the letter's attachment is not there")
	}
	a.part = l.Attachments[0].Part
	p, err := a.Do(http.MethodPost, "/messages/"+a.letter+"/reply", "", url.Values{"text": {"Merci."}})
	if err != nil {
		return err
	}
	if a.outcome = strings.TrimPrefix(p.Header.Get("Location"), "/outcome/"); p.Code != http.StatusSeeOther || a.outcome == "" {
		return fmt.Errorf("an answer was answered %d", p.Code)
	}
	s.answers++
	devices, err := a.devices()
	if err == nil && len(devices) > 0 {
		a.session = devices[0]
	}
	return err
}

// devices are the ids of a patient's sessions.
func (s *space) devices() (ids []string, err error) {
	var page struct{ Devices []struct{ ID string } }
	err = s.JSON("/settings", &page)
	for _, d := range page.Devices {
		ids = append(ids, d.ID)
	}
	return ids, err
}

// mixed is a letter with a layout, a picture of elsewhere in it, and a file with an
// awkward name.
func mixed(from, to string) []byte {
	name := "=?utf-8?B?" + base64.StdEncoding.EncodeToString([]byte(awkward)) + "?="
	return []byte(strings.ReplaceAll("From: "+from+"\nTo: "+to+"\nSubject: stage letter\nDate: Mon, 02 Nov 2026 10:00:00 +0100\n"+
		"Message-ID: <"+fmt.Sprint(time.Now().UnixNano())+"@hostile.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"+
		"--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\nContent-Type: text/plain; charset=utf-8\n\nBonjour.\n"+
		"--c\nContent-Type: text/html; charset=utf-8\n\n<p onclick=\"MARK()\">Bonjour <script>MARK()</script><img src=\"http://canary.invalid/x.png\"></p>\n--c--\n"+
		"--b\nContent-Type: text/plain; charset=utf-8; name=\""+name+"\"\nContent-Disposition: attachment; filename=\""+name+"\"\n\nUne note.\n--b--\n", "\n", "\r\n"))
}

// discharge is a small clinical document about a patient.
func discharge(p demo.Person) []byte {
	id := fmt.Sprintf("2.25.%d", time.Now().UnixNano())
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/><id root="%s"/>
<code code="11490-0" codeSystem="2.16.840.1.113883.6.1"/><title>Lettre de sortie</title><effectiveTime value="20261102100000+0100"/>
<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
<recordTarget><patientRole><id root="%s" extension="%s"/><patient><name><family qualifier="BR">%s</family><given qualifier="BR">%s</given></name>
<administrativeGenderCode code="%s" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="%s"/></patient></patientRole></recordTarget>
<author><time value="20261102"/><assignedAuthor><id root="1.2.250.1.71.4.2.1" extension="899999999999"/></assignedAuthor></author>
<custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.250.1.71.4.2.2" extension="1999999999"/></representedCustodianOrganization></assignedCustodian></custodian>
<component><structuredBody><component><section><text>Bonjour.</text></section></component></structuredBody></component></ClinicalDocument>
`, id, p.INSOID, p.INS, p.Family, p.Given, p.Sex, strings.ReplaceAll(p.BirthDate, "-", ""))
}

// invitation is a plain invitation, in a year.
func invitation(organizer, attendee string) []byte {
	day := time.Now().AddDate(1, 0, 0).UTC().Format("20060102")
	return []byte(strings.Join([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//hostile//stage//EN", "METHOD:REQUEST", "BEGIN:VEVENT",
		fmt.Sprintf("UID:%d@hostile.example", time.Now().UnixNano()), "DTSTAMP:20260101T000000Z", "DTSTART:" + day + "T090000Z", "DTEND:" + day + "T093000Z",
		"SUMMARY:Visite", "ORGANIZER:mailto:" + organizer, "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:" + attendee, "END:VEVENT", "END:VCALENDAR", "",
	}, "\r\n"))
}

// bringOctets brings a letter as it is to the patients' MX.
func (c *court) bringOctets(by demo.Operator, from, to string, text []byte) (wiretest.Reply, error) {
	conf, err := clientTLS(c.f.ready.Authority.CAFile, by.CertFile, by.KeyFile)
	if err != nil {
		return wiretest.Reply{}, err
	}
	m, err := wiretest.DialSMTP(c.f.patients.MX, conf)
	if err != nil {
		return wiretest.Reply{}, err
	}
	defer m.Close()
	return m.Send(from, []string{to}, text)
}

// have is what somebody has, as far as a request of another could change it.
type have struct {
	inbox, sent, trash []message
	events             []event
	documents          []document
	devices            []string
}

func (s *space) have() (h have, err error) {
	for folder, into := range map[string]*[]message{"inbox": &h.inbox, "sent": &h.sent, "trash": &h.trash} {
		if *into, err = s.messages(folder, 1000); err != nil {
			return h, err
		}
	}
	if h.events, err = s.events(); err != nil {
		return h, err
	}
	if h.documents, err = s.documents(1000); err != nil {
		return h, err
	}
	h.devices, err = s.devices()
	return h, err
}

// unchanged wants everybody to have what they had.
func (s *stage) unchanged(do func() error) error {
	var before [2]have
	var err error
	for i, a := range s.actors {
		if before[i], err = a.have(); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	for i, a := range s.actors {
		now, err := a.have()
		if err != nil {
			return fmt.Errorf("afterwards a patient's space does not answer: %w", err)
		}
		if !reflect.DeepEqual(now, before[i]) {
			return fmt.Errorf("something of a patient has changed")
		}
	}
	return nil
}

// changes are the requests of a patient that change something.
func (a *actor) changes() []struct {
	path string
	form url.Values
} {
	return []struct {
		path string
		form url.Values
	}{
		{"/messages/" + a.letter + "/reply", url.Values{"text": {"x"}}},
		{"/messages/" + a.letter + "/trash", nil},
		{"/messages/" + a.letter + "/unread", nil},
		{"/messages/" + a.letter + "/restore", nil},
		{"/agenda/" + a.event + "/answer", url.Values{"answer": {"decline"}}},
		{"/settings/password", url.Values{"old": {a.person.WebPassword}, "new": {"correct horse battery staple"}, "again": {"correct horse battery staple"}}},
		{"/settings/code/begin", url.Values{"password": {a.person.WebPassword}}},
		{"/settings/code/on", url.Values{"code": {"000000"}}},
		{"/settings/code/off", url.Values{"password": {a.person.WebPassword}, "code": {"000000"}}},
		{"/settings/code/recovery", url.Values{"password": {a.person.WebPassword}, "code": {"000000"}}},
		{"/settings/devices/end", nil},
		{"/settings/devices/" + a.session + "/end", nil},
		{"/logout", nil},
	}
}

// reads are the pages and files of a patient.
func (a *actor) reads() []string {
	return []string{
		"/", "/messages", "/messages?folder=sent", "/messages?folder=trash", "/messages/" + a.letter, "/messages/" + a.letter + "/html",
		"/messages/" + a.letter + "/parts/" + a.part, "/messages/" + a.letter + "/reply", "/outcome", "/outcome/" + a.outcome,
		"/documents", "/documents/" + a.document, "/documents/" + a.document + "/original", "/agenda", "/agenda?view=week", "/agenda?view=month",
		"/agenda/" + a.event, "/agenda/" + a.event + "/ics", "/history", "/settings", "/settings/password", "/settings/code", "/more",
	}
}

// send sends a request that is changed on its way, over the patient's session.
func (s *stage) send(w *wiretest.Web, method, path string, form url.Values, change func(*http.Request)) (wiretest.Page, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, w.Base+path, body)
	if err != nil {
		return wiretest.Page{}, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(req)
	}
	p, err := w.Send(req)
	switch p.Code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusTooManyRequests, http.StatusMisdirectedRequest:
		s.refused++
	}
	return p, err
}

// get fetches something of a patient.
func (s *stage) get(a *actor, path, accept string) (wiretest.Page, error) {
	return s.send(a.Web, http.MethodGet, path, nil, func(r *http.Request) { r.Header.Set("Accept", accept) })
}

// want wants one of some codes.
func want(p wiretest.Page, what string, codes ...int) error {
	for _, code := range codes {
		if p.Code == code {
			return nil
		}
	}
	return fmt.Errorf("%s answered %d, wanted %v", what, p.Code, codes)
}

// nobodys is an id of the same form that nobody has.
func nobodys(id string) string {
	const letters = "0123456789abcdefghjkmnpqrstvwxyz"
	b := []byte(id)
	random := make([]byte, len(b))
	_, _ = rand.Read(random) // never fails
	for i := len(b) / 2; i < len(b); i++ {
		b[i] = letters[random[i]%32]
	}
	return string(b)
}
