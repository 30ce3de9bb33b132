package agenda_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// step is a letter and what it is to become, or an answer ("accepted 0": to event 0).
type step struct{ letter, want string }

// said makes a letter: method, SEQUENCE, the minute of DTSTAMP, and lines.
func said(method string, sequence, minute int, lines ...string) string {
	lines = append([]string{fmt.Sprint("SEQUENCE:", sequence), fmt.Sprintf("DTSTAMP:20261102T09%02d00Z", minute)}, lines...)
	return calendar(method, vevent(lines...))
}

// The lines of an instance.
const (
	week2 = "RECURRENCE-ID:20261208T090000Z"
	from2 = "RECURRENCE-ID;RANGE=THISANDFUTURE:20261208T090000Z"
)

// TestAccept holds what stands after letters in any order.
func TestAccept(t *testing.T) {
	t.Parallel()
	title := func(s string) string { return "SUMMARY:" + s }
	weekly := "RRULE:FREQ=WEEKLY"
	cases := map[string]struct {
		steps []step
		state string
	}{
		"a request waits for an answer": {
			[]step{{said("REQUEST", 0, 0, title("A"), "STATUS:CONFIRMED"), "added"}}, "needs-action A",
		},
		"organizers accept for nobody": {
			[]step{{said("REQUEST", 0, 0, title("A"), "ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+patient), "added"}}, "needs-action A",
		},
		"twice the same": {
			[]step{{said("REQUEST", 0, 0, title("A")), "added"}, {said("REQUEST", 0, 0, title("A")), "stale"}}, "needs-action A",
		},
		"a newer stamp": {
			[]step{{said("REQUEST", 0, 0, title("A")), "added"}, {said("REQUEST", 0, 1, title("B")), "updated"}}, "needs-action B",
		},
		"an older stamp": {
			[]step{{said("REQUEST", 0, 1, title("B")), "added"}, {said("REQUEST", 0, 0, title("A")), "stale"}}, "needs-action B",
		},
		"a higher sequence, an older stamp": {
			[]step{{said("REQUEST", 0, 1, title("A")), "added"}, {said("REQUEST", 1, 0, title("B")), "updated"}}, "needs-action B",
		},
		"a lower sequence, a newer stamp": {
			[]step{{said("REQUEST", 2, 0, title("B")), "added"}, {said("REQUEST", 1, 9, title("A")), "stale"}}, "needs-action B",
		},
		"an answer stays while the sequence does": {
			[]step{{said("REQUEST", 1, 0, title("A")), "added"}, {"accepted 0", ""}, {said("REQUEST", 1, 1, title("B")), "updated"}}, "accepted B",
		},
		"an answer is asked for anew": {
			[]step{{said("REQUEST", 1, 0, title("A")), "added"}, {"accepted 0", ""}, {said("REQUEST", 2, 1, title("B")), "updated"}}, "needs-action B",
		},
		"a cancellation": {
			[]step{{said("REQUEST", 0, 0, title("A")), "added"}, {said("CANCEL", 1, 1, title("x")), "cancelled"}}, "cancelled A",
		},
		"a cancellation of a cancelled one": {
			[]step{{said("REQUEST", 0, 0, title("A")), "added"}, {said("CANCEL", 1, 1), "cancelled"}, {said("CANCEL", 1, 1), "stale"}, {said("CANCEL", 1, 2), "cancelled"}}, "cancelled A",
		},
		"at a tie a cancellation wins, last": {
			[]step{{said("REQUEST", 0, 0, title("A")), "added"}, {said("CANCEL", 0, 0), "cancelled"}}, "cancelled A",
		},
		"at a tie a cancellation wins, first": {
			[]step{{said("CANCEL", 0, 0), "remembered"}, {said("REQUEST", 0, 0, title("A")), "stale"}}, "",
		},
		"an older cancellation": {
			[]step{{said("REQUEST", 2, 0, title("A")), "added"}, {said("CANCEL", 1, 9), "stale"}}, "needs-action A",
		},
		"STATUS:CANCELLED in a request": {
			[]step{{said("REQUEST", 0, 0, title("A")), "added"}, {said("REQUEST", 1, 1, "STATUS:CANCELLED"), "cancelled"}}, "cancelled A",
		},
		"a cancellation before its request": {
			[]step{{said("CANCEL", 1, 1), "remembered"}, {said("REQUEST", 0, 0, title("A")), "stale"}}, "",
		},
		"a cancellation before a newer request": {
			[]step{{said("CANCEL", 1, 1), "remembered"}, {said("REQUEST", 2, 2, title("A")), "added"}}, "needs-action A",
		},
		"asked for again after a cancellation": {
			[]step{{said("REQUEST", 0, 0, title("A")), "added"}, {"accepted 0", ""}, {said("CANCEL", 1, 1), "cancelled"}, {said("REQUEST", 2, 2, title("B")), "added"}}, "needs-action B",
		},
		"another organizer": {
			[]step{{said("REQUEST", 0, 0, title("A")), "added"}, {by(other, said("REQUEST", 9, 9, title("B"))), "invite-other-organizer"}, {by(other, said("CANCEL", 9, 9)), "invite-other-organizer"}}, "needs-action A",
		},
		"another organizer, one instance": {
			[]step{{said("REQUEST", 0, 0, title("A"), weekly), "added"}, {by(other, said("CANCEL", 9, 9, week2)), "invite-other-organizer"}}, "needs-action A",
		},
		"another organizer does not make forget": {
			[]step{{said("CANCEL", 5, 5), "remembered"}, {by(other, said("CANCEL", 9, 9)), "stale"}, {said("REQUEST", 0, 0), "stale"}}, "",
		},
		"another organizer is not bound": {
			[]step{{by(other, said("CANCEL", 9, 9)), "remembered"}, {said("REQUEST", 0, 0, title("A")), "added"}}, "needs-action A",
		},
		"one instance cancelled": {
			[]step{{said("REQUEST", 0, 0, title("A"), weekly), "added"}, {said("CANCEL", 1, 1, week2, title("x")), "cancelled"}},
			"needs-action A; 20261208T090000Z cancelled x",
		},
		"one instance moved": {
			[]step{{said("REQUEST", 0, 0, title("A"), weekly), "added"}, {"accepted 0", ""}, {said("REQUEST", 1, 1, week2, title("M")), "added"}},
			"accepted A; 20261208T090000Z needs-action M",
		},
		"one instance without its series": {
			[]step{{said("REQUEST", 0, 0, week2, title("M")), "added"}, {said("REQUEST", 0, 1, title("A"), weekly), "added"}},
			"20261208T090000Z needs-action M; needs-action A",
		},
		"one instance cancelled without its series": {
			[]step{{said("CANCEL", 1, 1, week2), "remembered"}, {said("REQUEST", 0, 0, week2, title("M")), "stale"}}, "",
		},
		"an instance older than the series": {
			[]step{{said("REQUEST", 2, 2, title("A"), weekly), "added"}, {said("REQUEST", 1, 1, week2, title("M")), "stale"}, {said("CANCEL", 1, 9, week2), "stale"}}, "needs-action A",
		},
		"a series that was rescheduled": {
			[]step{{said("REQUEST", 0, 0, title("A"), weekly), "added"}, {said("REQUEST", 1, 1, week2, title("M")), "added"}, {said("REQUEST", 2, 2, title("B"), weekly), "updated"}, {said("REQUEST", 1, 3, week2), "stale"}}, "needs-action B",
		},
		"a series that was corrected": {
			[]step{{said("REQUEST", 1, 0, title("A"), weekly), "added"}, {said("REQUEST", 1, 1, week2, title("M")), "added"}, {said("REQUEST", 1, 2, title("B"), weekly), "updated"}},
			"needs-action B; 20261208T090000Z needs-action M",
		},
		"a series cancelled": {
			[]step{{said("REQUEST", 0, 0, title("A"), weekly), "added"}, {said("REQUEST", 1, 1, week2, title("M")), "added"}, {said("CANCEL", 2, 2), "cancelled"}},
			"cancelled A; 20261208T090000Z cancelled M",
		},
		"a series cancelled, known by an instance": {
			[]step{{said("REQUEST", 1, 1, week2, title("M")), "added"}, {said("CANCEL", 2, 2), "cancelled"}, {said("REQUEST", 1, 3, title("A"), weekly), "stale"}},
			"20261208T090000Z cancelled M",
		},
		"an instance of a cancelled series, older": {
			[]step{{said("REQUEST", 0, 0, title("A"), weekly), "added"}, {said("CANCEL", 1, 5), "cancelled"}, {said("REQUEST", 1, 1, week2), "stale"}}, "cancelled A",
		},
		"an instance of a cancelled series, newer": {
			[]step{{said("REQUEST", 0, 0, title("A"), weekly), "added"}, {said("CANCEL", 1, 5), "cancelled"}, {said("REQUEST", 2, 6, week2, title("M")), "added"}},
			"cancelled A; 20261208T090000Z needs-action M",
		},
		"this and the following cancelled": {
			[]step{{said("REQUEST", 0, 0, title("A"), weekly), "added"}, {said("CANCEL", 1, 1, from2, title("x")), "cancelled"}},
			"needs-action A; 20261208T090000Z+ cancelled x",
		},
		"this and the following, then this": {
			[]step{{said("REQUEST", 0, 0, title("A"), weekly), "added"}, {said("REQUEST", 1, 1, from2, title("F")), "added"}, {said("REQUEST", 1, 2, week2, title("M")), "added"}},
			"needs-action A; 20261208T090000Z+ needs-action F; 20261208T090000Z needs-action M",
		},
		"a series with its instances": {
			[]step{{calendar("REQUEST", vevent("SEQUENCE:1", week2, title("M")), vevent("SEQUENCE:1", weekly, title("A"))), "added added"}},
			"needs-action A; 20261208T090000Z needs-action M",
		},
		"adding without a series": {
			[]step{{said("ADD", 0, 0), "invite-method-unsupported"}}, "",
		},
		"no stamp": {
			[]step{{calendar("REQUEST", vevent("-DTSTAMP", title("A"))), "added"}, {calendar("REQUEST", vevent("-DTSTAMP", title("B"))), "stale"}, {said("REQUEST", 0, 0, title("C")), "updated"}}, "needs-action C",
		},
		"two events": {
			[]step{{said("REQUEST", 0, 0, "UID:a", title("A")), "added"}, {said("REQUEST", 0, 0, "UID:b", title("B")), "added"}, {said("CANCEL", 1, 1, "UID:a"), "cancelled"}}, "cancelled A; needs-action B",
		},
		"a uid like a path": {
			[]step{{said("REQUEST", 0, 0, "UID:../../../tmp/x", title("A")), "added"}}, "needs-action A",
		},
	}
	each(t, func(t *testing.T, db *store.DB) {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				for i, s := range c.steps {
					w.step(i, s)
				}
				if got := w.state(); got != c.state {
					t.Errorf("got %q, want %q", got, c.state)
				}
			})
		}
	})
}

