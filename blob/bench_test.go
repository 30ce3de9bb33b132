package blob_test

import (
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// BenchmarkThreshold helps to choose from which size on a body is a file: each
// operation makes one body and its row durable, either as a file (two flushes) and a
// small row, or inside the row.
//
//	go test ./blob -run '^$' -bench Threshold -benchtime 300x
func BenchmarkThreshold(b *testing.B) {
	for engine, dsn := range map[string]func(testing.TB) string{
		"sqlite": storetest.SQLiteDSN, "postgres": storetest.EmptyPostgresDSN,
	} {
		for _, writers := range []int{1, 8, 32} {
			for _, kib := range []int{2, 16, 64, 128, 256, 512, 1024} {
				for _, way := range []string{"row", "file"} {
					b.Run(fmt.Sprintf("%s/writers=%d/kib=%d/%s", engine, writers, kib, way), func(b *testing.B) {
						benchmarkBodies(b, dsn(b), writers, kib<<10, way == "file")
					})
				}
			}
		}
	}
}

func benchmarkBodies(b *testing.B, dsn string, writers, size int, asFile bool) {
	db := storetest.Open(b, dsn, store.Options{Migrations: fstest.MapFS{"00001_body.sql": {Data: []byte(
		"-- +goose Up\nCREATE TABLE body (id TEXT PRIMARY KEY, record BYTEA NOT NULL, inline BYTEA);\n")}}})
	s, err := blob.OpenFS(b.TempDir(), blob.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	body, record := make([]byte, size), make([]byte, 300)
	_, _ = rand.Read(body)

	one := func() error {
		key, inline := identity.NewID(), body
		if asFile {
			inline = nil
			w, err := s.Create(b.Context(), blob.Key(key))
			if err != nil {
				return err
			}
			defer w.Abort()
			if _, err := w.Write(body); err != nil {
				return err
			}
			if err := w.Commit(b.Context()); err != nil {
				return err
			}
		}
		return db.Write(b.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec("INSERT INTO body (id, record, inline) VALUES ($1, $2, $3)", key, record, inline)
			return err
		})
	}
	if err := one(); err != nil { // folders and statements exist from here on
		b.Fatal(err)
	}
	commits := db.Stats().Commits
	before := s.Flushes()
	b.SetBytes(int64(size))
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := one(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "bodies/s")
	b.ReportMetric(float64(s.Flushes()-before)/float64(b.N), "fsyncs/body")
	b.ReportMetric(float64(db.Stats().Commits-commits)/float64(b.N), "commits/body")
}
