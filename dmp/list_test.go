package dmp_test

import (
	"fmt"
	"testing"

	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// counts reads the counters of the vault.
func (w *world) counts() (out []dmp.Count) {
	w.t.Helper()
	w.read(func(tx *store.Tx) (err error) {
		out, err = dmp.Counts(tx, w.works, w.vault.Space)
		return err
	})
	return out
}

// checkCounts holds the counters against the rows.
func (w *world) checkCounts() {
	w.t.Helper()
	want := map[dmp.Category]dmp.Count{}
	for _, e := range w.list(dmp.Query{Limit: dmp.MaxPage}) {
		c := want[e.Category]
		c.Category = e.Category
		if c.Documents++; e.State == dmp.Approved {
			c.Current++
		}
		want[e.Category] = c
	}
	got := w.counts()
	for _, c := range got {
		if c != want[c.Category] {
			w.t.Errorf("counted %+v, want %+v", c, want[c.Category])
		}
	}
	if len(got) != len(want) {
		w.t.Errorf("%d categories have documents, want %d", len(got), len(want))
	}
}

// of makes a document of a type.
func of(id, code string) dmp.Document {
	d := discharge(id)
	d.Type = dmp.Code{Code: code}
	return d
}

// A vault is read page by page, the last filed first, whole or one category.
func TestAVaultIsReadPageByPage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		types := []string{"11490-0", "11502-2", "18748-4"} // report, laboratory, imaging
		for i := range 21 {
			w.file(w.seal(of(fmt.Sprint("1.", i), types[i%3]), letter, fmt.Sprint(i)))
		}
		for _, c := range []struct {
			shelf             dmp.Category
			newest, step, all int
		}{{"", 20, 1, 21}, {"BIOLOGIE", 19, 3, 7}, {"CERT_MED", 0, 0, 0}} {
			q, next, seen := dmp.Query{Shelf: c.shelf, Limit: 4}, c.newest, 0
			for {
				page := w.list(q)
				for _, e := range page {
					if e.UniqueID != fmt.Sprint("1.", next) {
						t.Errorf("shelf %q: got %s, want 1.%d", c.shelf, e.UniqueID, next)
					}
					next -= c.step
					seen++
				}
				if len(page) < q.Limit {
					break
				}
				q.Before = page[len(page)-1].ID
			}
			if seen != c.all {
				t.Errorf("shelf %q: %d documents, want %d", c.shelf, seen, c.all)
			}
		}
		w.checkCounts()
		if got := w.counts(); len(got) != 3 || got[0].Category != "BIOLOGIE" || got[0].Documents != 7 {
			t.Errorf("counts %+v", got)
		}
	})
}

// Another patient's vault answers as an unknown one, and another patient's keys open
// nothing.
func TestAVaultHasItsOwnDocumentsOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		mine := w.file(w.seal(discharge("1.2.3"), letter, "mine"))[0].ID
		row, err := w.get(mine)
		if err != nil {
			t.Fatal(err)
		}
		ring, vault := w.patient()
		if _, err := dmp.NewOpener(ring).Entry(row); !fault.Is(err, fault.Internal) {
			t.Errorf("another patient's keys: %v", err)
		}
		w.ring, w.vault = ring, vault
		if r := w.file(w.seal(discharge("1.2.3"), letter, "of another patient"))[0]; !r.New {
			t.Error("the same uniqueId in another vault is another document")
		}
		_, err = w.get(mine)
		wantFault(t, err, fault.NotFound, "document-unknown")
		_, err = w.get("")
		wantFault(t, err, fault.NotFound, "document-unknown")
		if len(w.list(dmp.Query{})) != 1 {
			t.Error("the list shows another vault")
		}
	})
}

// A row of a list has no octets: to open one is our own mistake, and said so.
func TestAListHasNoOctets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	w.file(w.seal(discharge("1.2.3"), letter, "octets"))
	_, err := dmp.NewOpener(w.ring).Body(t.Context(), w.blobs, w.rows(dmp.Query{})[0])
	wantFault(t, err, fault.Internal, "document-body-unread")
}

// The first opening re-wraps the keys of a document and of its origins; after it no
// public-key operation is needed.
func TestTheFirstOpeningRewraps(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.file(w.seal(discharge("1.2.3"), letter, "octets"))
		w.file(w.seal(discharge("1.2.3"), depot, "octets"))
		w.file(w.seal(discharge("1.2.4"), letter, "more octets"))
		for _, want := range []int{3, 0} {
			o := dmp.NewOpener(w.ring)
			for _, row := range w.rows(dmp.Query{}) {
				if _, err := o.Entry(row); err != nil {
					t.Fatal(err)
				}
			}
			fresh := o.Fresh()
			if len(fresh) != want || o.Fresh() != nil {
				t.Errorf("%d keys met for the first time, want %d", len(fresh), want)
			}
			w.write(func(tx *store.Tx) error { return dmp.Rewrap(tx, w.vault.Space, fresh) })
			w.write(func(tx *store.Tx) error { return dmp.Rewrap(tx, w.vault.Space, fresh) })
		}
		if entries := w.list(dmp.Query{}); len(entries) != 2 || len(entries[1].Origins) != 2 || w.octets(entries[1].ID) != "octets" {
			t.Errorf("%d documents", len(entries))
		}
	})
}
