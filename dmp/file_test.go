package dmp_test

import (
	"errors"
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

// wantFault checks kind and reason.
func wantFault(t *testing.T, err error, kind fault.Kind, reason string) {
	t.Helper()
	if !fault.Is(err, kind) || fault.Reason(err) != reason {
		t.Errorf("got %v, want %v %q", err, kind, reason)
	}
}

// By letter, then by depot, then by the same letter again: one document, two origins,
// and the octets kept once. Small octets are in the row, large ones in a blob.
func TestADocumentThatCameTwiceIsOneWithTwoOrigins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for blobs, size := range []int{100, 300 << 10} {
			t.Run(fmt.Sprint(size), func(t *testing.T) { twice(newWorld(t, db), size, blobs) })
		}
	})
}

// twice files a document of a size three times, and reads it.
func twice(w *world, size, blobs int) {
	body := strings.Repeat("x", size)
	first := w.file(w.seal(discharge("1.2.3"), letter, body))[0]
	second := w.file(w.seal(discharge("urn:oid:1.2.3 "), depot, body))[0]
	third := w.file(w.seal(discharge("1.2.3"), letter, body))[0]
	if !first.New || !first.Noted || second.New || !second.Noted || third.New || third.Noted {
		w.t.Errorf("new, noted: %v %v, %v %v, %v %v", first.New, first.Noted, second.New, second.Noted, third.New, third.Noted)
	}
	if second.ID != first.ID || third.ID != first.ID {
		w.t.Errorf("ids %s, %s, %s", first.ID, second.ID, third.ID)
	}
	for range 2 { // before and after the keys were re-wrapped
		entries := w.list(dmp.Query{})
		if len(entries) != 1 || len(entries[0].Origins) != 2 {
			w.t.Fatalf("%d documents", len(entries))
		}
		e := entries[0]
		if o := e.Origins[0]; o.Kind != dmp.ByLetter || o.Letter != letter.Letter || o.From != letter.From || o.At.IsZero() {
			w.t.Errorf("first origin %q %q %q", o.Kind, o.Letter, o.From)
		}
		if o := e.Origins[1]; o.Kind != dmp.ByDepot || o.Letter != "" || o.From != depot.From {
			w.t.Errorf("second origin %q %q %q", o.Kind, o.Letter, o.From)
		}
		if e.Title != "Lettre de liaison de Mme Sansnom" || e.Class.Code != "10" || e.Category != "CPT_REND" ||
			e.Size != int64(size) || e.SHA256 != fmt.Sprintf("%x", sumOf(body)) || len(e.SHA1) != 40 {
			w.t.Errorf("metadata: title %q, class %q, category %q, size %d", e.Title, e.Class.Code, e.Category, e.Size)
		}
		if w.octets(e.ID) != body {
			w.t.Error("other octets")
		}
	}
	if got := len(w.blobKeys()); got != blobs {
		w.t.Errorf("%d blobs, want %d", got, blobs)
	}
}

// A repetition that comes for ever adds no more than its share.
func TestOriginsAreBounded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for i := range dmp.MaxOrigins + 3 {
			o := dmp.Origin{Kind: dmp.ByLetter, Letter: fmt.Sprint("letter", i), From: letter.From}
			r := w.file(w.seal(discharge("1.2.3"), o, "octets"))[0]
			if r.Noted != (i < dmp.MaxOrigins) {
				t.Errorf("letter %d noted: %v", i, r.Noted)
			}
		}
		if got := len(w.list(dmp.Query{})[0].Origins); got != dmp.MaxOrigins {
			t.Errorf("%d origins", got)
		}
	})
}

