package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	netmail "net/mail"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/wiretest"
)

// invite is an iTIP message (RFC 5546) as an organizer's software writes it.
type invite struct {
	method, uid, organizer, summary string
	sequence                        int
	stamp, start                    time.Time
	attendees                       []string
}

// calendar writes the message.
func (i invite) calendar() []byte {
	const layout = "20060102T150405Z"
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//essai//FR\r\nMETHOD:%s\r\nBEGIN:VEVENT\r\nUID:%s", i.method, i.uid)
	line("DTSTAMP:%s\r\nSEQUENCE:%d\r\nSUMMARY:%s", i.stamp.UTC().Format(layout), i.sequence, i.summary)
	line("DTSTART:%s\r\nDTEND:%s", i.start.UTC().Format(layout), i.start.Add(30*time.Minute).UTC().Format(layout))
	if i.method == "CANCEL" {
		line("STATUS:CANCELLED")
	}
	line("ORGANIZER;CN=Le service:mailto:%s", i.organizer)
	for _, a := range i.attendees {
		line("ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:%s", a)
	}
	line("END:VEVENT\r\nEND:VCALENDAR")
	return []byte(b.String())
}

// letter is the letter that carries the message.
func (i invite) letter(subject, from, to string) []byte {
	return wiretest.Mail{
		From: from, To: to, Subject: subject, Text: "Voici une invitation.",
		Attachments: []wiretest.Attachment{{Type: "text/calendar; charset=utf-8; method=" + i.method, Name: "invitation.ics", Data: i.calendar()}},
	}.Bytes()
}

// event is an event as /agenda tells it.
type event struct{ ID, UID, Summary, Start, Status, Version string }

func (s *space) events() []event {
	s.t.Helper()
	var page struct{ Events []event }
	s.facts("/agenda", &page)
	return page.Events
}

// invited waits until a letter's invitation has been dealt with, and returns what the
// letter tells of it.
func (s *space) invited(subject string) (told struct{ ID, Summary, Status, Reason string }) {
	s.t.Helper()
	eventually(s.t, 30*time.Second, subject+" is dealt with", func() bool {
		id := s.letters()[subject]
		if id == "" {
			return false
		}
		l := s.letter(id)
		if len(l.Invitations) == 0 {
			return false
		}
		told = l.Invitations[0]
		return true
	})
	return told
}

// answer answers an event and returns the code of the answer.
func (s *space) answer(e event, word string) int {
	s.t.Helper()
	p, err := s.Do(http.MethodPost, "/agenda/"+e.ID+"/answer", "", url.Values{"answer": {word}, "version": {e.Version}})
	if err != nil {
		s.t.Fatal(err)
	}
	return p.Code
}

