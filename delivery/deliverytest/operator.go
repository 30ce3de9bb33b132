package deliverytest

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/custody"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/lifecycle"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/trust"
)

// Options adjusts an operator.
type Options struct {
	// Domains are hosted here, the first one names the host; none is the hospital's
	// and the patients'.
	Domains []string
	// Platform and Blobs are another operator's key and blob folder, for a second life
	// or node of it; nil and empty make them.
	Platform *Platform
	Blobs    string
	// Delivery and Porter adjust the works; hosts and domains are filled in.
	Delivery delivery.Options
	Porter   porter.Options
}

// Operator is one operator without doors.
type Operator struct {
	TB        testing.TB
	DB        *store.DB
	Blobs     *blob.FS
	BlobDir   string
	Platform  *Platform
	Works     *seal.Works
	Sandbox   *Sandbox
	Checker   *certs.Checker
	Refresh   func() // the checker sees revocations
	Porter    *porter.Porter
	Office    *delivery.Office
	Registrar *lifecycle.Registrar
	Log       *Log

	mu    sync.Mutex
	space *trust.Space // guarded by mu
}

// New returns an operator on a database.
func New(tb testing.TB, db *store.DB, o Options) *Operator {
	tb.Helper()
	op := &Operator{TB: tb, DB: db, Sandbox: TheSandbox(tb), BlobDir: cmp.Or(o.Blobs, filepath.Join(tb.TempDir(), "blobs")), Log: new(Log)}
	if op.Platform = o.Platform; op.Platform == nil {
		op.Platform = NewPlatform(tb)
	}
	op.Write(func(tx *store.Tx) (err error) {
		op.Works, err = custody.Works(tx, op.Platform)
		return err
	})
	log := slog.New(slog.NewJSONHandler(op.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if op.Blobs, err = blob.OpenFS(op.BlobDir, blob.Options{Logger: log}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = op.Blobs.Close() }) // lets go of a lock in a temporary folder
	op.Checker, op.Refresh = op.Sandbox.Checker(tb)
	op.Trust(op.Sandbox.Space(tb, Hospital, Patients, City))
	op.Porter = porter.New(porter.Parts{
		DB: db, Platform: op.Platform, Works: op.Works, Checker: op.Checker, Trust: op.Space, Log: log,
	}, o.Porter)
	if len(o.Domains) == 0 {
		o.Domains = []string{Hospital, Patients}
	}
	for _, d := range o.Domains {
		o.Delivery.Domains = append(o.Delivery.Domains, identity.Domain(d))
	}
	o.Delivery.Host = cmp.Or(o.Delivery.Host, identity.Domain(Host(o.Domains[0])))
	op.Office = delivery.New(delivery.Parts{
		DB: db, Blobs: op.Blobs, Platform: op.Platform, Works: op.Works, Desk: op.Porter, Trust: op.Space, Log: log,
	}, o.Delivery)
	op.Registrar = lifecycle.New(db, op.Platform, op.Works)
	op.Platform.Opened() // what opening the works key took
	return op
}

// Space returns the whitelist in force.
func (op *Operator) Space() *trust.Space {
	op.mu.Lock()
	defer op.mu.Unlock()
	return op.space
}

// Trust puts another whitelist in force, nil for none.
func (op *Operator) Trust(s *trust.Space) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.space = s
}

// Write runs fn in a transaction that must succeed.
func (op *Operator) Write(fn func(tx *store.Tx) error) {
	op.TB.Helper()
	if err := op.DB.Write(context.Background(), fn); err != nil {
		op.TB.Fatal(err)
	}
}

// Read runs fn on a snapshot; it must succeed.
func (op *Operator) Read(fn func(tx *store.Tx) error) {
	op.TB.Helper()
	if err := op.DB.Read(context.Background(), fn); err != nil {
		op.TB.Fatal(err)
	}
}

// Count returns the number of rows of a table.
func (op *Operator) Count(table string) (n int) {
	op.TB.Helper()
	op.Read(func(tx *store.Tx) error { return tx.QueryRow(`SELECT count(*) FROM ` + table).Scan(&n) })
	return n
}

// Files returns the sizes of all files in the blob folder, temporary ones included.
func (op *Operator) Files() (sizes []int64) {
	op.TB.Helper()
	err := filepath.WalkDir(op.BlobDir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ".lock" {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sizes = append(sizes, info.Size())
		}
		return err
	})
	if err != nil {
		op.TB.Fatal(err)
	}
	return sizes
}

// Log is what an operator logged, safe for concurrent use.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns the log so far, one JSON object a line.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Clock is a clock that a test moves, safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	off time.Duration // guarded by mu
}

// Now returns the time, moved.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off)
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off += d
}
