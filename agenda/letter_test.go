package agenda_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
)

var update = flag.Bool("update", false, "write the goldens anew")

// letters are the letters whose goldens are in testdata/letter.
func letters(t *testing.T) map[string]agenda.Letter {
	t.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	invitation := one(t, "REQUEST", "UID:040000008200E00074C5B7101A82E00800000000A0B1C2D3E4F5D8010000000000000000100000000123456789ABCDEF",
		"SEQUENCE:2", "DTSTART:20261201T090000Z", "DTEND:20261201T093000Z", "SUMMARY:Consultation, cardiologie",
		"LOCATION:Bât. B; 2e étage", `DESCRIPTION:Venir à jeun.\nApporter l'ordonnance.`,
		"ORGANIZER;CN=Dr Anne-Sophie Lefèvre-Dubouchet de la Rochefoucauld:mailto:"+doctor,
		"ATTENDEE;CN=Jean Dupont:mailto:"+patient)
	instance := one(t, "REQUEST", "DTSTART;VALUE=DATE:20261209", "RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20261208")
	at := time.Date(2026, 11, 3, 8, 15, 0, 0, paris)
	answer := agenda.Letter{
		From: address(t, patient), FromName: "Jean Dupont, né Müller", Method: agenda.Answers, Event: invitation,
		MessageID: "<reply-1@patient.mes.test>", InReplyTo: "<rdv-1@hopital-a.mss.test>", Date: at, Zone: paris,
	}
	accepted, declined, tentative := answer, answer, answer
	accepted.Status, declined.Status, tentative.Status = agenda.Accepted, agenda.Declined, agenda.Tentative
	declined.Event, declined.FromName, declined.InReplyTo = instance, "", ""
	tentative.Zone = nil
	request := agenda.Letter{
		From: address(t, doctor), FromName: invitation.Organizer.Name, To: address(t, patient), ToName: "Jean Dupont",
		Method: agenda.Request, Event: invitation, MessageID: "<rdv-1@hopital-a.mss.test>", Date: at, Zone: paris,
	}
	cancel := request
	cancel.Method, cancel.MessageID, cancel.InReplyTo = agenda.Cancel, "<rdv-2@hopital-a.mss.test>", "<rdv-1@hopital-a.mss.test>"
	return map[string]agenda.Letter{
		"accepted": accepted, "declined_instance": declined, "tentative": tentative, "request": request, "cancel": cancel,
	}
}

// write writes a letter.
func write(t *testing.T, l agenda.Letter) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := l.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("%d octets of %d: %v", n, b.Len(), err)
	}
	return b.Bytes()
}

