package outcome_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func newBook(t *testing.T) *outcome.Book {
	t.Helper()
	platform, err := seal.KeyFile(filepath.Join(t.TempDir(), "platform.key"))
	if err != nil {
		t.Fatal(err)
	}
	works, _, err := seal.NewWorks(platform)
	if err != nil {
		t.Fatal(err)
	}
	return outcome.NewBook(works)
}

func address(t *testing.T, s string) identity.Address {
	t.Helper()
	a, err := identity.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// letter is a letter to n recipients, just accepted.
func letter(t *testing.T, id string, n int) outcome.Letter {
	t.Helper()
	l := outcome.Letter{ID: outcome.LetterID(id), Sender: "box1", MessageID: "<" + id + "@chu.mss.example>"}
	for i := range n {
		l.Recipients = append(l.Recipients, outcome.Recipient{
			Address: address(t, fmt.Sprintf("rcpt%d@city.mss.example", i)),
			Facts:   []outcome.Fact{fact(outcome.Accepted, 0)},
		})
	}
	return l
}

func begin(t *testing.T, db *store.DB, b *outcome.Book, l outcome.Letter) {
	t.Helper()
	o, err := b.Prepare(l)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return outcome.Begin(tx, o) }); err != nil {
		t.Fatal(err)
	}
}

func add(t *testing.T, db *store.DB, b *outcome.Book, id outcome.LetterID, rcpt int, facts ...outcome.Fact) error {
	t.Helper()
	var entries []outcome.Entry
	for _, f := range facts {
		e, err := b.Enter(id, rcpt, f)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return db.Write(t.Context(), func(tx *store.Tx) error { return outcome.Add(tx, entries...) })
}

func story(t *testing.T, db *store.DB, b *outcome.Book, id outcome.LetterID) outcome.Story {
	t.Helper()
	var s outcome.Sealed
	err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
		s, err = outcome.Load(tx, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := b.Open(s)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func TestStoryOfALetter(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBook(t)
		l := letter(t, "l1", 3)
		l.Due = start.Add(time.Hour)
		l.Recipients[2].Facts = append(l.Recipients[2].Facts, fact(outcome.Delivered, 0))
		begin(t, db, b, l)
		begin(t, db, b, letter(t, "l2", 1))

		relayed := fact(outcome.Relayed, 1)
		relayed.Evidence = outcome.Evidence{Source: "smtp", Peer: "mx.city.mss.example", Text: "250 2.0.0 ok 0x17"}
		if err := add(t, db, b, "l1", 0, relayed); err != nil {
			t.Fatal(err)
		}
		if err := add(t, db, b, "l1", 1, relayed, refused("5.1.1", 5), relayed); err != nil {
			t.Fatal(err)
		}
		s := story(t, db, b, "l1")
		if s.Sender != "box1" || len(s.Chapters) != 3 {
			t.Fatalf("got %+v", s)
		}
		want := []struct {
			what  outcome.What
			facts int
		}{{outcome.Relayed, 2}, {outcome.Refused, 3}, {outcome.Delivered, 2}}
		for i, c := range s.Chapters {
			if c.No != i || c.State.What != want[i].what || len(c.Facts) != want[i].facts {
				t.Errorf("recipient %d: got %s after %d facts, want %s after %d", i, c.State.What, len(c.Facts), want[i].what, want[i].facts)
			}
			if got := c.Address.String(); got != fmt.Sprintf("rcpt%d@city.mss.example", i) {
				t.Errorf("recipient %d: address %s", i, got)
			}
			if !c.Due.Equal(l.Due) {
				t.Errorf("recipient %d: due %v", i, c.Due)
			}
		}
		if got := s.Chapters[0].Facts[1]; got != relayed {
			t.Errorf("fact read back: got %+v, want %+v", got, relayed)
		}
		if !s.Chapters[1].State.Failed() || s.Chapters[0].State.Settled() || !s.Chapters[2].State.Settled() {
			t.Errorf("states: %+v", s.Chapters)
		}
		if s := story(t, db, b, "l2"); s.Chapters[0].State.What != outcome.Accepted || !s.Chapters[0].Due.IsZero() {
			t.Errorf("the other letter: %+v", s)
		}
	})
}

// TestHundredRecipients holds the limit of recipients, and that all
// arrive.
func TestHundredRecipients(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBook(t)
		begin(t, db, b, letter(t, "l", outcome.MaxRecipients))
		if n := len(story(t, db, b, "l").Chapters); n != 100 {
			t.Errorf("%d recipients, want 100", n)
		}
		if _, err := b.Prepare(letter(t, "m", 101)); fault.Reason(err) != "outcome-malformed" {
			t.Errorf("101 recipients: got %v", err)
		}
	})
}

