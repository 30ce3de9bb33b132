package dmp_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

const entryUUID = "urn:uuid:0F0E0D0C-0b0a-4908-8706-050403020100"

// A replacement is the same whichever comes first, alone or in one lot, and whether
// it names the uniqueId or the entryUUID.
func TestAReplacementDeprecatesWhicheverComesFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, name := range []string{"urn:oid:1.2.3", "0f0e0d0c-0b0a-4908-8706-050403020100"} {
			for _, order := range []string{"old, new", "new, old", "old new", "new old"} {
				t.Run(name+" "+order, func(t *testing.T) { replaced(newWorld(t, db), name, order) })
			}
		}
	})
}

// replaced files a document and what replaces it, by that name and in that order.
func replaced(w *world, name, order string) {
	old, next := discharge("1.2.3"), discharge("1.2.4")
	old.EntryUUID = entryUUID
	next.Replaces = []string{name, "symbolic-name-of-another-lot"}
	// A colleague of the same institution may replace it.
	next.Authors = []dmp.Author{stranger, {Person: "PETIT", InstitutionID: hospital.InstitutionID}}
	a, b := w.seal(old, letter, "one"), w.seal(next, letter, "two")
	switch order {
	case "old, new":
		w.file(a)
		if r := w.file(b)[0]; !slices.Equal(r.Replaced, []dmp.DocumentID{a.ID()}) {
			w.t.Errorf("replaced %v", r.Replaced)
		}
	case "new, old":
		w.file(b)
		if r := w.file(a)[0]; r.State != dmp.Deprecated {
			w.t.Errorf("state %s", r.State)
		}
	case "old new":
		w.file(a, b)
	case "new old":
		w.file(b, a)
	}
	w.file(w.seal(old, depot, "one"), w.seal(next, depot, "two")) // again
	want := map[string]dmp.State{"1.2.3": dmp.Deprecated, "1.2.4": dmp.Approved}
	if got := w.states(); !maps.Equal(got, want) {
		w.t.Errorf("states %v", got)
	}
	row, err := w.get(a.ID())
	if err != nil || row.ReplacedBy != b.ID() {
		w.t.Errorf("replaced by %q, %v", row.ReplacedBy, err)
	}
	w.checkCounts()
}

// Nobody replaces what others wrote: refused when it is there, without effect when it
// comes later. One lot is judged as a whole.
func TestAnotherAuthorsReplacementIsRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		own := discharge("1.2.3")
		own.EntryUUID = entryUUID
		w.file(w.seal(own, letter, "one"))
		for _, name := range []string{"1.2.3", entryUUID} {
			theirs := discharge("6.6.6")
			theirs.Authors, theirs.Replaces = []dmp.Author{stranger}, []string{name}
			_, err := w.try(w.seal(discharge("1.2.9"), letter, "with it"), w.seal(theirs, letter, "x"))
			wantFault(t, err, fault.Denied, "replacement-of-another-author")
		}
		if got := w.states(); !maps.Equal(got, map[string]dmp.State{"1.2.3": dmp.Approved}) {
			t.Errorf("states %v", got)
		}

		early := discharge("6.6.7")
		early.Authors, early.Replaces = []dmp.Author{stranger}, []string{"1.2.5"}
		w.file(w.seal(early, letter, "x"))
		later := w.seal(discharge("1.2.5"), letter, "late")
		if r := w.file(later)[0]; r.State != dmp.Approved {
			t.Errorf("another author's replacement came first: %s", r.State)
		}

		theirs, mine := discharge("6.6.8"), discharge("1.2.6")
		theirs.Authors, theirs.Replaces = []dmp.Author{stranger}, []string{"1.2.6"}
		for _, lot := range [][]*dmp.Sealed{
			{w.seal(theirs, letter, "x"), w.seal(mine, letter, "y")},
			{w.seal(mine, letter, "y"), w.seal(theirs, letter, "x")},
		} {
			_, err := w.try(lot...)
			wantFault(t, err, fault.Denied, "replacement-of-another-author")
		}
		w.checkCounts()
	})
}

// A stranger who reuses an entryUUID does not keep the author from replacing.
func TestAReusedEntryUUIDIsInNobodysWay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		old, theirs, next := discharge("1.2.3"), discharge("6.6.6"), discharge("1.2.4")
		old.EntryUUID, theirs.EntryUUID = entryUUID, entryUUID
		theirs.Authors = []dmp.Author{stranger}
		next.Replaces = []string{entryUUID}
		w.file(w.seal(old, letter, "one"))
		w.file(w.seal(theirs, letter, "x"))
		w.file(w.seal(next, letter, "two"))
		want := map[string]dmp.State{"1.2.3": dmp.Deprecated, "6.6.6": dmp.Approved, "1.2.4": dmp.Approved}
		if got := w.states(); !maps.Equal(got, want) {
			t.Errorf("states %v", got)
		}
	})
}

// Documents that name themselves or each other, versions that skip, and a chain that
// comes from its end.
func TestChains(t *testing.T) {
	t.Parallel()
	version := func(id string, replaces ...string) dmp.Document {
		d := discharge(id)
		d.Replaces = replaces
		return d
	}
	const approved, deprecated = dmp.Approved, dmp.Deprecated
	cases := map[string]struct {
		lots []dmp.Document
		want map[string]dmp.State
	}{
		"itself":           {[]dmp.Document{version("1", "1")}, map[string]dmp.State{"1": approved}},
		"each other":       {[]dmp.Document{version("1", "2"), version("2", "1")}, map[string]dmp.State{"1": approved, "2": deprecated}},
		"from the end":     {[]dmp.Document{version("3", "2"), version("2", "1"), version("1")}, map[string]dmp.State{"1": deprecated, "2": deprecated, "3": approved}},
		"two at once":      {[]dmp.Document{version("1"), version("2"), version("3", "1", "2")}, map[string]dmp.State{"1": deprecated, "2": deprecated, "3": approved}},
		"the old one, too": {[]dmp.Document{version("1"), version("2", "1"), version("3", "1")}, map[string]dmp.State{"1": deprecated, "2": approved, "3": approved}},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				for _, d := range c.lots {
					w.file(w.seal(d, letter, "octets of "+d.UniqueID))
				}
				if got := w.states(); !maps.Equal(got, c.want) {
					t.Errorf("got %v, want %v", got, c.want)
				}
				w.checkCounts()
			})
		}
	})
}
