package account_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func (w *world) left(person identity.PersonID) (n int) {
	w.t.Helper()
	w.write(func(tx *store.Tx) (err error) {
		n, err = account.RecoveryLeft(tx, person)
		return err
	})
	return n
}

// session begins a session of a person at a moment.
func (w *world) session(person identity.PersonID, device string, at time.Time) (account.WebSession, account.Token) {
	w.t.Helper()
	s, token, err := account.PrepareWebSession(w.works, account.WebSession{Person: person, Box: "box", Proof: "web-password", Device: device}, at)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(tx *store.Tx) error { return account.AddWebSession(tx, s) })
	return s.WebSession, token
}

func (w *world) sessions(person identity.PersonID, at time.Time) (all []account.WebSession) {
	w.t.Helper()
	w.write(func(tx *store.Tx) (err error) {
		all, err = account.WebSessions(tx, w.works, person, at)
		return err
	})
	return all
}

func TestASessionIsFoundByItsTokenOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		now := time.Now().UTC().Truncate(time.Microsecond)
		s, token := w.session("anne", "Firefox, Android", now)
		if len(token.Reveal()) != 43 || strings.Contains(fmt.Sprint(token, s), token.Reveal()) || fmt.Sprintf("%v", token) != "[redacted]" {
			t.Errorf("token %v", token)
		}
		find := func(text string) (got account.WebSession, err error) {
			err = db.Read(t.Context(), func(tx *store.Tx) (err error) {
				got, err = account.FindWebSession(tx, w.works, account.ParseToken(text))
				return err
			})
			return got, err
		}
		got, err := find(token.Reveal())
		if err != nil || got.ID != s.ID || got.Person != "anne" || got.Box != "box" || !got.Created.Equal(now) || got.Ended(now) {
			t.Errorf("got %+v, %v", got, err)
		}
		for _, text := range []string{"", s.ID, token.Reveal() + "A", token.Reveal()[:42], strings.Repeat("A", 1000)} {
			if _, err := find(text); reason(err) != "session-unknown" {
				t.Errorf("%d octets: %v", len(text), err)
			}
		}
		var rows string
		w.write(func(tx *store.Tx) error {
			var mac, record []byte
			err := tx.QueryRow(`SELECT token_mac, record FROM web_session`).Scan(&mac, &record)
			rows = string(mac) + string(record)
			return err
		})
		if strings.Contains(rows, token.Reveal()) || strings.Contains(rows, "Firefox") {
			t.Error("the row shows the token or the device")
		}
		if all := w.sessions("anne", now); len(all) != 1 || all[0].Device != "Firefox, Android" {
			t.Errorf("listed %+v", all)
		}
		if all := w.sessions("paul", now); len(all) != 0 {
			t.Errorf("somebody else sees %+v", all)
		}
	})
}

func TestASessionEndsByAgeAndSilence(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, c := range []struct {
		seen, age time.Duration
		ended     bool
	}{
		{0, 0, false},
		{29 * time.Minute, 29 * time.Minute, false},
		{30 * time.Minute, 30 * time.Minute, true},
		{time.Minute, 12*time.Hour - 1, false},
		{time.Minute, 12 * time.Hour, true},
	} {
		s := account.WebSession{Seen: now.Add(-c.seen), Expires: now.Add(account.WebLength - c.age)}
		if got := s.Ended(now); got != c.ended {
			t.Errorf("%+v: %t", c, got)
		}
		if got := s.Stale(now); got != (c.seen >= time.Minute) {
			t.Errorf("%+v is stale: %t", c, got)
		}
	}
}

func TestSessionsAreEndedOneByOneAndInBulk(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		now := time.Now().UTC()
		count := func(person identity.PersonID) int { return len(w.sessions(person, now)) }
		first, _ := w.session("anne", "a", now)
		second, _ := w.session("anne", "b", now)
		other, _ := w.session("paul", "c", now)
		end := func(person identity.PersonID, id string) error {
			return db.Write(t.Context(), func(tx *store.Tx) error { return account.EndWebSession(tx, person, id) })
		}
		if err := end("anne", other.ID); reason(err) != "session-unknown" || count("paul") != 1 {
			t.Errorf("somebody else's: %v", err)
		}
		if err := end("anne", first.ID); err != nil || count("anne") != 1 {
			t.Errorf("one's own: %v", err)
		}
		w.session("anne", "d", now)
		w.write(func(tx *store.Tx) error {
			n, err := account.EndOtherWebSessions(tx, "anne", second.ID)
			if n != 1 {
				t.Errorf("%d others ended", n)
			}
			return err
		})
		if all := w.sessions("anne", now); len(all) != 1 || all[0].ID != second.ID {
			t.Errorf("left %+v", all)
		}
		// Silence, and requests in between.
		w.write(func(tx *store.Tx) error {
			return account.SeenWebSession(tx, "anne", second.ID, now.Add(20*time.Minute))
		})
		w.write(func(tx *store.Tx) error {
			n, err := account.SweepWebSessions(tx, now.Add(31*time.Minute), 10)
			if n != 1 {
				t.Errorf("%d swept", n)
			}
			return err
		})
		if count("paul") != 0 || count("anne") != 1 {
			t.Errorf("%d and %d left", count("paul"), count("anne"))
		}
		for i := range 30 {
			w.session("anne", fmt.Sprint(i), now.Add(time.Duration(i)*time.Second))
		}
		if all := w.sessions("anne", now); len(all) != 20 || all[0].Device != "29" {
			t.Errorf("%d sessions at once, newest on %q", len(all), all[0].Device)
		}
		w.write(func(tx *store.Tx) error { return account.Withdraw(tx, "box", "anne") })
		if count("anne") != 0 {
			t.Error("who lost the box has sessions")
		}
	})
}
