package dmp_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// trace notes accesses of one act.
func (w *world) trace(accesses ...dmp.Access) {
	w.t.Helper()
	trace, err := dmp.NewTrace(w.vault.Key, w.vault.Space, accesses...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(tx *store.Tx) error { return dmp.Note(tx, trace) })
}

// history reads the whole history, page by page.
func (w *world) history(limit int) (out []dmp.Access, pages int) {
	w.t.Helper()
	var before dmp.AccessID
	for {
		var page []dmp.AccessRow
		var next dmp.AccessID
		w.read(func(tx *store.Tx) (err error) {
			page, next, err = dmp.Accesses(tx, w.vault.Space, before, limit)
			return err
		})
		opened, err := dmp.NewOpener(w.ring).Accesses(page)
		if err != nil {
			w.t.Fatal(err)
		}
		out, pages = append(out, opened...), pages+1
		if before = next; next == "" {
			return out, pages
		}
	}
}

// The history pages from the newest to the oldest, each line once; the lines of one
// act share a key, and a page may begin in the middle of an act.
func TestTheHistoryPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		if got, _ := w.history(0); len(got) != 0 {
			t.Errorf("%d lines of nothing", len(got))
		}
		var want []string
		for i := 0; i < 20; i += 4 {
			var act []dmp.Access
			for j := i; j < i+4; j++ {
				want = append(want, fmt.Sprint("document", j))
				act = append(act, dmp.Access{
					Who: "Dr Lecteur", WhoKind: "professional", What: dmp.DocumentOpened, Why: dmp.Care,
					Object: want[j], Title: "Lettre", Via: "web",
				})
			}
			w.trace(act...)
		}
		slices.Reverse(want)
		for _, limit := range []int{0, 1, 3, 10, 20} {
			lines, pages := w.history(limit)
			var got []string
			for _, a := range lines {
				got = append(got, a.Object)
				if a.At.IsZero() || a.Who != "Dr Lecteur" || a.WhoKind != "professional" || a.What != dmp.DocumentOpened ||
					a.Why != dmp.Care || a.Title != "Lettre" || a.Via != "web" {
					t.Error("a line is not what was noted")
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("limit %d: got %v, want %v", limit, got, want)
			}
			if limit > 0 && pages != (20+limit-1)/limit {
				t.Errorf("limit %d: %d pages", limit, pages)
			}
		}
		ring, _ := w.patient()
		w.read(func(tx *store.Tx) error {
			page, _, err := dmp.Accesses(tx, w.vault.Space, "", 1)
			if _, err := dmp.NewOpener(ring).Accesses(page); !fault.Is(err, fault.Internal) {
				t.Errorf("another person reads the history: %v", err)
			}
			return err
		})
	})
}

// Words that are not on the lists are refused.
func TestAHistoryHasItsWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	for _, a := range []dmp.Access{{}, {What: "stolen", Why: dmp.Own}, {What: dmp.Refused, Why: "because"}} {
		_, err := dmp.NewTrace(w.vault.Key, w.vault.Space, a)
		wantFault(t, err, fault.Internal, "access-malformed")
	}
	_, err := dmp.NewTrace(nil, w.vault.Space)
	wantFault(t, err, fault.NotFound, "vault-missing")
	w.vault.Key = nil
	_, err = w.vault.Seal(t.Context(), discharge("1.2.3"), letter, strings.NewReader("octets"))
	wantFault(t, err, fault.NotFound, "vault-missing")
}

// The note of a letter's filing: none, one, and the last one.
func TestTheFilingOfALetterIsNoted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		read := func(space dmp.SpaceID) (got []byte, err error) {
			err = db.Read(t.Context(), func(tx *store.Tx) (err error) {
				got, err = dmp.ReadFiling(tx, space, "letter")
				return err
			})
			return got, err
		}
		_, err := read(w.vault.Space)
		wantFault(t, err, fault.NotFound, "filing-unknown")
		for _, record := range []string{"first", "second"} {
			w.write(func(tx *store.Tx) error { return dmp.NoteFiling(tx, w.vault.Space, "letter", []byte(record)) })
			if got, err := read(w.vault.Space); err != nil || string(got) != record {
				t.Errorf("got %q, %v, want %q", got, err, record)
			}
		}
		_, err = read("another")
		wantFault(t, err, fault.NotFound, "filing-unknown")
	})
}

// Browsers hear of what changed, after the commit, and of nothing else.
func TestChangesArePublished(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var heard []string
	o := store.Options{Publish: func(topics []string) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, topics...)
	}}
	storetest.EachWith(t, o, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		vault, history := w.vault.Space.Topic(), w.vault.Space.HistoryTopic()
		var id dmp.DocumentID
		for _, step := range []struct {
			name string
			do   func()
			want []string
		}{
			{"filed", func() { id = w.file(w.seal(discharge("1.2.3"), letter, "x"))[0].ID }, []string{vault}},
			{"filed again", func() { w.file(w.seal(discharge("1.2.3"), letter, "x")) }, nil},
			{"another origin", func() { w.file(w.seal(discharge("1.2.3"), depot, "x")) }, []string{vault}},
			{"refused", func() { _, _ = w.try(w.seal(discharge("1.2.3"), depot, "y")) }, nil},
			{"opened", func() { w.list(dmp.Query{}) }, nil},
			{"looked at", func() { w.trace(dmp.Access{What: dmp.DocumentOpened, Why: dmp.Own}) }, []string{history}},
			{"noted", func() {
				w.write(func(tx *store.Tx) error { return dmp.NoteFiling(tx, w.vault.Space, "l", []byte("r")) })
			}, []string{vault}},
			{"erased", func() { w.write(func(tx *store.Tx) error { return dmp.Erase(tx, w.vault.Space, id) }) }, []string{vault}},
		} {
			mu.Lock()
			heard = nil
			mu.Unlock()
			step.do()
			w.write(func(*store.Tx) error { return nil }) // the next batch waits until the last one is published
			mu.Lock()
			if !slices.Equal(heard, step.want) {
				t.Errorf("%s: heard %v, want %v", step.name, heard, step.want)
			}
			mu.Unlock()
		}
	})
}
