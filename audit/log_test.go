package audit_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/store"
)

// clock is a time that moves only when a test moves it.
type clock struct {
	mu  sync.Mutex // guards now
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now().UTC().Truncate(time.Microsecond)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// log is an operator's log with its key, clock and one sequencer.
type log struct {
	db         *store.DB
	skey, vkey string
	clock      *clock
	sequencer  *audit.Sequencer
	appended   int
}

func newLog(t *testing.T, db *store.DB, o audit.Options) *log {
	t.Helper()
	skey, vkey, err := audit.NewKey("hospital")
	if err != nil {
		t.Fatal(err)
	}
	l := &log{db: db, skey: skey, vkey: vkey, clock: newClock()}
	l.sequencer = l.another(t, o)
	return l
}

// another returns one more sequencer on the same log.
func (l *log) another(t *testing.T, o audit.Options) *audit.Sequencer {
	t.Helper()
	if o.Now == nil {
		o.Now = l.clock.Now
	}
	s, err := audit.NewSequencer(l.db, l.skey, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func delivered(i int) audit.Leaf {
	return audit.Leaf{
		Actor: "9f2c4e", Role: "peer", Act: "letter-delivered",
		Object: fmt.Sprintf("letter:%06d", i), Result: audit.Done, Peer: "192.0.2.0/24",
	}
}

// append writes n leaves in one transaction; every tenth has details.
func (l *log) append(t *testing.T, n int) {
	t.Helper()
	from := l.appended
	err := l.db.Write(t.Context(), func(tx *store.Tx) error {
		for i := range n {
			leaf := delivered(from + i)
			if (from+i)%10 == 0 {
				leaf.Details = []byte("sealed details")
			}
			if err := audit.Append(tx, leaf); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	l.appended += n
}

// step makes the sequencer work until nothing is left, and signs.
func (l *log) step(t *testing.T) {
	t.Helper()
	l.clock.Move(10 * time.Second)
	for range 1000 {
		step, err := l.sequencer.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !step.Leading {
			t.Fatal("sequencer does not lead")
		}
		if step.Numbered == 0 && !step.Open {
			return
		}
		l.clock.Move(10 * time.Second)
	}
	t.Fatal("sequencer never comes to rest")
}

// grow appends in pieces of these sizes, each with a checkpoint of its own.
func (l *log) grow(t *testing.T, pieces ...int) {
	t.Helper()
	for _, n := range pieces {
		l.append(t, n)
		l.step(t)
	}
}

func (l *log) verify(t *testing.T, since ...[]byte) (audit.Report, error) {
	t.Helper()
	return audit.Verify(t.Context(), l.db, l.vkey, audit.VerifyOptions{Since: since, Now: l.clock.Now})
}

// whole fails the test unless the log verifies.
func (l *log) whole(t *testing.T) audit.Report {
	t.Helper()
	r, err := l.verify(t)
	if err != nil {
		t.Fatalf("verify: %v: %v", err, r.Findings)
	}
	return r
}

// latest returns the newest checkpoint as signed.
func (l *log) latest(t *testing.T) []byte {
	t.Helper()
	var msg []byte
	err := l.db.Read(t.Context(), func(tx *store.Tx) (err error) {
		msg, err = audit.Latest(tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// exec changes rows behind the log's back.
func exec(t *testing.T, db *store.DB, query string, args ...any) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// count returns the number that a query gives.
func count(t *testing.T, db *store.DB, query string) (n int64) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *store.Tx) error { return tx.QueryRow(query).Scan(&n) })
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