// TestAnInvitationGoesToTheAgendaAndItsAnswerBack walks an appointment through its
// life: proposed, moved, an old letter that comes late, accepted, moved again,
// declined, cancelled.
func TestAnInvitationGoesToTheAgendaAndItsAnswerBack(t *testing.T) {
	t.Parallel()
	w := start(t)
	hospital, city, patients := w.operator("hospital"), w.operator("city"), w.operator("patients")
	doctor, other, p := hospital.Boxes[0], city.Boxes[0], patients.Boxes[0]
	home, back := w.space(p), w.inbox(hospital, doctor)
	now := time.Now().Truncate(time.Second)
	day := now.AddDate(0, 1, 0).Truncate(24 * time.Hour)
	first := invite{
		method: "REQUEST", uid: "rdv-1@e2e.example", organizer: doctor.Address, summary: "Consultation de suivi",
		stamp: now, start: day.Add(9 * time.Hour), attendees: []string{p.Address, "proche@exemple-dehors.example"},
	}
	letters := 0
	send := func(subject string, o demo.Operator, from demo.Person, i invite) {
		t.Helper()
		letters++
		reply, err := w.submission(o, from).Send(from.Address, []string{p.Address}, i.letter(subject, from.Address, p.Address))
		if err != nil || reply.Code != 250 {
			t.Fatalf("%s: %v %s", subject, err, reply)
		}
	}
	holds := func(status string, start time.Time) event {
		t.Helper()
		all := home.events()
		if len(all) != 1 || all[0].UID != first.uid || all[0].Summary != first.summary || all[0].Status != status {
			t.Fatalf("the agenda holds %+v, want one event that is %s", all, status)
		}
		if at, err := time.Parse(time.RFC3339, all[0].Start); err != nil || !at.Equal(start) {
			t.Fatalf("the event begins at %s (%v), want %s", all[0].Start, err, start)
		}
		return all[0]
	}

	send("rdv propose", hospital, doctor, first)
	home.invited("rdv propose")
	proposed := holds("needs-action", first.start)

	moved := first
	moved.sequence, moved.start, moved.stamp = 2, day.Add(14*time.Hour), now.Add(2*time.Second)
	send("rdv deplace", hospital, doctor, moved)
	home.invited("rdv deplace")
	current := holds("needs-action", moved.start)
	if current.ID != proposed.ID {
		t.Error("the update made another event")
	}
	if code := home.answer(proposed, "accept"); code != http.StatusConflict {
		t.Errorf("an answer to what was shown before the update: %d, want 409", code)
	}

	late := first
	late.sequence, late.start, late.stamp = 1, day.Add(11*time.Hour), now.Add(time.Second)
	send("rdv en retard", hospital, doctor, late)
	home.invited("rdv en retard")
	holds("needs-action", moved.start)

	w.forged(home, send, moved, doctor, other)
	holds("needs-action", moved.start)

	if code := home.answer(current, "accept"); code != http.StatusSeeOther {
		t.Fatalf("accept: %d", code)
	}
	current = holds("accepted", moved.start)
	w.reply(back, 1, p.Address, doctor.Address, first.uid, "ACCEPTED")

	again := moved
	again.sequence, again.start, again.stamp = 3, day.Add(16*time.Hour), now.Add(3*time.Second)
	send("rdv deplace encore", hospital, doctor, again)
	home.invited("rdv deplace encore")
	current = holds("needs-action", again.start)
	if code := home.answer(current, "decline"); code != http.StatusSeeOther {
		t.Fatalf("decline: %d", code)
	}
	current = holds("declined", again.start)
	w.reply(back, 2, p.Address, doctor.Address, first.uid, "DECLINED")

	cancelled := again
	cancelled.method, cancelled.sequence, cancelled.stamp = "CANCEL", 4, now.Add(4*time.Second)
	send("rdv annule", hospital, doctor, cancelled)
	home.invited("rdv annule")
	current = holds("cancelled", again.start)
	if code := home.answer(current, "accept"); code != http.StatusConflict {
		t.Errorf("an answer to what is cancelled: %d, want 409", code)
	}
	if n := len(home.received()); n != letters {
		t.Errorf("%d letters in the inbox, %d were sent", n, letters)
	}
	w.inside(home, city, 2)
	w.quiet()
}

// forged sends invitations that nobody may send, and holds that each is kept out with
// its reason.
func (w *world) forged(home *space, send func(string, demo.Operator, demo.Person, invite), known invite, doctor, other demo.Person) {
	w.t.Helper()
	hospital, city := w.operator("hospital"), w.operator("city")
	fresh := func(uid, organizer string) invite {
		i := known
		i.uid, i.organizer, i.sequence = uid, organizer, 0
		return i
	}
	takeover, cancel := known, known
	takeover.organizer, takeover.sequence = other.Address, 9
	cancel.method, cancel.sequence = "CANCEL", 9
	for _, c := range []struct {
		subject string
		from    demo.Person
		at      demo.Operator
		invite  invite
		reason  string
	}{
		{"organisateur dehors", doctor, hospital, fresh("dehors@e2e.example", "agenda@exemple-dehors.example"), "invite-sender-not-organizer"},
		{"au nom d un autre", other, city, fresh("autre@e2e.example", doctor.Address), "invite-sender-not-organizer"},
		{"annule par un autre", other, city, cancel, "invite-sender-not-organizer"},
		{"repris par un autre", other, city, takeover, "invite-other-organizer"},
	} {
		send(c.subject, c.at, c.from, c.invite)
		if told := home.invited(c.subject); told.Reason != c.reason || told.ID != "" {
			w.t.Errorf("%s: the letter tells %+v, want %s", c.subject, told, c.reason)
		}
	}
}

