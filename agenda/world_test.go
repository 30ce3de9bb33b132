package agenda_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// The people of the tests.
const (
	doctor  = "dr.martin@hopital-a.mss.test"
	other   = "dr.leroy@labo-b.mss.test"
	patient = "patient1@patient.mes.test"
)

// address parses an address.
func address(tb testing.TB, s string) identity.Address {
	tb.Helper()
	a, err := identity.ParseAddress(s)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// calendar makes a calendar of lines, with what must be around them.
func calendar(method string, lines ...string) string {
	if method != "" {
		method = "METHOD:" + method + "\n"
	}
	s := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//FR\n" + method + strings.Join(lines, "\n") + "\nEND:VCALENDAR\n"
	return strings.ReplaceAll(s, "\n", "\r\n")
}

// vevent makes an event of lines; those that come first count for each property.
func vevent(lines ...string) string {
	has := map[string]bool{}
	for _, l := range lines {
		name, _, _ := strings.Cut(l, ":")
		name, _, _ = strings.Cut(name, ";")
		has[strings.TrimPrefix(name, "-")] = true
	}
	for _, l := range []string{
		"UID:rdv-1@hopital-a.mss.test", "DTSTAMP:20261102T090000Z", "DTSTART:20261201T090000Z",
		"DTEND:20261201T093000Z", "SUMMARY:Consultation", "ORGANIZER;CN=Dr Martin:mailto:" + doctor,
		"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:" + patient,
	} {
		name, _, _ := strings.Cut(l, ":")
		name, _, _ = strings.Cut(name, ";")
		if name == "DTEND" && (has["DURATION"] || has["DTSTART"]) {
			continue // the standard end goes with the standard start
		}
		if !has[name] {
			lines = append(lines, l)
		}
	}
	kept := lines[:0]
	for _, l := range lines {
		if !strings.HasPrefix(l, "-") { // "-NAME:" leaves a property out
			kept = append(kept, l)
		}
	}
	return "BEGIN:VEVENT\n" + strings.Join(kept, "\n") + "\nEND:VEVENT"
}

// read reads a calendar that must be good.
func read(tb testing.TB, s string) *agenda.Message {
	tb.Helper()
	m, err := agenda.Read(strings.NewReader(s), agenda.Limits{})
	if err != nil {
		tb.Fatalf("%v\n%s", err, s)
	}
	return m
}

// one reads a calendar of one event.
func one(tb testing.TB, method string, lines ...string) agenda.Event {
	tb.Helper()
	m := read(tb, calendar(method, vevent(lines...)))
	if len(m.Events) != 1 {
		tb.Fatalf("%d events", len(m.Events))
	}
	return m.Events[0]
}

// reason returns the reason of an error, "" for none.
func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Reason(err)
}

// corpus returns a folder of the sample corpora. Without them the test is skipped,
// unless CORPUS=required.
func corpus(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("CORPUS_DIR")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "data")
	}
	dir := filepath.Join(root, filepath.FromSlash(name))
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CORPUS") == "required" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return dir
}

// eachFile runs f on each file of a corpus folder.
func eachFile(t *testing.T, folder string, f func(name string, data []byte)) {
	t.Helper()
	dir := corpus(t, folder)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		f(e.Name(), data)
	}
}

// clock is the time of the tests' transactions, after the letters' DTSTAMP.
func clock() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

// each runs a test on both engines.
func each(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	storetest.EachWith(t, store.Options{Clock: clock}, test)
}

// world is an operator with a patient's space.
type world struct {
	tb    testing.TB
	db    *store.DB
	works *seal.Works
	ring  *seal.Keyring
	space agenda.SpaceID
}

func newWorld(tb testing.TB, db *store.DB) *world {
	tb.Helper()
	p, err := seal.KeyFile(filepath.Join(tb.TempDir(), "platform.key"))
	if err != nil {
		tb.Fatal(err)
	}
	works, _, err := seal.NewWorks(p)
	if err != nil {
		tb.Fatal(err)
	}
	id := identity.NewID()
	ring, err := seal.NewSpace(id, true)
	if err != nil {
		tb.Fatal(err)
	}
	return &world{tb, db, works, ring, agenda.SpaceID(id)}
}

// write runs fn in a transaction that must succeed.
func (w *world) write(fn func(tx *store.Tx) error) {
	w.tb.Helper()
	if err := w.db.Write(w.tb.Context(), fn); err != nil {
		w.tb.Fatal(err)
	}
}

// accept seals and accepts an event.
func (w *world) accept(e agenda.Event) (agenda.Result, error) {
	w.tb.Helper()
	s, err := agenda.Seal(w.ring.Letters(), w.space, e)
	if err != nil {
		w.tb.Fatal(err)
	}
	var r agenda.Result
	err = w.db.Write(w.tb.Context(), func(tx *store.Tx) (err error) {
		r, err = agenda.Accept(tx, w.works, s)
		return err
	})
	return r, err
}

// deliver judges and accepts each event of a calendar as filing does, and returns
// the results, or the reason of the first fault.
func (w *world) deliver(sender, data string) []string {
	w.tb.Helper()
	m, err := agenda.Read(strings.NewReader(data), agenda.Limits{})
	if err != nil {
		return []string{fault.Reason(err)}
	}
	if err := agenda.Judge(m, m.Method, address(w.tb, sender), address(w.tb, patient)); err != nil {
		return []string{fault.Reason(err)}
	}
	var out []string
	for _, e := range m.Events {
		r, err := w.accept(e)
		if err != nil {
			return append(out, fault.Reason(err))
		}
		out = append(out, r.String())
	}
	return out
}

// rows lists the agenda.
func (w *world) rows() (rows []agenda.Row) {
	w.tb.Helper()
	err := w.db.Read(w.tb.Context(), func(tx *store.Tx) (err error) {
		rows, err = agenda.List(tx, w.space, 1000)
		return err
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	return rows
}

// events lists and opens the agenda, oldest first.
func (w *world) events() []agenda.Event {
	w.tb.Helper()
	var out []agenda.Event
	for _, r := range w.rows() {
		e, _, err := agenda.Open(w.ring, r)
		if err != nil {
			w.tb.Fatal(err)
		}
		out = append([]agenda.Event{e}, out...)
	}
	return out
}

// state tells the agenda in short: instance, status and title of each event.
func (w *world) state() string {
	w.tb.Helper()
	var out []string
	for _, e := range w.events() {
		instance := e.RecurrenceID
		if e.Following {
			instance += "+"
		}
		out = append(out, strings.TrimSpace(instance+" "+string(e.Status)+" "+e.Summary))
	}
	return strings.Join(out, "; ")
}

// utc parses a time of tests.
func utc(tb testing.TB, s string) time.Time {
	tb.Helper()
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	tb.Fatalf("time %q", s)
	return time.Time{}
}

// file reads a file.
func file(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// newStore opens a fresh SQLite database with the clock of the tests.
func newStore(tb testing.TB) *store.DB {
	tb.Helper()
	return storetest.Open(tb, storetest.SQLiteDSN(tb), store.Options{Clock: clock})
}
