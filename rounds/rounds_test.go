package rounds_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/rounds"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestMain(m *testing.M) { deliverytest.Main(m) }

const (
	anne = "anne@" + deliverytest.Hospital
	bob  = "bob@" + deliverytest.City
)

// world is an operator with a clock that rows and rounds follow.
type world struct {
	*deliverytest.Operator
	anne  deliverytest.Holder
	clock *deliverytest.Clock
}

// each runs a test on both engines.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Parallel()
	for engine, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLiteDSN, "postgres": storetest.PostgresDSN} {
		t.Run(engine, func(t *testing.T) {
			w := &world{clock: new(deliverytest.Clock)}
			db := storetest.Open(t, dsn(t), store.Options{Clock: w.clock.Now})
			w.Operator = deliverytest.New(t, db, deliverytest.Options{Delivery: delivery.Options{Inline: 64, Clock: w.clock.Now}})
			w.anne = w.Open(mailbox.PER, anne)
			test(t, w)
		})
	}
}

func (w *world) receive(text string) {
	w.TB.Helper()
	if err := deliverytest.Send(w.Peer(deliverytest.City), bob, []string{anne}, text); err != nil {
		w.TB.Fatal(err)
	}
}

func (w *world) round() {
	log := slog.New(slog.NewJSONHandler(w.Log, nil))
	rounds.New(rounds.Parts{DB: w.DB, Blobs: w.Blobs, Log: log}, rounds.Options{Clock: w.clock.Now}).Once(context.Background())
}

func TestAReplayWindowEndsAfterFiveDays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text := deliverytest.Text(bob, "x")
		w.receive(text)
		for _, c := range []struct {
			later time.Duration
			want  int
		}{{0, 1}, {5*24*time.Hour - time.Minute, 1}, {2 * time.Minute, 2}} {
			w.clock.Advance(c.later)
			w.round()
			w.receive(text)
			if n := len(w.Inbox(w.anne)); n != c.want {
				t.Errorf("%s later: %d letters, want %d", c.later, n, c.want)
			}
		}
	})
}

func TestABlobGoesAnHourAfterItsLastLetter(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.receive(deliverytest.Text(bob, "x"))
		w.receive(deliverytest.Text(bob, "y"))
		w.Write(func(tx *store.Tx) error {
			_, err := mailbox.Erase(tx, w.anne.Inbox, mailbox.SetOf(1))
			return err
		})
		want := func(files, garbage int) {
			t.Helper()
			w.round()
			if n := len(w.Files()); n != files || w.Count("blob_garbage") != garbage {
				t.Errorf("%d files, %d of them garbage; want %d and %d", n, w.Count("blob_garbage"), files, garbage)
			}
		}
		want(2, 1)
		w.clock.Advance(59 * time.Minute)
		want(2, 1)
		w.clock.Advance(2 * time.Minute)
		want(1, 0)
		want(1, 0)
		if n := len(w.Inbox(w.anne)); n != 1 {
			t.Errorf("%d letters can be read", n)
		}
	})
}

func TestAStrayGoesWhenItIsAnHourOld(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.receive(deliverytest.Text(bob, "x"))
		add := func(key blob.Key, age time.Duration) {
			t.Helper()
			b, err := w.Blobs.Create(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if _, err = b.Write([]byte("sealed")); err == nil {
				err = b.Commit(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			at := time.Now().Add(-age)
			files, err := filepath.Glob(filepath.Join(w.BlobDir, "*", "*", string(key)))
			if err != nil || len(files) != 1 {
				t.Fatalf("%v, %v", files, err)
			}
			if err := os.Chtimes(files[0], at, at); err != nil {
				t.Fatal(err)
			}
		}
		add("0stray-old", 61*time.Minute)
		add("zstray-old", 61*time.Minute)
		add("zstray-young", 59*time.Minute)
		w.round()
		if n := len(w.Files()); n != 2 {
			t.Errorf("%d files, want the letter's and the young one", n)
		}
		if _, err := w.Blobs.Open(t.Context(), "zstray-young"); err != nil {
			t.Error("a delivery may still be about to refer to it")
		}
		w.clock.Advance(2 * time.Hour)
		w.round()
		if n, letters := len(w.Files()), len(w.Inbox(w.anne)); n != 1 || letters != 1 {
			t.Errorf("%d files for %d letters", n, letters)
		}
	})
}

func TestRoundsGoOnUntilTheyAreStopped(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.receive(deliverytest.Text(bob, "x"))
		w.clock.Advance(6 * 24 * time.Hour)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			log := slog.New(slog.NewJSONHandler(w.Log, nil))
			rounds.New(rounds.Parts{DB: w.DB, Blobs: w.Blobs, Log: log}, rounds.Options{Every: time.Millisecond}).Run(ctx)
		}()
		for open := 1; open > 0; {
			w.Read(func(tx *store.Tx) error {
				return tx.QueryRow(`SELECT count(*) FROM message WHERE replay IS NOT NULL`).Scan(&open)
			})
		}
		stop()
		<-done
	})
}
