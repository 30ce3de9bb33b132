package agenda_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/store"
)

// checkEvent holds what is true of every event that was read.
func checkEvent(t *testing.T, name string, e *agenda.Event) {
	t.Helper()
	for what, text := range map[string]string{
		"summary": e.Summary, "location": e.Location, "description": e.Description, "zone": e.Zone,
		"organizer": e.Organizer.Name + e.Organizer.Raw, "state": e.State,
	} {
		if !plainText(text) || what != "description" && strings.Contains(text, "\n") {
			t.Errorf("%s: %s is not plain: %q", name, what, text)
		}
	}
	if len(e.Summary) > 500 || len(e.Location) > 1000 || len(e.Description) > 16<<10 || len(e.UID) > 1000 || len(e.Attendees) > 300 {
		t.Errorf("%s: too long", name)
	}
	if e.End.Before(e.Start) || e.AllDay && e.Floating || e.Start.IsZero() && !e.End.IsZero() {
		t.Errorf("%s: %s", name, when(*e))
	}
	from := e.Start.AddDate(0, 0, -3)
	starts, _ := agenda.Expand(*e, from, from.AddDate(5, 0, 0), 0)
	if len(starts) > 1000 {
		t.Errorf("%s: %d occurrences", name, len(starts))
	}
	for i, s := range starts {
		if i > 0 && !starts[i-1].Before(s) || s.After(from.AddDate(2, 0, 0)) {
			t.Errorf("%s: occurrence %v", name, s)
		}
	}
}

// plainText reports whether text holds nothing that hides, turns or ends other text.
func plainText(s string) bool {
	return strings.ToValidUTF8(s, "") == s && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\t' || r == 0x7F || r >= 0x80 && r < 0xA0 ||
			r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x200E || r == 0x200F || r == 0xFEFF
	})
}

// TestCorpusCalendars reads real calendars, good and broken: nearly all are
// understood, and those that are not are fragments.
func TestCorpusCalendars(t *testing.T) {
	t.Parallel()
	files, whole, events, understood := 0, 0, 0, 0
	broken := map[string]bool{ // truncated, or ends as VCALENDARD
		"calendars_small_bad_calendar.ics": true, "calendars_timezone_same_start_and_offset.ics": true,
	}
	eachFile(t, "ics", func(name string, data []byte) {
		files++
		begin := time.Now()
		m, err := agenda.Read(bytes.NewReader(data), agenda.Limits{})
		if took := time.Since(begin); took > time.Second { // a few ms; the machine may be busy
			t.Errorf("%s took %v", name, took)
		}
		calendar := bytes.HasPrefix(bytes.ToUpper(bytes.TrimLeft(data, "\uFEFF\r\n ")), []byte("BEGIN:VCALENDAR"))
		if (err == nil) != (calendar && !broken[name]) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			return
		}
		whole++
		for i := range m.Events {
			e := &m.Events[i]
			checkEvent(t, name, e)
			if !e.Start.IsZero() || e.Warned("start-unreadable") { // fragments have no DTSTART
				events++
			}
			if !e.Start.IsZero() && !e.Warned("zone-unknown") && !e.Warned("event-ambiguous") {
				understood++
			}
		}
	})
	t.Logf("%d files, %d calendars, %d events, %d understood", files, whole, events, understood)
	if understood*100 < events*97 || files < 200 { // the others name a zone that nobody defines, or are broken
		t.Errorf("%d of %d events understood in %d files", understood, events, files)
	}
}

// TestCorpusInvitations takes the invitations of real letters through the whole way,
// as the person they are for.
func TestCorpusInvitations(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"calendar.eml": "COUNTER calendar-malformed", "cancel-repeat-event.eml": "CANCEL remembered",
		"cancel-single-event.eml": "CANCEL remembered", "exception-major.eml": "REQUEST added",
		"exception-minor.eml": "REQUEST added", "ics_in_header.eml": "REPLY calendar-malformed",
		"invitationEmailFromOP.eml": "REQUEST added", "message-containing-event.eml": "PUBLISH invite-method-unsupported",
		"message-non-invite.eml": " invite-method-missing", "repeat-event.eml": "REQUEST added",
		"repeat-update-major.eml": "REQUEST added", "single-event.eml": "REQUEST added",
		"teams-meeting-invite.eml": "REQUEST added", "update-minor.eml": "REQUEST added",
	}
	each(t, func(t *testing.T, db *store.DB) {
		eachFile(t, "imip-eml", func(name string, data []byte) {
			w := newWorld(t, db)
			for _, p := range calendars(t, data) {
				if got := w.invitation(t, name, p); got != want[name] {
					t.Errorf("%s: got %q, want %q", name, got, want[name])
				}
			}
		})
	})
}

// invitation takes a calendar part from its organizer to its other attendee, and
// tells its method and what became of it.
func (w *world) invitation(t *testing.T, name string, p calendarPart) string {
	t.Helper()
	m, err := agenda.Read(strings.NewReader(p.data), agenda.Limits{})
	if err != nil {
		return p.method + " " + reason(err)
	}
	var me identity.Address
	organizer := m.Events[0].Organizer.Address
	for i := range m.Events {
		e := &m.Events[i]
		checkEvent(t, name, e)
		if e.Start.IsZero() && m.Method != agenda.Cancel || len(e.Warnings) > 0 {
			t.Errorf("%s: %s", name, when(*e))
		}
		for _, a := range e.Attendees {
			if !a.Address.Equal(organizer) {
				me = a.Address
			}
		}
	}
	got := []string{p.method}
	if err := agenda.Judge(m, p.method, organizer, me); err != nil {
		return p.method + " " + reason(err)
	}
	for _, e := range m.Events {
		r, err := w.accept(e)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got = append(got, r.String())
	}
	return strings.Join(got, " ")
}