// TestLetterGoldens holds every octet but the boundaries.
func TestLetterGoldens(t *testing.T) {
	t.Parallel()
	boundary := regexp.MustCompile(`=_[A-Z2-7]{20,}`)
	for name, l := range letters(t) {
		data := write(t, l)
		numbers := map[string]string{}
		data = boundary.ReplaceAllFunc(data, func(b []byte) []byte {
			if numbers[string(b)] == "" {
				numbers[string(b)] = "=_BOUNDARY" + string(rune('1'+len(numbers)))
			}
			return []byte(numbers[string(b)])
		})
		golden := filepath.Join("testdata", "letter", name+".eml")
		got := strings.ReplaceAll(string(data), "\r\n", "\n")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(string(file(t, golden)), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestLetterForm holds what is true of every letter: no ambiguity, US-ASCII, CRLF,
// short lines, the layout, calendar lines folded within characters' bounds, and a
// calendar that we read and judge as it was meant.
func TestLetterForm(t *testing.T) {
	t.Parallel()
	for name, l := range letters(t) {
		data := write(t, l)
		w := letter.NewWalker(letter.Limits{})
		w.Write(data)
		s, err := w.Close()
		if err != nil || len(s.Ambiguities) > 0 || s.EightBit {
			t.Errorf("%s: %v, %v, 8-bit %v", name, err, s.Ambiguities, s.EightBit)
		}
		for i, l := range bytes.Split(data, []byte("\r\n")) {
			if len(l) > 78 || bytes.ContainsAny(l, "\r\n") {
				t.Errorf("%s: line %d of %d octets", name, i+1, len(l))
			}
		}
		want := "multipart/alternative(text/plain text/calendar)"
		if l.Method != agenda.Answers {
			want = "multipart/mixed(" + want + " application/ics)"
		}
		if got := layout(&s.Root); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		parts := calendars(t, data)
		if len(parts) != 1 || parts[0].method != l.Method {
			t.Fatalf("%s: %+v", name, parts)
		}
		for _, line := range strings.SplitAfter(parts[0].data, "\n") {
			if len(line) > 77 || line != "" && !strings.HasSuffix(line, "\r\n") || !utf8.ValidString(line) {
				t.Errorf("%s: a line of %d octets: %q", name, len(line), line)
			}
		}
		checkMeaning(t, name, l, parts[0])
	}
}

// checkMeaning reads a calendar back.
func checkMeaning(t *testing.T, name string, l agenda.Letter, p calendarPart) {
	t.Helper()
	m := read(t, p.data)
	e, want := m.Events[0], l.Event
	if m.Method != l.Method || e.UID != want.UID || e.Sequence != want.Sequence || len(e.Warnings) > 0 ||
		e.RecurrenceID != want.RecurrenceID || e.Following != want.Following || !e.Start.Equal(want.Start) ||
		!e.Stamp.Equal(l.Date) || !e.Organizer.Address.Equal(want.Organizer.Address) || len(e.Attendees) != 1 {
		t.Errorf("%s: got %+v", name, e)
	}
	if l.Method == agenda.Answers {
		if a := e.Attendees[0]; a.PartStat != strings.ToUpper(string(l.Status)) || !a.Address.Equal(l.From) || a.Name != l.FromName {
			t.Errorf("%s: attendee %+v", name, a)
		}
		if e.Summary+e.Location+e.Description != "" {
			t.Errorf("%s: it tells what it is about", name)
		}
		return
	}
	if e.Summary != want.Summary || e.Location != want.Location || e.Description != want.Description || !e.End.Equal(want.End) {
		t.Errorf("%s: got %+v", name, e)
	}
	if err := agenda.Judge(m, p.method, l.From, l.To); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// layout tells the types of a part.
func layout(p *letter.Part) string {
	s := p.Type + "/" + p.Subtype
	if !p.Multipart() {
		return s
	}
	var children []string
	for i := range p.Children {
		children = append(children, layout(&p.Children[i]))
	}
	return s + "(" + strings.Join(children, " ") + ")"
}

// calendarPart is a text/calendar part of a letter.
type calendarPart struct{ method, data string }

// calendars finds the calendar parts of a letter.
func calendars(t *testing.T, data []byte) []calendarPart {
	t.Helper()
	w := letter.NewWalker(letter.Limits{})
	w.Write(data)
	s, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	var out []calendarPart
	var walk func(p *letter.Part)
	walk = func(p *letter.Part) {
		if p.Type == "text" && p.Subtype == "calendar" {
			body, err := io.ReadAll(letter.Decode(bytes.NewReader(data[p.Body.Start:p.Body.End]), p.Encoding))
			if err != nil {
				t.Fatal(err)
			}
			method, _ := p.Params.Text("method")
			out = append(out, calendarPart{method, string(body)})
		}
		for i := range p.Children {
			walk(&p.Children[i])
		}
	}
	walk(&s.Root)
	return out
}

// TestLetterReadByPython reads every letter with python3's email package: the fields,
// the layout, and the calendar as the last alternative.
func TestLetterReadByPython(t *testing.T) {
	t.Parallel()
	const program = `
import sys, json, email, email.policy
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
cal = [p for p in m.walk() if p.get_content_type() == "text/calendar"]
defects = [str(d) for p in m.walk() for d in p.defects]
print(json.dumps({"subject": m["subject"], "from": m["from"].addresses[0].addr_spec, "name": m["from"].addresses[0].display_name,
  "to": m["to"].addresses[0].addr_spec, "reply": m["in-reply-to"] or "", "date": m["date"].datetime.isoformat(),
  "layout": [p.get_content_type() for p in m.walk()], "method": [p.get_param("method") for p in cal],
  "calendar": cal[0].get_content(), "text": m.get_body(("plain",)).get_content(), "defects": defects}))`
	if testing.Short() {
		t.Skip("needs python3: not for make quick")
	}
	if _, err := exec.LookPath("python3"); err != nil {
		t.Fatal(err)
	}
	for name, l := range letters(t) {
		cmd := exec.CommandContext(t.Context(), "python3", "-c", program)
		cmd.Stdin, cmd.Stderr = bytes.NewReader(write(t, l)), os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got struct {
			Subject, From, Name, To, Reply, Date, Calendar, Text string
			Layout, Method, Defects                              []string
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		to := l.To
		if to.IsZero() {
			to = l.Event.Organizer.Address
		}
		if got.From != l.From.String() || got.To != to.String() || !sameName(got.Name, l.FromName) || got.Reply != l.InReplyTo ||
			got.Date != "2026-11-03T08:15:00+01:00" || len(got.Defects) > 0 || len(got.Method) != 1 || got.Method[0] != l.Method {
			t.Errorf("%s: %+v", name, got)
		}
		if strings.Contains(got.Subject, "cardio") || !strings.Contains(got.Subject, "rendez-vous du mardi 1er décembre 2026 à ") && name != "declined_instance" {
			t.Errorf("%s: subject %q", name, got.Subject)
		}
		if m := read(t, got.Calendar); m.Events[0].UID != l.Event.UID {
			t.Errorf("%s: calendar %q", name, got.Calendar)
		}
	}
}

// sameName compares names without their spaces: the email package of Python 3.11 puts
// one between two encoded words of a phrase, which RFC 2047 6.2 forbids.
func sameName(a, b string) bool {
	return strings.ReplaceAll(a, " ", "") == strings.ReplaceAll(b, " ", "")
}

// TestLetterFaults holds what is not written.
func TestLetterFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(l *agenda.Letter)
		want   string
	}{
		"no writer":             {func(l *agenda.Letter) { l.From = agenda.Letter{}.From }, "letter-incomplete"},
		"no date":               {func(l *agenda.Letter) { l.Date = time.Time{} }, "letter-incomplete"},
		"no answer":             {func(l *agenda.Letter) { l.Status = agenda.NeedsAction }, "answer-malformed"},
		"nobody to answer":      {func(l *agenda.Letter) { l.To = l.From; l.Event.Organizer = agenda.Party{} }, "invite-no-organizer"},
		"another method":        {func(l *agenda.Letter) { l.To = l.From; l.Method = "PUBLISH" }, "invite-method-unsupported"},
		"a request for nothing": {func(l *agenda.Letter) { l.To = l.From; l.Method, l.Event.UID = agenda.Request, "" }, "invite-no-uid"},
		"without a start":       {func(l *agenda.Letter) { l.To = l.From; l.Method, l.Event.Start = agenda.Request, time.Time{} }, "invite-dates"},
		"a series in a zone": {func(l *agenda.Letter) {
			l.To, l.Method, l.Event.Rule, l.Event.Zone = l.From, agenda.Request, "FREQ=DAILY", "Europe/Paris"
		}, "invite-rule"},
	} {
		l := letters(t)["accepted"]
		c.change(&l)
		var b bytes.Buffer
		if _, err := l.WriteTo(&b); reason(err) != c.want || b.Len() > 0 {
			t.Errorf("%s: got %v, %d octets", name, err, b.Len())
		}
	}
	l := letters(t)["accepted"]
	cause := errors.New("the network")
	if _, err := l.WriteTo(failing{cause}); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	if _, err := agenda.Reply(l.Event, l.From, "", agenda.Cancelled, l.Date); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

// failing is a writer that fails.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestReplyOfHostileNames holds that nothing in an invitation or a name gets out of
// its place in the answer.
func TestReplyOfHostileNames(t *testing.T) {
	t.Parallel()
	e := one(t, "REQUEST", `UID:a";\n,b:c`, `ORGANIZER;CN="x^nBEGIN:VALARM":mailto:`+doctor)
	for _, name := range []string{"x\r\nATTENDEE:mailto:b@c.fr", "\"quoted\"", "a;b:c,d", strings.Repeat("ü", 300), "\u202Ex", "%s%d", "=?utf-8?q?x?="} {
		l := agenda.Letter{
			From: address(t, patient), FromName: name, Method: agenda.Answers, Status: agenda.Accepted, Event: e,
			Date: utc(t, "2026-11-03"), MessageID: "<a>\r\nBcc: x", InReplyTo: "<b@c>\r\nBcc: <x@y>",
		}
		data := write(t, l)
		if bytes.Contains(data, []byte("\r\nBcc")) {
			t.Errorf("%q: a field was added", name)
		}
		p := calendars(t, data)
		m := read(t, p[0].data)
		if len(m.Events) != 1 || len(m.Events[0].Attendees) != 1 || m.Events[0].UID != e.UID || m.Events[0].Attendees[0].Raw != patient {
			t.Errorf("%q: got %+v", name, m.Events)
		}
	}
}