// TestStateColumnFollowsTheFacts: random facts in random order, some of them twice,
// by several writers at once: the column, the rows and the status agree.
func TestStateColumnFollowsTheFacts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBook(t)
		for round := range 5 {
			id := outcome.LetterID(fmt.Sprintf("l%d", round))
			begin(t, db, b, letter(t, string(id), 1))
			random := rand.New(rand.NewPCG(uint64(round), 7))
			all := []outcome.Fact{fact(outcome.Accepted, 0)}
			kinds := []outcome.What{outcome.Held, outcome.Relayed, outcome.Expired, outcome.Delivered, outcome.Read, outcome.Noticed}
			for range 4 {
				all = append(all, fact(kinds[random.IntN(len(kinds))], random.IntN(5)), refused([]string{"5.1.1", "902"}[random.IntN(2)], random.IntN(5)))
			}
			var wg sync.WaitGroup
			for range 2 {
				order := slices.Clone(all[1:])
				random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				wg.Go(func() {
					for _, f := range order {
						if err := add(t, db, b, id, 0, f); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			c := story(t, db, b, id).Chapters[0]
			if want := outcome.Status(all); c.State != want {
				t.Errorf("%s: got %v, want %v", id, c.State, want)
			}
			var distinct []outcome.Fact
			for _, f := range all {
				if !slices.Contains(distinct, f) {
					distinct = append(distinct, f)
				}
			}
			if len(c.Facts) != len(distinct) {
				t.Errorf("%s: %d facts kept, want %d", id, len(c.Facts), len(distinct))
			}
			var state int64
			err := db.Read(t.Context(), func(tx *store.Tx) error {
				return tx.QueryRow(`SELECT state FROM outcome_recipient WHERE letter = $1`, string(id)).Scan(&state)
			})
			ranks := map[outcome.What]int64{
				outcome.Accepted: 10, outcome.Held: 20, outcome.Relayed: 30, outcome.Expired: 40, outcome.Refused: 50,
				outcome.Delivered: 60, outcome.Noticed: 70, outcome.Read: 80,
			}
			want := ranks[c.State.What]
			if c.State.Code == "902" {
				want = 95
			}
			if err != nil || state != want {
				t.Errorf("%s is %s: column state %d, %v, want %d", id, c.State.What, state, err, want)
			}
		}
	})
}

func TestFindByMessageID(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBook(t)
		begin(t, db, b, letter(t, "l1", 1))
		twice := letter(t, "l2", 1)
		twice.MessageID = "<l1@chu.mss.example>"
		begin(t, db, b, twice)
		find := func(sender, messageID string) (id outcome.LetterID, err error) {
			mac := b.MessageMAC(sender, messageID)
			err = db.Read(t.Context(), func(tx *store.Tx) error {
				id, err = outcome.Find(tx, sender, mac)
				return err
			})
			return id, err
		}
		for _, messageID := range []string{"<l1@chu.mss.example>", "l1@chu.mss.example", " <l1@chu.mss.example>\r\n"} {
			if id, err := find("box1", messageID); err != nil || id != "l2" {
				t.Errorf("%q: got %q, %v, want the newest, l2", messageID, id, err)
			}
		}
		for _, c := range [][2]string{{"box2", "<l1@chu.mss.example>"}, {"box1", "<other@chu.mss.example>"}} {
			if _, err := find(c[0], c[1]); fault.Reason(err) != "outcome-unknown" {
				t.Errorf("%v: got %v, want outcome-unknown", c, err)
			}
		}
	})
}

func TestUnknownLettersHaveNoFacts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBook(t)
		begin(t, db, b, letter(t, "l1", 1))
		for _, c := range []struct {
			id   outcome.LetterID
			rcpt int
		}{{"gone", 0}, {"l1", 1}} {
			if err := add(t, db, b, c.id, c.rcpt, fact(outcome.Read, 1)); fault.Reason(err) != "outcome-unknown" {
				t.Errorf("%v: got %v, want outcome-unknown", c, err)
			}
			err := db.Write(t.Context(), func(tx *store.Tx) error { return outcome.Await(tx, c.id, c.rcpt, start) })
			if fault.Reason(err) != "outcome-unknown" {
				t.Errorf("%v: await: got %v, want outcome-unknown", c, err)
			}
		}
		// The caller's transaction may go on.
		e, err := b.Enter("gone", 0, fact(outcome.Read, 1))
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(t.Context(), func(tx *store.Tx) error {
			if err := outcome.Add(tx, e); !fault.Is(err, fault.NotFound) {
				return err
			}
			return outcome.Await(tx, "l1", 0, start)
		})
		if err != nil {
			t.Error(err)
		}
		err = db.Read(t.Context(), func(tx *store.Tx) error {
			_, err := outcome.Load(tx, "gone")
			return err
		})
		if fault.Reason(err) != "outcome-unknown" {
			t.Errorf("load: got %v, want outcome-unknown", err)
		}
	})
}

