package trust_test

import (
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
	"github.com/vaguemestre/vaguemestre/trust"
)

func TestTheNewestMarkStays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		read := func() (m trust.Mark) {
			t.Helper()
			err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
				m, err = trust.KnownMark(tx)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		if got := read(); got != (trust.Mark{}) {
			t.Fatalf("before any list: %v", got)
		}
		old := trust.Mark{Generated: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Digest: [32]byte{1}}
		fresh := trust.Mark{Generated: old.Generated.Add(time.Hour), Digest: [32]byte{2}}
		for _, m := range []trust.Mark{old, fresh, old} {
			if err := db.Write(t.Context(), func(tx *store.Tx) error { return trust.KeepMark(tx, m) }); err != nil {
				t.Fatal(err)
			}
		}
		if got := read(); got != fresh {
			t.Errorf("got %v, want the newest %v", got, fresh)
		}
	})
}
