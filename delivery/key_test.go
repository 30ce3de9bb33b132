package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/custody"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// DESIGN section 4, first row of the table: delivery needs public keys only.
func TestDeliveryOpensNoKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		op.Open(mailbox.PER, anne)
		m, p := op.Open(mailbox.Patient, marie), op.Open(mailbox.PER, paul)
		op.Platform.Opened()
		v := op.Peer(deliverytest.City)
		if err := deliverytest.Envelope(v, bob, anne, marie, paul); err != nil {
			t.Fatal(err)
		}
		op.State(p, mailbox.Closed) // so that a report to another operator needs the transit pair
		if err := v.Data(t.Context(), strings.NewReader(deliverytest.Text(bob, "x"))); err != nil {
			t.Fatal(err)
		}
		if len(op.Inbox(m)) != 1 || op.Count("queue_job") != 1 {
			t.Error("letter or report is missing")
		}
		if opened := op.Platform.Opened(); len(opened) != 0 {
			t.Errorf("the platform key opened %q", opened)
		}
	})
}

func TestEachDayHasItsTransitPair(t *testing.T) {
	t.Parallel()
	var clock deliverytest.Clock
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{Delivery: delivery.Options{Clock: clock.Now}})
	a := op.Open(mailbox.PER, anne)
	var days []string
	for range 2 {
		for range 2 {
			if err := deliverytest.Send(op.Submit(a), anne, []string{bob}, deliverytest.Text(anne, "x")); err != nil {
				t.Fatal(err)
			}
		}
		days = append(days, custody.Day(clock.Now()))
		clock.Advance(24 * time.Hour)
	}
	parcels, _ := jobs(t, op)
	used := map[string]int{}
	for _, p := range parcels {
		used[p.Day]++
	}
	if used[days[0]] != 2 || used[days[1]] != 2 || days[0] == days[1] {
		t.Errorf("transit days %v of letters on %v", used, days)
	}
	if n := op.Count("operator_key"); n != 3 {
		t.Errorf("%d operator keys, want works and two days", n)
	}
}