func TestWaitingListsWhatIsDue(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBook(t)
		for i, minutes := range []int{30, 10, 20, 0} {
			l := letter(t, fmt.Sprintf("l%d", i), 2)
			if minutes > 0 {
				l.Due = start.Add(time.Duration(minutes) * time.Minute)
			}
			begin(t, db, b, l)
		}
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			if err := outcome.Await(tx, "l1", 1, time.Time{}); err != nil {
				return err
			}
			return outcome.Await(tx, "l3", 0, start.Add(time.Minute))
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		err = db.Read(t.Context(), func(tx *store.Tx) error {
			waits, err := outcome.Waiting(tx, start.Add(20*time.Minute), 10)
			for _, w := range waits {
				got = append(got, fmt.Sprintf("%s/%d %v", w.Letter, w.Rcpt, w.Due.Sub(start)))
			}
			return err
		})
		want := []string{"l3/0 1m0s", "l1/0 10m0s", "l2/0 20m0s", "l2/1 20m0s"}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	})
}

// TestRowsSayNothing: no address, code or reply is readable in the rows, and rows
// moved to another recipient do not open.
func TestRowsSayNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBook(t)
		l := letter(t, "l1", 2)
		l.Recipients[0].Address = address(t, "279035121518989@patient.mss.example")
		begin(t, db, b, l)
		f := refused("5.2.1", 3)
		f.Evidence.Text = "550 5.2.1 279035121518989@patient.mss.example closed"
		if err := add(t, db, b, "l1", 0, f); err != nil {
			t.Fatal(err)
		}
		var rows [][]byte
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			var record, fact, mac []byte
			if err := tx.QueryRow(`SELECT record FROM outcome_recipient WHERE rcpt = 0`).Scan(&record); err != nil {
				return err
			}
			if err := tx.QueryRow(`SELECT fact FROM outcome_fact`).Scan(&fact); err != nil {
				return err
			}
			err := tx.QueryRow(`SELECT message_mac FROM outcome_letter`).Scan(&mac)
			rows = [][]byte{record, fact, mac}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			for _, secret := range []string{"279035", "patient", "5.2.1", "closed", "l1@chu"} {
				if bytes.Contains(row, []byte(secret)) {
					t.Errorf("a row holds %q", secret)
				}
			}
		}
		err = db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`UPDATE outcome_recipient SET record = (SELECT record FROM outcome_recipient WHERE rcpt = 0) WHERE rcpt = 1`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var s outcome.Sealed
		err = db.Read(t.Context(), func(tx *store.Tx) (err error) {
			s, err = outcome.Load(tx, "l1")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Open(s); fault.Reason(err) != "record-broken" {
			t.Errorf("a row of another recipient: got %v, want record-broken", err)
		}
	})
}

func TestMalformedFactsAreRefused(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	long := fact(outcome.Read, 1)
	long.Evidence.Text = strings.Repeat("x", 5000)
	coded := fact(outcome.Delivered, 1)
	coded.Code = "2.0.0"
	for name, f := range map[string]outcome.Fact{
		"no kind": fact("lost", 1), "no time": {What: outcome.Read}, "refused without a cause": fact(outcome.Refused, 1),
		"a cause without refusal": coded, "long evidence": long, "long cause": refused(strings.Repeat("x", 65), 1),
	} {
		if _, err := b.Enter("l", 0, f); fault.Reason(err) != "outcome-malformed" {
			t.Errorf("%s: got %v", name, err)
		}
		l := letter(t, "l", 1)
		l.Recipients[0].Facts = append(l.Recipients[0].Facts, f)
		if _, err := b.Prepare(l); fault.Reason(err) != "outcome-malformed" {
			t.Errorf("%s, in a letter: got %v", name, err)
		}
	}
	bare := letter(t, "l", 1)
	bare.Recipients[0].Facts = nil
	if _, err := b.Prepare(bare); fault.Reason(err) != "outcome-malformed" {
		t.Errorf("a recipient in an unknown state: got %v", err)
	}
}
