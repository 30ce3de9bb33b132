package dmp_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// world is an operator with one patient.
type world struct {
	t     testing.TB
	db    *store.DB
	works *seal.Works
	blobs *blob.FS
	ring  *seal.Keyring
	vault dmp.Vault
	dir   string
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	dir := t.TempDir()
	platform, err := seal.KeyFile(filepath.Join(dir, "platform.key"))
	if err != nil {
		t.Fatal(err)
	}
	works, _, err := seal.NewWorks(platform)
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.OpenFS(filepath.Join(dir, "blob"), blob.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, db: db, works: works, blobs: blobs, dir: dir}
	w.ring, w.vault = w.patient()
	return w
}

// patient makes the keys of a patient.
func (w *world) patient() (*seal.Keyring, dmp.Vault) {
	w.t.Helper()
	space := identity.NewID()
	ring, err := seal.NewSpace(space, true)
	if err != nil {
		w.t.Fatal(err)
	}
	return ring, dmp.Vault{Space: dmp.SpaceID(space), Key: ring.Vault(), Works: w.works, Blobs: w.blobs}
}

// write runs fn in a transaction that must succeed.
func (w *world) write(fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// read runs fn on a snapshot; it must succeed.
func (w *world) read(fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.db.Read(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// Two origins, and the hospital that wrote most documents here.
var (
	letter   = dmp.Origin{Kind: dmp.ByLetter, Letter: "01letter", From: "secretariat@chu-exemple.mssante.example"}
	depot    = dmp.Origin{Kind: dmp.ByDepot, From: "dpi@chu-exemple.mssante.example"}
	hospital = dmp.Author{Person: "MARTIN Anne", PersonID: "810000000001", Institution: "CHU d’Exemple", InstitutionID: "1750000001"}
	stranger = dmp.Author{Person: "DURAND Paul", PersonID: "810000000999", Institution: "Clinique Autre", InstitutionID: "1750000999"}
)

// discharge is the metadata of a discharge letter of the hospital.
func discharge(id string) dmp.Document {
	return dmp.Document{
		UniqueID: id, Title: "Lettre de liaison de Mme Sansnom", MIME: "text/xml", Language: "fr-FR",
		Type:          dmp.Code{Code: "11490-0", System: "2.16.840.1.113883.6.1", Display: "Lettre de liaison"},
		Authors:       []dmp.Author{hospital},
		SourcePatient: dmp.Snapshot{OID: "1.2.250.1.213.1.4.10", Matricule: "279035121518989", BirthName: "SANSNOM"},
	}
}

// seal seals a document of the patient.
func (w *world) seal(d dmp.Document, o dmp.Origin, body string) *dmp.Sealed {
	w.t.Helper()
	s, err := w.vault.Seal(w.t.Context(), d, o, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// try files a lot and settles it.
func (w *world) try(lot ...*dmp.Sealed) ([]dmp.Result, error) {
	w.t.Helper()
	var results []dmp.Result
	err := w.db.Write(w.t.Context(), func(tx *store.Tx) (err error) {
		results, err = dmp.File(tx, lot)
		return err
	})
	if err := dmp.Settle(w.t.Context(), lot, results); err != nil {
		w.t.Fatal(err)
	}
	return results, err
}

// file files a lot, which must succeed.
func (w *world) file(lot ...*dmp.Sealed) []dmp.Result {
	w.t.Helper()
	results, err := w.try(lot...)
	if err != nil {
		w.t.Fatal(err)
	}
	return results
}

// rows reads a page of the vault.
func (w *world) rows(q dmp.Query) (rows []dmp.Row) {
	w.t.Helper()
	w.read(func(tx *store.Tx) (err error) {
		rows, err = dmp.List(tx, w.works, w.vault.Space, q)
		return err
	})
	return rows
}

// list opens a page of the vault and re-wraps what it met for the first time.
func (w *world) list(q dmp.Query) []dmp.Entry {
	w.t.Helper()
	o := dmp.NewOpener(w.ring)
	var out []dmp.Entry
	for _, row := range w.rows(q) {
		e, err := o.Entry(row)
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, e)
	}
	if fresh := o.Fresh(); len(fresh) > 0 {
		w.write(func(tx *store.Tx) error { return dmp.Rewrap(tx, w.vault.Space, fresh) })
	}
	return out
}

// states are the states of the documents, by uniqueId.
func (w *world) states() map[string]dmp.State {
	w.t.Helper()
	out := map[string]dmp.State{}
	for _, e := range w.list(dmp.Query{Limit: dmp.MaxPage}) {
		out[e.UniqueID] = e.State
	}
	return out
}

// get reads one document's row.
func (w *world) get(id dmp.DocumentID) (row dmp.Row, err error) {
	w.t.Helper()
	err = w.db.Read(w.t.Context(), func(tx *store.Tx) (err error) {
		row, err = dmp.Get(tx, w.vault.Space, id)
		return err
	})
	return row, err
}

// octets opens a document and reads it.
func (w *world) octets(id dmp.DocumentID) string {
	w.t.Helper()
	row, err := w.get(id)
	if err != nil {
		w.t.Fatal(err)
	}
	body, err := dmp.NewOpener(w.ring).Body(w.t.Context(), w.blobs, row)
	if err != nil {
		w.t.Fatal(err)
	}
	defer body.Close()
	got, err := io.ReadAll(io.NewSectionReader(body, 0, body.Size))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(got)
}

// blobKeys are all blobs that the store has.
func (w *world) blobKeys() []blob.Key {
	w.t.Helper()
	infos, err := w.blobs.List(w.t.Context(), "", 0)
	if err != nil {
		w.t.Fatal(err)
	}
	keys := make([]blob.Key, len(infos))
	for i, info := range infos {
		keys[i] = info.Key
	}
	return keys
}

// fill files n documents by one letter each, a hundred at a time.
func (w *world) fill(n int) {
	w.t.Helper()
	for left := n; left > 0; left -= 100 {
		var lot []*dmp.Sealed
		for i := range min(left, 100) {
			id := fmt.Sprintf("1.2.3.%d.%d", left, i)
			o := dmp.Origin{Kind: dmp.ByLetter, Letter: id, From: letter.From}
			lot = append(lot, w.seal(discharge(id), o, "octets of "+id))
		}
		w.file(lot...)
	}
}

// engines runs a benchmark on each.
func engines(b *testing.B, bench func(b *testing.B, w *world)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, newWorld(b, storetest.SQLite(b))) })
	b.Run("postgres", func(b *testing.B) { bench(b, newWorld(b, storetest.Postgres(b))) })
}

// sumOf is the SHA-256 of a text.
func sumOf(s string) [sha256.Size]byte { return sha256.Sum256([]byte(s)) }