// by makes another the organizer of a letter, who sends it too.
func by(sender, letter string) string {
	return sender + "\n" + strings.ReplaceAll(letter, "mailto:"+doctor, "mailto:"+sender)
}

// step delivers a letter or answers an event.
func (w *world) step(i int, s step) {
	w.tb.Helper()
	if !strings.Contains(s.letter, "VCALENDAR") {
		var status agenda.Status
		var number int
		if _, err := fmt.Sscan(s.letter, &status, &number); err != nil {
			w.tb.Fatal(err)
		}
		e := w.rows()
		r := e[len(e)-1-number]
		w.write(func(tx *store.Tx) error { return agenda.Answer(tx, w.space, r.ID, r.Version, status) })
		return
	}
	sender, data := doctor, s.letter
	if !strings.HasPrefix(data, "BEGIN") {
		sender, data, _ = strings.Cut(data, "\n")
	}
	if got := strings.Join(w.deliver(sender, data), " "); got != s.want {
		w.tb.Errorf("step %d: got %q, want %q", i, got, s.want)
	}
}

// TestAcceptInAnyOrder holds that letters about one event end in the same state
// whatever the order in which they arrive.
func TestAcceptInAnyOrder(t *testing.T) {
	t.Parallel()
	letters := []string{
		said("REQUEST", 0, 0, "SUMMARY:A", "RRULE:FREQ=WEEKLY"), said("REQUEST", 0, 5, "SUMMARY:B", "RRULE:FREQ=WEEKLY"),
		said("CANCEL", 1, 3), said("REQUEST", 2, 4, "SUMMARY:C", "RRULE:FREQ=WEEKLY"),
	}
	db := newStore(t)
	for i := range 24 {
		w := newWorld(t, db)
		left, n := slices.Clone(letters), i
		for size := len(left); size > 0; size-- {
			w.deliver(doctor, left[n%size])
			left = slices.Delete(left, n%size, n%size+1)
			n /= size
		}
		if got, want := w.state(), "needs-action C"; got != want {
			t.Errorf("order %d: got %q, want %q", i, got, want)
		}
	}
}

