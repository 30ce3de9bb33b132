package dmp_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// readable are texts that a person could read something from, in the forms in which
// they could lie about.
func readable(d dmp.Document, body string) []string {
	out := []string{
		d.Title, d.UniqueID, d.EntryUUID, d.Type.Code, d.Type.Display, string(d.Category), d.Authors[0].Person,
		d.Authors[0].PersonID, d.Authors[0].InstitutionID, d.SourcePatient.Matricule, d.SourcePatient.BirthName,
		letter.Letter, letter.From, depot.From, "Dr Lecteur", body, body[:20],
	}
	sum := sumOf(body)
	return append(out, fmt.Sprintf("%x", sum), string(sum[:]))
}

// After filing, replacing and opening, nothing readable is in the database's files or
// in the blobs.
func TestNothingIsReadableAtRest(t *testing.T) {
	t.Parallel()
	dsn := storetest.SQLiteDSN(t)
	db := storetest.Open(t, dsn, store.Options{})
	w := newWorld(t, db)
	d := discharge("1.2.250.1.999.42^DOC-0815")
	d.EntryUUID, d.Category = entryUUID, "BIOLOGIE"
	small, large := "Compte rendu : hémoglobine 8,1 g/dL", strings.Repeat("Conclusion : pneumopathie. ", 20_000)
	w.file(w.seal(d, letter, small))
	w.file(w.seal(d, depot, small))
	next := d
	next.UniqueID, next.Replaces = "1.2.250.1.999.43", []string{d.UniqueID}
	w.file(w.seal(next, letter, large))
	w.trace(dmp.Access{Who: "Dr Lecteur", What: dmp.DocumentOpened, Why: dmp.Care, Object: "x", Title: d.Title})
	if len(w.list(dmp.Query{})) != 2 {
		t.Fatal("not filed")
	}

	words := append(readable(d, small), readable(next, large)...)
	var seen int64
	for _, dir := range []string{filepath.Dir(strings.TrimPrefix(dsn, "sqlite:")), filepath.Join(w.dir, "blob")} {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			seen += int64(len(raw))
			for _, word := range words {
				if bytes.Contains(raw, []byte(word)) {
					t.Errorf("%s holds %q", filepath.Base(path), word)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < int64(len(large)) {
		t.Errorf("only %d octets were looked at", seen)
	}
}

// What gets into a log or an error by accident says nothing.
func TestContentRedactsItself(t *testing.T) {
	t.Parallel()
	d := discharge("1.2.250.1.999.42")
	d.EntryUUID = entryUUID
	access := dmp.Access{Who: "Dr Lecteur", Title: d.Title, At: time.Now()}
	entry := dmp.Entry{Document: d, Origins: []dmp.Origin{letter, depot}}
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	for _, v := range []any{d, &d, entry, hospital, d.SourcePatient, letter, access, []dmp.Origin{letter}} {
		logger.Info("x", "value", v)
		fmt.Fprintf(&log, "%v %+v %s %#v\n", v, v, v, v)
	}
	for _, word := range []string{d.Title, "Sansnom", d.UniqueID, hospital.Person, d.SourcePatient.Matricule, letter.From, "Lecteur"} {
		if strings.Contains(log.String(), word) {
			t.Errorf("the log holds %q", word)
		}
	}
}