// TestCorpusSeries takes the letters of one series in order: request, one instance
// moved, all cancelled.
func TestCorpusSeries(t *testing.T) {
	t.Parallel()
	dir := corpus(t, "imip-eml")
	each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		var got []string
		for _, name := range []string{"repeat-event.eml", "exception-minor.eml", "cancel-repeat-event.eml", "exception-minor.eml"} {
			for _, p := range calendars(t, file(t, filepath.Join(dir, name))) {
				got = append(got, w.invitation(t, name, p))
			}
		}
		got = append(got, w.state())
		want := "REQUEST added, REQUEST added, CANCEL cancelled, REQUEST stale, " +
			"cancelled Repeat Event; 20220317T110000Z cancelled Exception title"
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("got %q", text)
		}
	})
}

// hostileManifest is the part of hostile/MANIFEST.json that is used here.
type hostileManifest struct {
	Vectors []struct {
		File   string `json:"file"`
		Class  string `json:"cls"`
		Expect struct {
			Outcome string `json:"outcome"`
		} `json:"expect"`
	} `json:"vectors"`
}

// TestHostileCalendars takes every hostile calendar through the whole way, from the
// doctor to the patient, beside an event that is there already. Reading and expanding
// takes at most 200 ms and little memory; nothing is confirmed, nothing else changes;
// what is malicious beside its payload is refused with the reason it was made for.
func TestHostileCalendars(t *testing.T) {
	t.Parallel()
	dir := corpus(t, "hostile")
	var m hostileManifest
	if err := json.Unmarshal(file(t, filepath.Join(dir, "MANIFEST.json")), &m); err != nil {
		t.Fatal(err)
	}
	db := newStore(t)
	taken := 0
	for _, v := range m.Vectors {
		name, isCalendar := strings.CutPrefix(v.File, "ics/")
		if !isCalendar {
			continue
		}
		taken++
		data := file(t, filepath.Join(dir, "ics", name))
		name = strings.TrimSuffix(name, ".ics")
		checkCost(t, name, data)
		w := newWorld(t, db)
		w.step(0, step{said("REQUEST", 5, 0, "UID:own", "SUMMARY:own"), "added"})
		got := strings.Join(w.deliverAs("REQUEST", data), " ")
		if want := hostileResult(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		for _, e := range w.events() {
			if e.Status != agenda.NeedsAction || e.Organizer.Raw != doctor || strings.Contains(e.Organizer.Name, "\n") {
				t.Errorf("%s: %s by %q", name, e.Status, e.Organizer.Raw)
			}
			checkEvent(t, name, &e)
		}
		if !strings.Contains(w.state(), "needs-action own") {
			t.Errorf("%s: another event changed: %s", name, w.state())
		}
	}
	if taken < 50 {
		t.Errorf("%d vectors", taken)
	}
}

// checkCost holds what reading and expanding may cost. Other tests run beside it: the
// best of five counts.
func checkCost(t *testing.T, name string, data []byte) {
	t.Helper()
	took, size := time.Hour, uint64(1<<40)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		m, err := agenda.Read(bytes.NewReader(data), agenda.Limits{})
		if err == nil {
			for i := range m.Events {
				checkEvent(t, name, &m.Events[i])
			}
		}
		took = min(took, time.Since(begin))
		runtime.ReadMemStats(&after)
		if size = min(size, after.TotalAlloc-before.TotalAlloc); took < 20*time.Millisecond && size < 32<<20 {
			return
		}
	}
	if took > 200*time.Millisecond {
		t.Errorf("%s took %v", name, took)
	}
	if size > 64<<20 {
		t.Errorf("%s took %d MiB", name, size>>20)
	}
}

// deliverAs is deliver with the method that the part's Content-Type says.
func (w *world) deliverAs(method string, data []byte) []string {
	w.tb.Helper()
	m, err := agenda.Read(bytes.NewReader(data), agenda.Limits{})
	if err != nil {
		return []string{reason(err)}
	}
	if m.Method == agenda.Cancel || m.Method == "ADD" || m.Method == agenda.Answers {
		method = m.Method
	}
	if err := agenda.Judge(m, method, address(w.tb, doctor), address(w.tb, patient)); err != nil {
		return []string{reason(err)}
	}
	var out []string
	for _, e := range m.Events {
		r, err := w.accept(e)
		if err != nil {
			return append(out, reason(err))
		}
		out = append(out, r.String())
	}
	return out
}

// hostileResult is what becomes of each hostile calendar: those whose payload is
// dropped are invitations like others.
func hostileResult(name string) string {
	results := map[string]string{
		"abuse-alarm-10k": "calendar-too-many-components", "attendees-20k": "calendar-too-many-properties",
		"events-10k": "calendar-too-many-events", "fold-500k": "calendar-too-large",
		"nest-5000": "calendar-too-deep", "rdate-20k": "calendar-too-many-properties",
		"vtimezone-giant": "calendar-too-many-components",
		"dt-bad-date":     "invite-dates", "dt-end-before": "invite-dates", "dt-two-start": "invite-ambiguous",
		"dt-year0": "invite-dates", "dt-year9999-dur": "invite-dates",
		"itip-add-no-master": "invite-method-unsupported", "itip-cancel-not-organizer": "invite-sender-not-organizer",
		"itip-method-mismatch": "invite-method-mismatch", "itip-recurid-future": "invite-rule",
		"itip-reply-other": "invite-method-unsupported", "itip-sequence-max": "invite-sequence",
		"itip-sequence-rollback": "invite-sequence",
	}
	if r, named := results[name]; named {
		return r
	}
	return "added"
}
