package agenda_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// TestOpen opens what was sealed, the second time without a public-key operation,
// and finds all of it.
func TestOpen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		data := calendar("REQUEST", european("Hospital"), vevent("DTSTART;TZID=Hospital:20260701T100000", "DURATION:PT1H",
			"RRULE:FREQ=WEEKLY", "EXDATE;TZID=Hospital:20261208T100000", "DESCRIPTION:a\\nb",
			`ORGANIZER;SENT-BY="mailto:`+other+`":mailto:`+doctor))
		want := read(t, data).Events[0]
		want.Letter = "letter-1"
		if _, err := w.accept(want); err != nil {
			t.Fatal(err)
		}
		r := w.rows()[0]
		e, fresh, err := agenda.Open(w.ring, r)
		if err != nil || fresh == nil {
			t.Fatalf("%v, %v", fresh, err)
		}
		want.ID, want.Status, want.Changed = r.ID, agenda.NeedsAction, r.Changed
		want.Organizer.SentBy = identity.Address{} // it has spoken
		if diff := cmp.Diff(want, e, addresses()); diff != "" {
			t.Error(diff)
		}
		if e.Start.Format("15:04 -0700") != "10:00 +0200" {
			t.Errorf("it starts at %v", e.Start)
		}
		w.write(func(tx *store.Tx) error { return agenda.Rewrap(tx, w.space, []agenda.Rewrapped{*fresh}) })
		r = w.rows()[0]
		again, fresh, err := agenda.Open(w.ring, r)
		if r.KeyForm != agenda.UnderSpace || fresh != nil || err != nil || again.UID != e.UID {
			t.Errorf("form %d, %v, %v", r.KeyForm, fresh, err)
		}
	})
}

// TestOpenWhatWasMade holds that an event which was not read but made keeps its people.
func TestOpenWhatWasMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newStore(t))
	made := agenda.Event{
		UID: "made", Method: agenda.Request, Start: utc(t, "2026-12-01 09:00"), End: utc(t, "2026-12-01 10:00"),
		Organizer: agenda.Party{Address: address(t, doctor)}, Attendees: []agenda.Party{{Address: address(t, patient)}},
	}
	if r, err := w.accept(made); r != agenda.Added || err != nil {
		t.Fatal(r, err)
	}
	e := w.events()[0]
	if !e.Organizer.Address.Equal(made.Organizer.Address) || !e.Attendees[0].Address.Equal(made.Attendees[0].Address) {
		t.Errorf("got %v, %v", e.Organizer.Raw, e.Attendees[0].Raw)
	}
}

// TestRewrapOfAnOldVersion holds that a key met before an update does not replace the
// key of what came since.
func TestRewrapOfAnOldVersion(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.step(0, step{said("REQUEST", 0, 0, "SUMMARY:A"), "added"})
		_, fresh, err := agenda.Open(w.ring, w.rows()[0])
		if err != nil {
			t.Fatal(err)
		}
		w.step(1, step{said("REQUEST", 1, 1, "SUMMARY:B"), "updated"})
		w.write(func(tx *store.Tx) error { return agenda.Rewrap(tx, w.space, []agenda.Rewrapped{*fresh}) })
		if got, want := w.state(), "needs-action B"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestOpenNothingElse holds that a record opens with its own key, row and space only.
func TestOpenNothingElse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.step(0, step{said("REQUEST", 0, 0, "UID:a"), "added"})
		w.step(1, step{said("REQUEST", 0, 0, "UID:b"), "added"})
		rows := w.rows()
		for name, change := range map[string]func(r *agenda.Row){
			"record of another":  func(r *agenda.Row) { r.Record = rows[1].Record },
			"key of another":     func(r *agenda.Row) { r.Key = rows[1].Key },
			"version of another": func(r *agenda.Row) { r.Version = rows[1].Version },
			"a flipped bit":      func(r *agenda.Row) { r.Record = slices.Clone(r.Record); r.Record[40] ^= 1 },
		} {
			r := rows[0]
			change(&r)
			if _, _, err := agenda.Open(w.ring, r); !fault.Is(err, fault.Internal) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		stranger, err := seal.NewSpace(identity.NewID(), true)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := agenda.Open(stranger, rows[0]); err == nil {
			t.Error("a stranger's keys open it")
		}
		w.ring.Zero()
		if _, _, err := agenda.Open(w.ring, rows[0]); !fault.Is(err, fault.Denied) {
			t.Errorf("closed space: got %v", err)
		}
	})
}

