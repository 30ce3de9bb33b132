package relay_test

import (
	"context"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func mailUTF8() delivery.MailOptions  { return delivery.MailOptions{UTF8: true} }
func noOptions() delivery.RcptOptions { return delivery.RcptOptions{} }

// job reads the one job that waits.
func (w *world) job() queue.Job {
	w.t.Helper()
	j := queue.Job{Kind: delivery.RelayKind}
	w.Read(func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT id, grp, payload FROM queue_job`).Scan(&j.ID, &j.Group, &j.Payload)
	})
	return j
}

// The 250 was read, and then we crashed before anything was written down: the
// dialogue is repeated, and the next hop's replay rule makes it one letter.
func TestACrashAfterThe250IsNoSecondLetter(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		city := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{Domains: []string{deliverytest.City}})
		b := city.Open(mailbox.PER, bob)
		w := newWorld(t, db, serve(t, cityCert(t), city.Office.Operators()))
		text := deliverytest.Text(anne, "x")
		w.submit(text, bob)
		for range 2 {
			w.relay().Jobs().Handle(t.Context(), w.job()) // and its result is lost
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		city.Office.Run(ctx) // every window that may be closed is closed
		w.work(w.idle)
		got := city.Inbox(b)
		if len(got) != 1 || !strings.HasSuffix(got[0].Body, text) {
			t.Errorf("%d letters", len(got))
		}
		if states := w.states(); states != "relayed" {
			t.Errorf("outcome %s", states)
		}
	})
}

func TestJobsOutliveARestart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := new(hop)
		w := newWorld(t, db, "127.0.0.1:1")
		text := deliverytest.Text(anne, "x")
		w.submit(text, bob)
		w.work(w.waits("hop-unreachable"))

		// Another life of the node: all that it has is the database, the blobs and the
		// platform key.
		again := &world{t: t, addr: serve(t, cityCert(t), h), own: w.own, anne: w.anne}
		again.Operator = deliverytest.New(t, db, deliverytest.Options{
			Platform: w.Platform, Blobs: w.BlobDir, Delivery: delivery.Options{Inline: 64},
		})
		again.work(again.idle)
		if got := h.taken(); len(got) != 1 || !strings.HasSuffix(got[0].text, text) {
			t.Errorf("taken: %+v", got)
		}
		if states := again.states(); states != "relayed" {
			t.Errorf("outcome %s", states)
		}
	})
}

func TestAnAttemptThatTheStopInterruptsIsNotCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t), "127.0.0.1:1")
	w.submit(deliverytest.Text(anne, "x"), bob)
	run, stop := context.WithCancel(t.Context())
	kind := w.relay().Jobs()
	handle := kind.Handle
	kind.Handle = func(ctx context.Context, j queue.Job) queue.Result {
		stop()
		return handle(ctx, j)
	}
	if err := queue.NewWorker(w.DB, map[string]queue.Kind{delivery.RelayKind: kind}, queue.Options{}).Run(run); err != nil {
		t.Fatal(err)
	}
	var attempts, wait int
	w.Read(func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT attempts, wake - due FROM queue_job`).Scan(&attempts, &wait)
	})
	if attempts != 0 || wait != 0 {
		t.Errorf("%d attempts, due %d µs later", attempts, wait)
	}
}