// The same uniqueId with other octets is refused, and nothing of its lot is kept;
// what the transaction does besides stays possible.
func TestALotIsFiledWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.vault.Inline = -1 // blobs, to see that none stays
		w.file(w.seal(discharge("1.2.3"), letter, "octets"))
		for name, lot := range map[string][]*dmp.Sealed{
			"with a known id": {
				w.seal(discharge("1.2.4"), letter, "one"), w.seal(discharge("1.2.3"), letter, "other octets"),
			},
			"with one id twice": {
				w.seal(discharge("1.2.5"), letter, "one"), w.seal(discharge("1.2.5"), letter, "two"),
			},
		} {
			w.write(func(tx *store.Tx) error {
				_, err := dmp.File(tx, lot)
				wantFault(t, err, fault.Conflict, "document-id-reused")
				return dmp.NoteFiling(tx, w.vault.Space, name, []byte("refused"))
			})
			if err := dmp.Settle(t.Context(), lot, nil); err != nil {
				t.Fatal(err)
			}
			w.read(func(tx *store.Tx) error {
				got, err := dmp.ReadFiling(tx, w.vault.Space, name)
				if string(got) != "refused" {
					t.Errorf("%s: the note says %q", name, got)
				}
				return err
			})
		}
		if states := w.states(); len(states) != 1 || len(w.blobKeys()) != 1 {
			t.Errorf("%v, %d blobs", states, len(w.blobKeys()))
		}
	})
}

// A lot that holds a document twice, and a lot of nothing.
func TestALotMayRepeatItself(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.vault.Inline = -1
		r := w.file(w.seal(discharge("1.2.3"), letter, "octets"), w.seal(discharge("1.2.3"), depot, "octets"))
		if !r[0].New || r[1].New || r[0].ID != r[1].ID || !r[1].Noted {
			t.Errorf("new %v %v, noted %v", r[0].New, r[1].New, r[1].Noted)
		}
		if e := w.list(dmp.Query{}); len(e) != 1 || len(e[0].Origins) != 2 || w.octets(e[0].ID) != "octets" {
			t.Errorf("%d documents", len(e))
		}
		if r := w.file(); len(r) != 0 {
			t.Errorf("%d results of nothing", len(r))
		}
		_, other := w.patient()
		mixed := w.seal(discharge("1.2.6"), letter, "octets")
		w.vault = other
		_, err := w.try(mixed, w.seal(discharge("1.2.7"), letter, "octets"))
		wantFault(t, err, fault.Internal, "lot-of-two-spaces")
	})
}

// What a write function did before it ran again counts once; and when the commit's
// outcome was not known, filing the same sealed lot again finds its own rows.
func TestFilingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.vault.Inline = -1
		old := discharge("1.2.3")
		next := discharge("1.2.4")
		next.Replaces = []string{"1.2.3"}
		lot := []*dmp.Sealed{w.seal(next, letter, "two"), w.seal(old, letter, "one")}
		again := errors.New("again")
		for range 2 {
			err := w.db.Write(t.Context(), func(tx *store.Tx) error {
				if _, err := dmp.File(tx, lot); err != nil {
					return err
				}
				return again
			})
			if !errors.Is(err, again) {
				t.Fatal(err)
			}
		}
		for range 2 {
			for _, r := range w.file(lot...) {
				if !r.New {
					t.Error("a document is not new to its own lot: its octets would be deleted")
				}
			}
		}
		w.write(func(tx *store.Tx) error {
			for range 2 { // twice in one transaction
				if _, err := dmp.File(tx, lot); err != nil {
					return err
				}
			}
			return nil
		})
		entries := w.list(dmp.Query{})
		if len(entries) != 2 || len(w.blobKeys()) != 2 {
			t.Fatalf("%d documents, %d blobs", len(entries), len(w.blobKeys()))
		}
		for _, e := range entries {
			if len(e.Origins) != 1 || w.octets(e.ID) != map[string]string{"1.2.3": "one", "1.2.4": "two"}[e.UniqueID] {
				t.Errorf("document %s: %d origins", e.UniqueID, len(e.Origins))
			}
		}
		w.checkCounts()
	})
}

