package dmp_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// unknown asks which blobs of the store no document refers to.
func (w *world) unknown() (out []blob.Key) {
	w.t.Helper()
	keys := w.blobKeys()
	w.read(func(tx *store.Tx) (err error) {
		out, err = dmp.Unknown(tx, keys)
		return err
	})
	return out
}

// With its row a document's key is gone: neither the row as it was nor the blob can
// be read without it, the blob is found as a stray, and the document may come again.
func TestDeletingTheKeyErases(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.vault.Inline = -1
		gone := w.file(w.seal(discharge("1.2.3"), letter, "octets"))[0].ID
		w.file(w.seal(discharge("1.2.3"), depot, "octets"))
		kept := w.file(w.seal(discharge("1.2.4"), letter, "others"))[0].ID
		early := discharge("1.2.5")
		early.Replaces = []string{"1.2.6"}
		waiting := w.file(w.seal(early, letter, "early"))[0].ID
		if strays := w.unknown(); len(strays) != 0 {
			t.Errorf("strays %v", strays)
		}
		for _, id := range []dmp.DocumentID{gone, waiting} {
			w.write(func(tx *store.Tx) error { return dmp.Erase(tx, w.vault.Space, id) })
			err := db.Write(t.Context(), func(tx *store.Tx) error { return dmp.Erase(tx, w.vault.Space, id) })
			wantFault(t, err, fault.NotFound, "document-unknown")
			_, err = w.get(id)
			wantFault(t, err, fault.NotFound, "document-unknown")
		}
		for _, table := range []string{"vault_document", "vault_origin", "vault_pending"} {
			var n int
			w.read(func(tx *store.Tx) error {
				return tx.QueryRow(`SELECT count(*) FROM `+table+` WHERE space_id = $1 AND document_id <> $2`,
					string(w.vault.Space), string(kept)).Scan(&n)
			})
			if n != 0 {
				t.Errorf("%s: %d rows of erased documents", table, n)
			}
		}
		if strays := w.unknown(); !slices.Equal(strays, []blob.Key{blob.Key(gone), blob.Key(waiting)}) {
			t.Errorf("strays %v", strays)
		}
		w.checkCounts()
		if w.octets(kept) != "others" {
			t.Error("another document is gone too")
		}
		if r := w.file(w.seal(discharge("1.2.3"), letter, "octets"))[0]; !r.New || r.ID == gone {
			t.Error("an erased document that comes again is not new")
		}
		if r := w.file(w.seal(discharge("1.2.6"), letter, "late"))[0]; r.State != dmp.Approved {
			t.Error("an erased document replaces another")
		}
	})
}

// A document that was sealed and never filed leaves a blob that the round finds.
func TestStraysAreFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		big := strings.Repeat("x", 300<<10)
		filed := w.seal(discharge("1.2.3"), letter, big)
		w.file(filed)
		lost := w.seal(discharge("1.2.4"), letter, big)
		if strays := w.unknown(); !slices.Equal(strays, []blob.Key{blob.Key(lost.ID())}) {
			t.Errorf("strays %v, want the blob of %s", strays, lost.ID())
		}
		if err := lost.Discard(t.Context()); err != nil {
			t.Fatal(err)
		}
		if strays := w.unknown(); len(strays) != 0 {
			t.Errorf("strays %v", strays)
		}
	})
}
