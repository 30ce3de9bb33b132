package rounds_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

func TestTheBlobOfADocumentIsNoStray(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.Open(mailbox.Patient, "jeanne@"+deliverytest.Patients)
		ring := w.Ring(p)
		defer ring.Zero()
		vault := dmp.Vault{Space: dmp.SpaceID(p.Space), Key: ring.Vault(), Works: w.Works, Blobs: w.Blobs, Inline: -1}
		seal := func(id string) *dmp.Sealed {
			t.Helper()
			s, err := vault.Seal(t.Context(), dmp.Document{UniqueID: id, MIME: "application/pdf"}, dmp.Origin{Kind: dmp.ByDepot}, strings.NewReader("%PDF-1.7 …"))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		filed := seal("1.2.3.1")
		w.Write(func(tx *store.Tx) error {
			_, err := dmp.File(tx, []*dmp.Sealed{filed})
			return err
		})
		seal("1.2.3.2") // its transaction never came
		files, err := filepath.Glob(filepath.Join(w.BlobDir, "*", "*", "*"))
		if err != nil || len(files) != 2 {
			t.Fatalf("%d blobs, %v", len(files), err)
		}
		old := time.Now().Add(-2 * time.Hour)
		for _, f := range files {
			if err := os.Chtimes(f, old, old); err != nil {
				t.Fatal(err)
			}
		}
		w.round()
		if n := len(w.Files()); n != 1 {
			t.Errorf("%d blobs are left, want the filed document's", n)
		}
	})
}
