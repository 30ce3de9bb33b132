package mailbox_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestSetsAreSortedAndJoined(t *testing.T) {
	t.Parallel()
	got := mailbox.SetOf(7, 3, 4, 3, 9, 8, 1)
	if diff := cmp.Diff(mailbox.Set{{1, 1}, {3, 4}, {7, 9}}, got); diff != "" {
		t.Error(diff)
	}
	const last = 1<<32 - 1
	got = mailbox.Ranges(mailbox.Range{9, 5}, mailbox.Range{0, 2}, mailbox.Range{3, 3}, mailbox.Range{last, 20}, mailbox.Range{last, last}, mailbox.Range{0, 0})
	if diff := cmp.Diff(mailbox.Set{{1, 3}, {5, 9}, {20, last}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestASetContainsWhatItWasMadeOf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		var ranges []mailbox.Range
		for range rapid.IntRange(0, 6).Draw(r, "ranges") {
			ranges = append(ranges, mailbox.Range{
				Lo: mailbox.UID(rapid.Uint32Range(0, 40).Draw(r, "lo")),
				Hi: mailbox.UID(rapid.Uint32Range(0, 40).Draw(r, "hi")),
			})
		}
		s := mailbox.Ranges(ranges...)
		for u := mailbox.UID(1); u <= 41; u++ {
			want := slices.ContainsFunc(ranges, func(g mailbox.Range) bool {
				return min(g.Lo, g.Hi) <= u && u <= max(g.Lo, g.Hi)
			})
			if s.Contains(u) != want {
				r.Fatalf("%v contains %d: %v", s, u, !want)
			}
		}
		for i := 1; i < len(s); i++ {
			if s[i].Lo <= s[i-1].Hi+1 {
				r.Fatalf("%v is not in its least form", s)
			}
		}
	})
}

// A set of any shape reads exactly its letters, in order, however many statements
// that takes.
func TestAnySetReadsItsLetters(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const letters = 1100 // every second one is more than a statement takes
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		w.write(func(tx *store.Tx) error {
			for range letters {
				d, _ := letterFor(h.ID, 100)
				if _, err := mailbox.Deliver(tx, d); err != nil {
					return err
				}
			}
			return nil
		})
		var odd, runs []mailbox.UID
		for u := mailbox.UID(1); u <= letters+10; u++ {
			if u%2 == 1 {
				odd = append(odd, u)
			}
			if u%100 < 60 {
				runs = append(runs, u)
			}
		}
		for _, uids := range [][]mailbox.UID{nil, {7}, {letters + 1}, odd, runs, append(slices.Clone(odd), runs...)} {
			set := mailbox.SetOf(uids...)
			var got []mailbox.UID
			w.read(func(tx *store.Tx) error {
				return mailbox.ReadFacts(tx, h.Inbox, set, func(f mailbox.Facts) error {
					got = append(got, f.UID)
					return nil
				})
			})
			want := slices.Clone(uids)
			slices.Sort(want)
			want = slices.DeleteFunc(slices.Compact(want), func(u mailbox.UID) bool { return u > letters })
			if !slices.Equal(got, want) {
				t.Errorf("set of %d UIDs read %d letters, want %d", len(uids), len(got), len(want))
			}
		}
		// The same shapes through the statements that write.
		archive := w.folder(h, "Archive").ID
		w.write(func(tx *store.Tx) error {
			c, err := mailbox.Copy(tx, h.Inbox, archive, mailbox.SetOf(append(odd, runs...)...))
			if err != nil {
				return err
			}
			if _, _, err = mailbox.SetFlags(tx, archive, mailbox.SetOf(c.To...), mailbox.Add, mailbox.FlagDeleted, 0); err != nil {
				return err
			}
			if c, err = mailbox.Move(tx, archive, h.Inbox, mailbox.SetOf(odd...)); err != nil {
				return err
			}
			if len(c.To) == 0 || c.To[0] != letters+1 || !slices.IsSorted(c.To) || !slices.IsSorted(c.From) {
				t.Errorf("moved %d letters, first to UID %v", len(c.To), c.To[:1])
			}
			_, err = mailbox.Expunge(tx, h.Inbox, mailbox.All())
			return err
		})
		if v := w.view(h.Inbox); len(v.Rows) != letters {
			t.Errorf("%d letters left, want %d", len(v.Rows), letters)
		}
		w.countersHold(h)
	})
}