// reply waits for the organizer's nth letter, and holds that it is the one answer
// (RFC 5546 3.2.3).
func (w *world) reply(b *wiretest.IMAP, nth int, from, to, uid, said string) {
	w.t.Helper()
	var uids []string
	eventually(w.t, 30*time.Second, "the answer comes back", func() bool {
		if _, err := b.Do("NOOP"); err != nil {
			w.t.Fatal(err)
		}
		var err error
		uids, err = b.Search("ALL")
		return err == nil && len(uids) >= nth
	})
	if len(uids) != nth {
		w.t.Fatalf("%d letters at the organizer's, want %d", len(uids), nth)
	}
	raw, err := b.Fetch(uids[nth-1], "")
	if err != nil {
		w.t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("exemple-dehors")) {
		w.t.Error("the answer names another attendee")
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	for field, want := range map[string]string{"From": from, "To": to} {
		list, err := m.Header.AddressList(field)
		if err != nil || len(list) != 1 || list[0].Address != want {
			w.t.Errorf("%s of the answer is %v (%v)", field, list, err)
		}
	}
	calendar := calendarOf(w.t, m)
	for _, want := range []string{"METHOD:REPLY", "UID:" + uid, "PARTSTAT=" + said, from} {
		if !strings.Contains(calendar, want) {
			w.t.Errorf("the answer lacks %q:\n%s", want, calendar)
		}
	}
	if strings.Count(calendar, "ATTENDEE") != 1 {
		w.t.Errorf("an answer has one attendee:\n%s", calendar)
	}
}

// calendarOf returns the calendar of a letter, its lines unfolded.
func calendarOf(t *testing.T, m *netmail.Message) string {
	t.Helper()
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatalf("no calendar in the letter: %v", err)
		}
		kind, params, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil || kind != "text/calendar" {
			continue
		}
		if params["method"] != "REPLY" {
			t.Errorf("the part's method is %q", params["method"])
		}
		var r io.Reader = part
		if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
			r = quotedprintable.NewReader(part)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(text), "\r\n ", "")
	}
}

// inside holds that the patient's answers, and nothing else, left the operator, each
// for one recipient of the trust space, and that nobody else got a letter.
func (w *world) inside(home *space, city demo.Operator, answers int) {
	w.t.Helper()
	eventually(w.t, 30*time.Second, "nothing is left to send", func() bool { return w.jobs("patients", "") == 0 })
	name, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	relayed := 0
	out := tool(w.t, name, "audit", "list", "--config", w.operatorDir("patients")+"/vaguemestre.toml", "--act", "letter.relay")
	for line := range strings.SplitSeq(strings.TrimSpace(out), "\n") {
		var leaf struct{ Result string }
		if err := json.Unmarshal([]byte(line), &leaf); err != nil || leaf.Result != "done" {
			w.t.Errorf("relayed: %s (%v)", line, err)
		}
		relayed++
	}
	if relayed != answers {
		w.t.Errorf("%d letters were relayed, want the %d answers", relayed, answers)
	}
	var sent struct{ Messages []struct{ ID string } }
	home.facts("/messages?folder=sent", &sent)
	if len(sent.Messages) != answers {
		w.t.Errorf("%d letters among those sent, want %d", len(sent.Messages), answers)
	}
	for _, m := range sent.Messages {
		var story struct{ Recipients []struct{ Status string } }
		home.facts("/outcome/"+m.ID, &story)
		if len(story.Recipients) != 1 || story.Recipients[0].Status != "relayed" {
			w.t.Errorf("an answer's recipients are %+v, want one, relayed", story.Recipients)
		}
	}
	for _, p := range city.Boxes[:2] {
		uids, err := w.inbox(city, p).Search("ALL")
		if err != nil || len(uids) != 0 {
			w.t.Errorf("%d letters came to another box (%v)", len(uids), err)
		}
	}
}
