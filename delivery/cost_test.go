package delivery_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// The budget of DESIGN section 2: at most four statements per recipient, and what
// a letter costs besides does not grow with them.
func TestALetterCostsFourStatementsARecipientAtMost(t *testing.T) {
	t.Parallel()
	counter := deliverytest.CountStatements(t, storetest.PostgresDSN(t))
	op := deliverytest.New(t, storetest.Open(t, counter.DSN, store.Options{}), deliverytest.Options{})
	sender := op.Open(mailbox.PER, anne)
	var professionals, patients []string
	for i := range 8 {
		professionals = append(professionals, fmt.Sprintf("pro%d@%s", i, deliverytest.Hospital))
		patients = append(patients, fmt.Sprintf("pat%d@%s", i, deliverytest.Patients))
		op.Open(mailbox.PER, professionals[i])
		op.Open(mailbox.Patient, patients[i])
	}
	peer, own := op.Peer(deliverytest.City), op.Submit(sender)
	cost := func(v delivery.Visit, from string, to []string) int64 {
		t.Helper()
		if err := deliverytest.Envelope(v, from, to...); err != nil {
			t.Fatal(err)
		}
		letter := deliverytest.Text(from, "x")
		before := counter.Count()
		if err := v.Data(t.Context(), strings.NewReader(letter)); err != nil {
			t.Fatal(err)
		}
		return counter.Count() - before
	}
	for _, c := range []struct {
		name string
		v    delivery.Visit
		from string
		to   []string
		each int64
		once int64 // BEGIN, COMMIT, body, leaf; and for a submission the outcome's two
	}{
		{"professionals", peer, bob, professionals, 3, 4},
		{"patients", peer, bob, patients, 4, 4},
		{"submitted to professionals", own, anne, professionals, 3, 6},
	} {
		one, all := cost(c.v, c.from, c.to[:1]), cost(c.v, c.from, c.to)
		if each := (all - one) / int64(len(c.to)-1); each != c.each || (all-one)%int64(len(c.to)-1) != 0 {
			t.Errorf("%s: %d statements for one, %d for %d; want %d each", c.name, one, all, len(c.to), c.each)
		}
		if once := one - c.each; once != c.once {
			t.Errorf("%s: %d statements besides, want %d", c.name, once, c.once)
		}
	}
}

// growing is a letter of some size that is made while it is read, and looks how
// much memory it takes.
type growing struct {
	head string
	left int64
	next int64
	most uint64
}

func (g *growing) Read(p []byte) (int, error) {
	if g.head != "" {
		n := copy(p, g.head)
		g.head = g.head[n:]
		return n, nil
	}
	if g.left <= 0 {
		return 0, io.EOF
	}
	if g.left < g.next {
		g.next = g.left - 8<<20
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		g.most = max(g.most, m.HeapAlloc)
	}
	const line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n"
	n := int64(0)
	for n+int64(len(line)) <= int64(len(p)) && n < g.left {
		n += int64(copy(p[n:], line))
	}
	g.left -= n
	return int(n), nil
}

// This test is not parallel: it looks at the heap of the process.
func TestALargeLetterIsNeverInMemory(t *testing.T) {
	const size = 64 << 20
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{Delivery: delivery.Options{MaxSize: size + 1<<20}})
	h := op.Open(mailbox.PER, anne)
	v := op.Peer(deliverytest.City)
	if err := deliverytest.Envelope(v, bob, anne); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	r := &growing{head: deliverytest.Text(bob, "x"), left: size, next: size}
	if err := v.Data(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	// One segment of 256 KiB, its ciphertext, the walker, buffers.
	const limit = 4 << 20
	if grown := int64(r.most) - int64(before.HeapAlloc); grown > limit {
		t.Errorf("%d KiB more on the heap, want at most %d", grown>>10, limit>>10)
	}
	op.Read(func(tx *store.Tx) error {
		return mailbox.Messages(tx, h.Inbox, mailbox.All(), func(m mailbox.Message) error {
			if m.Size < size {
				t.Errorf("%d octets", m.Size)
			}
			return nil
		})
	})
}