// TestAnswer answers, and is refused where there is nothing to answer.
func TestAnswer(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var topics []string
	o := store.Options{Clock: clock, Publish: func(t []string) {
		mu.Lock()
		defer mu.Unlock()
		topics = append(topics, t...)
	}}
	storetest.EachWith(t, o, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		published := func() int {
			mu.Lock()
			defer mu.Unlock()
			n := 0
			for _, topic := range topics {
				if topic == agenda.Topic(w.space) {
					n++
				}
			}
			return n
		}
		answer := func(space agenda.SpaceID, id agenda.EventID, version string, s agenda.Status) string {
			return reason(db.Write(t.Context(), func(tx *store.Tx) error { return agenda.Answer(tx, space, id, version, s) }))
		}
		w.step(0, step{said("REQUEST", 0, 0, "SUMMARY:A"), "added"})
		old := w.rows()[0]
		for _, s := range []agenda.Status{agenda.Accepted, agenda.Tentative, agenda.Declined} {
			if got := answer(w.space, old.ID, old.Version, s); got != "" || w.rows()[0].Status != s {
				t.Errorf("%s: %q, %s", s, got, w.rows()[0].Status)
			}
		}
		if got := published(); got != 4 {
			t.Errorf("%d notices, want 4", got)
		}
		for _, s := range []agenda.Status{agenda.NeedsAction, agenda.Cancelled, agenda.Void, "", "ACCEPTED"} {
			if got := answer(w.space, old.ID, old.Version, s); got != "answer-malformed" {
				t.Errorf("%q: %q", s, got)
			}
		}
		if got := answer(w.space, "none", old.Version, agenda.Accepted); got != "event-unknown" {
			t.Errorf("no such event: %q", got)
		}
		if got := answer("another", old.ID, old.Version, agenda.Accepted); got != "event-unknown" {
			t.Errorf("of another space: %q", got)
		}
		w.step(1, step{said("REQUEST", 1, 1, "SUMMARY:B"), "updated"})
		if got := answer(w.space, old.ID, old.Version, agenda.Accepted); got != "event-changed" {
			t.Errorf("an answer to what was: %q", got)
		}
		w.step(2, step{said("CANCEL", 2, 2), "cancelled"})
		r := w.rows()[0]
		if got := answer(w.space, r.ID, r.Version, agenda.Accepted); got != "event-cancelled" {
			t.Errorf("cancelled: %q", got)
		}
		w.step(3, step{said("REQUEST", 0, 0), "stale"})
		if got := published(); got != 6 {
			t.Errorf("%d notices, want 6: one for each change", got)
		}
	})
}

// TestListAndGet lists the newest first, and shows nothing of others or what is only
// remembered.
func TestListAndGet(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *store.DB) {
		w, other := newWorld(t, db), newWorld(t, db)
		for _, uid := range []string{"a", "b", "c"} {
			w.step(0, step{said("REQUEST", 0, 0, "UID:"+uid, "SUMMARY:"+uid), "added"})
		}
		w.step(1, step{said("CANCEL", 0, 0, "UID:z"), "remembered"})
		other.step(2, step{said("REQUEST", 0, 0, "UID:a", "SUMMARY:other"), "added"})
		if got, want := w.state(), "needs-action a; needs-action b; needs-action c"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got, want := other.state(), "needs-action other"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		read := func(fn func(tx *store.Tx) error) error { return db.Read(t.Context(), fn) }
		var two []agenda.Row
		err := read(func(tx *store.Tx) (err error) {
			two, err = agenda.List(tx, w.space, 2)
			return err
		})
		if err != nil || len(two) != 2 || two[0].ID != w.rows()[0].ID || two[0].ID <= two[1].ID {
			t.Errorf("%d rows, %v", len(two), err)
		}
		for _, space := range []agenda.SpaceID{other.space, "none"} {
			err := read(func(tx *store.Tx) error {
				_, err := agenda.Get(tx, space, two[0].ID)
				return err
			})
			if !fault.Is(err, fault.NotFound) || fault.Reason(err) != "event-unknown" {
				t.Errorf("got %v", err)
			}
		}
		var void agenda.EventID
		err = read(func(tx *store.Tx) error {
			return tx.QueryRow(`SELECT event_id FROM agenda_event WHERE status = 'void'`).Scan(&void)
		})
		if err != nil {
			t.Fatal(err)
		}
		err = read(func(tx *store.Tx) error {
			_, err := agenda.Get(tx, w.space, void)
			return err
		})
		if reason(err) != "event-unknown" {
			t.Errorf("what is remembered: %v", err)
		}
	})
}

// TestNothingInClear looks for what a person could read in the database's files.
func TestNothingInClear(t *testing.T) {
	t.Parallel()
	dsn := storetest.SQLiteDSN(t)
	db := storetest.Open(t, dsn, store.Options{Clock: clock})
	w := newWorld(t, db)
	w.step(0, step{said("REQUEST", 0, 0, "UID:uid-secret", "SUMMARY:Cardiologie", "LOCATION:Clinique", "RRULE:FREQ=WEEKLY"), "added"})
	w.step(1, step{said("REQUEST", 1, 1, "UID:uid-secret", week2, "SUMMARY:Cardiologie"), "added"})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(strings.TrimPrefix(dsn, "sqlite:") + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		data := file(t, f)
		for _, secret := range []string{"uid-secret", "Cardiologie", "Clinique", "dr.martin", "patient1", "20261208", "2026-12"} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %q", filepath.Base(f), secret)
			}
		}
	}
}

// TestSealRefuses holds that an event without a UID is not sealed.
func TestSealRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if _, err := agenda.Seal(w.ring.Letters(), w.space, agenda.Event{}); reason(err) != "invite-no-uid" {
		t.Errorf("got %v", err)
	}
}
