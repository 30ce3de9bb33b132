package filing

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Parts are the things a clerk works with; all are required.
type Parts struct {
	DB       *store.DB
	Blobs    blob.Store
	Platform seal.Platform
	Works    *seal.Works
	Office   *delivery.Office
	Log      *slog.Logger
}

// Options adjusts a clerk. The zero value is safe.
type Options struct {
	// Limits bounds what one letter may cost.
	Limits Limits
	// Dir is where decoded attachments lie, encrypted and unlinked, while they are
	// looked at; empty is the system's folder.
	Dir string
	// Inline is the largest sealed document in octets that is kept in its row; zero is
	// dmp.DefaultInline.
	Inline int
	// Time is how long one letter may take: 2 minutes.
	Time time.Duration
	// Backoff is the wait between attempts; the zero value begins with a second.
	Backoff queue.Backoff
	// Clock is the time; nil is time.Now.
	Clock func() time.Time
}

// Clerk files what letters bring, safe for concurrent use.
type Clerk struct {
	Parts
	opts Options
	book *outcome.Book

	mu sync.Mutex
	// left are the last attempts of this process; guarded by mu.
	left []leftover
}

// leftover is what an attempt made durable for a transaction that may not happen.
type leftover struct {
	job  queue.ID
	work *work
}

// Bounds of one node's clerk: two letters of one box at a time, four in all, since
// each may hold 100 MiB in spools.
const (
	concurrency = 4
	perBox      = 2
	// maxLeft bounds left: what does not fit is found by the round that looks for strays.
	maxLeft = 2 * concurrency
)

// New returns a clerk.
func New(p Parts, o Options) *Clerk {
	o.Time = cmp.Or(o.Time, 2*time.Minute)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Backoff.Quick == nil {
		// Most failures are a race with another letter: the next attempt wins.
		o.Backoff.Quick = []time.Duration{time.Second, 10 * time.Second, time.Minute}
	}
	return &Clerk{Parts: p, opts: o, book: outcome.NewBook(p.Works)}
}

// Jobs is how a queue worker runs filing jobs.
func (c *Clerk) Jobs() queue.Kind {
	return queue.Kind{
		Handle: c.file, Expire: c.giveUp, Concurrency: concurrency, PerGroup: perBox, Backoff: c.opts.Backoff,
		Limit: c.opts.Time,
	}
}

// remember keeps what an attempt made durable for its transaction, of the last few
// attempts. The worker does not tell whether that happened: if it did, the job never
// comes back, and what is kept is pushed out by others.
func (c *Clerk) remember(id queue.ID, w *work) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = append(slices.DeleteFunc(c.left, func(l leftover) bool { return l.job == id }), leftover{id, w})
	if more := len(c.left) - maxLeft; more > 0 {
		c.left = slices.Delete(c.left, 0, more)
	}
}

// clear deletes what an earlier attempt at a job left. That attempt is over: the job
// was claimed anew, so its transaction did not happen and cannot happen any more.
func (c *Clerk) clear(ctx context.Context, id queue.ID) {
	c.mu.Lock()
	i := slices.IndexFunc(c.left, func(l leftover) bool { return l.job == id })
	var w *work
	if i >= 0 {
		w = c.left[i].work
		c.left = slices.Delete(c.left, i, i+1)
	}
	c.mu.Unlock()
	if w != nil {
		w.discard(ctx)
	}
}
