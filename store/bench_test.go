package store_test

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/pgtest"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// BenchmarkWrite measures durable writes shaped like a delivery: a counter
// taken under its row's lock, a row of 2 KiB, a small row. It reports
// transactions committed per write ("commits/op", on SQLite the flushes of the
// log) and processor time per write, all threads of this process together.
// "grouped" against "single" is what group commit is worth.
func BenchmarkWrite(b *testing.B) {
	for _, writers := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("sqlite/grouped/%d", writers), func(b *testing.B) {
			benchmarkWrite(b, storetest.Open(b, storetest.SQLiteDSN(b), store.Options{}), writers)
		})
	}
	b.Run("sqlite/single/32", func(b *testing.B) {
		benchmarkWrite(b, storetest.Open(b, storetest.SQLiteDSN(b), store.Options{MaxBatch: 1}), 32)
	})
	server := pgtest.New(b, pgtest.Options{Durable: true})
	for _, writers := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("postgres/%d", writers), func(b *testing.B) {
			name := fmt.Sprintf("bench_%d_%d", writers, b.N)
			if err := server.Create(b.Context(), name, ""); err != nil {
				b.Fatal(err)
			}
			watch := storetest.Open(b, server.DSN(name), store.Options{Conns: 1})
			before := logFlushes(b, watch)
			db, err := store.Open(b.Context(), server.DSN(name), store.Options{})
			if err != nil {
				b.Fatal(err)
			}
			benchmarkWrite(b, db, writers)
			if err := db.Close(); err != nil { // a server process tells its counters when it ends
				b.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
			b.ReportMetric(float64(logFlushes(b, watch)-before)/float64(b.N), "flushes/op")
		})
	}
}

// logFlushes returns how often the PostgreSQL server flushed its log.
func logFlushes(b *testing.B, db *store.DB) (n int64) {
	b.Helper()
	if err := db.Read(b.Context(), func(tx *store.Tx) error {
		return tx.QueryRow("SELECT wal_sync FROM pg_stat_wal").Scan(&n)
	}); err != nil {
		b.Fatal(err)
	}
	return n
}

func benchmarkWrite(b *testing.B, db *store.DB, writers int) {
	b.Helper()
	makeBenchTables(b, db)
	record := make([]byte, 2048)
	_, _ = rand.Read(record)
	measure(b, db, writers, func() func(int64) error {
		return func(n int64) error { return deliver(b, db, n%benchFolders, record) }
	})
}

const benchFolders = 50

func makeBenchTables(b *testing.B, db *store.DB) {
	b.Helper()
	if err := db.Write(b.Context(), func(tx *store.Tx) error {
		if _, err := tx.Exec(`CREATE TABLE bench_folder (id BIGINT PRIMARY KEY, uid BIGINT NOT NULL);
			CREATE TABLE bench_message (folder BIGINT, uid BIGINT, id TEXT, record BYTEA, PRIMARY KEY (folder, uid));
			CREATE TABLE bench_fact (id TEXT PRIMARY KEY, at BIGINT)`); err != nil {
			return err
		}
		for i := range benchFolders {
			if _, err := tx.Exec("INSERT INTO bench_folder VALUES ($1, 0)", i); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}

// measure runs b.N steps on so many goroutines, each with a step of its own,
// and reports what they cost.
func measure(b *testing.B, db *store.DB, callers int, prepare func() func(int64) error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	before, cpu, start := db.Stats(), processorTime(), time.Now()
	b.ResetTimer()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			step := prepare()
			for n := left.Add(-1); n >= 0; n = left.Add(-1) {
				if err := step(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	n := float64(b.N)
	b.ReportMetric(float64(db.Stats().Commits-before.Commits)/n, "commits/op")
	b.ReportMetric(float64((processorTime()-cpu).Microseconds())/n, "cpu-µs/op")
	b.ReportMetric(n/time.Since(start).Seconds(), "writes/s")
}

// BenchmarkConversation measures SQLite under callers as a door has them: each
// letter takes five exchanges over TCP and some 0.3 ms of processor before its
// write, so that writes do not arrive together by themselves.
func BenchmarkConversation(b *testing.B) {
	for _, callers := range []int{1, 8, 32} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			db := storetest.Open(b, storetest.SQLiteDSN(b), store.Options{})
			makeBenchTables(b, db)
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer listener.Close()
			go serve(b, db, listener)
			measure(b, db, callers, func() func(int64) error {
				conn, err := net.Dial("tcp", listener.Addr().String())
				return func(int64) error {
					if err != nil {
						return err
					}
					return exchange(conn)
				}
			})
		})
	}
}

const exchanges = 5

// exchange is a caller's side of one letter.
func exchange(conn net.Conn) error {
	var line [100]byte
	for range exchanges {
		if _, err := conn.Write(line[:]); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, line[:20]); err != nil {
			return err
		}
	}
	return nil
}

// serve is the door's side.
func serve(b *testing.B, db *store.DB, listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			record, work := make([]byte, 2048), make([]byte, 64<<10)
			var line [100]byte
			for n := int64(1); ; n++ {
				if _, err := io.ReadFull(conn, line[:]); err != nil {
					return
				}
				sha256.Sum256(work)
				if n%exchanges == 0 {
					if err := deliver(b, db, n%benchFolders, record); err != nil {
						b.Error(err)
					}
				}
				if _, err := conn.Write(line[:20]); err != nil {
					return
				}
			}
		}()
	}
}

// deliver is one write.
func deliver(b *testing.B, db *store.DB, folder int64, record []byte) error {
	id := identity.NewID()
	return db.Write(b.Context(), func(tx *store.Tx) error {
		var uid int64
		if err := tx.QueryRow("UPDATE bench_folder SET uid = uid + 1 WHERE id = $1 RETURNING uid", folder).Scan(&uid); err != nil {
			return err
		}
		if _, err := tx.Exec("INSERT INTO bench_message VALUES ($1, $2, $3, $4)", folder, uid, id, record); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT INTO bench_fact VALUES ($1, $2)", id, store.Micros(tx.Now()))
		return err
	})
}

// processorTime returns the processor time this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