// Several transactions file the same documents at once, in different orders, and what
// replaces them.
func TestFilingTheSameDocumentsAtOnceKeepsThemOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.vault.Inline = -1
		const callers, documents = 8, 4
		lots := make([][]*dmp.Sealed, callers)
		for c := range lots {
			for i := range documents {
				d := discharge(fmt.Sprint("1.2.", i))
				if i > 0 {
					d.Replaces = []string{fmt.Sprint("1.2.", i-1)}
				}
				o := dmp.Origin{Kind: dmp.ByLetter, Letter: fmt.Sprint("letter", c), From: letter.From}
				lots[c] = append(lots[c], w.seal(d, o, fmt.Sprint("octets ", i)))
			}
			if c%2 == 1 {
				slices.Reverse(lots[c])
			}
		}
		var fresh sync.Map
		var wg sync.WaitGroup
		for _, lot := range lots {
			wg.Go(func() {
				for part := range slices.Chunk(lot, 2) { // two transactions each
					results, err := w.try(part...)
					if err != nil {
						t.Error(err)
						return
					}
					for i, r := range results {
						if r.New {
							if _, twice := fresh.LoadOrStore(r.ID, true); twice {
								t.Errorf("document %s is new twice", r.ID)
							}
							if part[i].ID() != r.ID {
								t.Error("new under another id")
							}
						}
					}
				}
			})
		}
		wg.Wait()
		entries := w.list(dmp.Query{})
		if len(entries) != documents || len(w.blobKeys()) != documents {
			t.Errorf("%d documents, %d blobs, want %d", len(entries), len(w.blobKeys()), documents)
		}
		for _, e := range entries {
			want := dmp.Deprecated
			if e.UniqueID == fmt.Sprint("1.2.", documents-1) {
				want = dmp.Approved
			}
			if e.State != want || len(e.Origins) != callers || !strings.HasPrefix(w.octets(e.ID), "octets ") {
				t.Errorf("document %s: %s, %d origins", e.UniqueID, e.State, len(e.Origins))
			}
		}
		w.checkCounts()
	})
}

// A document without octets, without an id, with too much of anything.
func TestWhatIsNoDocumentIsNotSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	many := discharge("1.2.3")
	for i := range dmp.MaxReplaces + 1 {
		many.Replaces = append(many.Replaces, fmt.Sprint("9.", i))
	}
	for reason, c := range map[string]struct {
		d    dmp.Document
		body string
	}{
		"document-id-missing":         {discharge(" "), "octets"},
		"document-id-too-long":        {discharge(strings.Repeat("1", dmp.MaxUniqueID+1)), "octets"},
		"document-empty":              {discharge("1.2.3"), ""},
		"document-replaces-too-many":  {many, "octets"},
		"document-metadata-too-large": {vast(), "octets"},
	} {
		_, err := w.vault.Seal(t.Context(), c.d, letter, strings.NewReader(c.body))
		wantFault(t, err, fault.Invalid, reason)
	}
	broken := fault.New(fault.Invalid, "xdm-hash-mismatch")
	w.vault.Inline = -1
	_, err := w.vault.Seal(t.Context(), discharge("1.2.3"), letter, &failing{err: broken})
	wantFault(t, err, fault.Invalid, "xdm-hash-mismatch")
	if keys := w.blobKeys(); len(keys) != 0 {
		t.Errorf("%d blobs are left", len(keys))
	}
	_, err = w.vault.Seal(t.Context(), discharge("1.2.3"), dmp.Origin{Kind: dmp.ByLetter}, strings.NewReader("x"))
	wantFault(t, err, fault.Internal, "origin-malformed")
}

// vast has every list full of the longest texts.
func vast() dmp.Document {
	d := discharge("1.2.3")
	text := strings.Repeat("é", 1<<10)
	for range 32 {
		d.Authors = append(d.Authors, dmp.Author{Person: text, Role: text, Specialty: text})
	}
	return d
}

// failing gives some octets and an error.
type failing struct {
	given bool
	err   error
}

func (f *failing) Read(p []byte) (int, error) {
	if f.given {
		return 0, f.err
	}
	f.given = true
	return len(p), nil
}

// Texts over the bounds are cut at a character, with a warning.
func TestMetadataAreCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	d := discharge("1.2.3")
	d.Title = strings.Repeat("é", 5000) + "\xff"
	d.Events = slices.Repeat([]dmp.Code{{Code: "E"}}, 100)
	w.file(w.seal(d, letter, "octets"))
	e := w.list(dmp.Query{})[0]
	if e.Title != strings.Repeat("é", 1024) || len(e.Events) != 32 || !slices.Equal(e.Warnings, []string{"metadata-cut"}) {
		t.Errorf("title of %d octets, %d events, warnings %v", len(e.Title), len(e.Events), e.Warnings)
	}
	if len(d.Events) != 100 || len(d.Warnings) != 0 {
		t.Error("the caller's document was changed")
	}
}