// TestAcceptAtOnce holds that letters which arrive at the same time end in the newest
// state, with one row, for a UID that nobody knew.
func TestAcceptAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for round := range 5 {
			uid := fmt.Sprint("UID:", round)
			var all sync.WaitGroup
			for n := range 8 {
				e := read(t, said("REQUEST", n, 59-n, uid, fmt.Sprint("SUMMARY:", round, ".", n))).Events[0]
				s, err := agenda.Seal(w.ring.Letters(), w.space, e)
				if err != nil {
					t.Fatal(err)
				}
				all.Go(func() {
					err := db.Write(t.Context(), func(tx *store.Tx) error {
						_, err := agenda.Accept(tx, w.works, s)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		}
		if got, want := w.state(), "needs-action 0.7; needs-action 1.7; needs-action 2.7; needs-action 3.7; needs-action 4.7"; sorted(got) != want {
			t.Errorf("got %q", got)
		}
	})
}

// sorted sorts what state tells.
func sorted(state string) string {
	parts := strings.Split(state, "; ")
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

// TestFutureStamp holds that a DTSTAMP of tomorrow does not make the letters of
// today stale.
func TestFutureStamp(t *testing.T) {
	t.Parallel()
	now := utc(t, "2026-11-02 10:00")
	storetest.EachWith(t, store.Options{Clock: func() time.Time { return now }}, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.step(0, step{calendar("REQUEST", vevent("DTSTAMP:20980101T000000Z", "SUMMARY:A")), "added"})
		w.step(1, step{calendar("REQUEST", vevent("DTSTAMP:20261102T100001Z", "SUMMARY:B")), "stale"})
		w.step(2, step{said("CANCEL", 0, 59), "stale"})
		w.step(3, step{said("REQUEST", 1, 59, "SUMMARY:C"), "updated"})
		if got, want := w.state(), "needs-action C"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestAgendaFull holds that one space's rows are bounded, and the fault's kind.
func TestAgendaFull(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.step(0, step{said("REQUEST", 0, 0, "SUMMARY:A"), "added"})
		w.write(func(tx *store.Tx) error {
			_, err := tx.Exec(`UPDATE agenda SET events = 5000 WHERE space_id = $1`, string(w.space))
			return err
		})
		w.step(1, step{said("REQUEST", 0, 0, "UID:b"), "agenda-full"})
		w.step(2, step{said("REQUEST", 1, 1, "SUMMARY:B"), "updated"})
		if _, err := w.accept(one(t, "REQUEST", "UID:c")); !fault.Is(err, fault.OverQuota) {
			t.Errorf("got %v", err)
		}
	})
}
