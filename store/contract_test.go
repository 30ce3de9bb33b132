package store_test

import (
	"testing"
	"testing/fstest"

	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(t *testing.T, o store.Options) *store.DB {
			o.Migrations = fstest.MapFS{}
			return storetest.Open(t, storetest.SQLiteDSN(t), o)
		})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(t *testing.T, o store.Options) *store.DB {
			o.Migrations = fstest.MapFS{}
			return storetest.Open(t, storetest.EmptyPostgresDSN(t), o)
		})
	})
}
