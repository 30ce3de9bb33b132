package filing

import (
	"cmp"
	"context"
	"log/slog"
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
	// left is what attempts of this process made durable for a transaction that did not
	// happen; guarded by mu.
	left map[queue.ID]*work
}

// Bounds of one node's clerk: two letters of one box at a time, four in all, since
// each may hold 100 MiB in spools.
const (
	concurrency = 4
	perBox      = 2
	// maxLeft bounds left: what does not fit is found by the round that looks for strays.
	maxLeft = 64
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
	return &Clerk{Parts: p, opts: o, book: outcome.NewBook(p.Works), left: map[queue.ID]*work{}}
}

// Jobs is how a queue worker runs filing jobs.
func (c *Clerk) Jobs() queue.Kind {
	return queue.Kind{
		Handle: c.file, Expire: c.giveUp, Concurrency: concurrency, PerGroup: perBox, Backoff: c.opts.Backoff,
		Limit: c.opts.Time,
	}
}

// remember notes how the writing of an attempt ended. The worker does not tell whether
// its transaction happened: after an error it did not, and what was made durable for
// it is deleted by the next attempt; after success it nearly always did, and if the
// commit failed all the same the rounds find the strays.
func (c *Clerk) remember(id queue.ID, w *work, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		delete(c.left, id)
		return
	}
	if len(c.left) < maxLeft {
		c.left[id] = w
	}
}

// clear deletes what an earlier attempt at a job left. That attempt is over: the job
// was claimed anew, so its transaction did not happen and cannot happen any more.
func (c *Clerk) clear(ctx context.Context, id queue.ID) {
	c.mu.Lock()
	w := c.left[id]
	delete(c.left, id)
	c.mu.Unlock()
	if w != nil {
		w.discard(ctx)
	}
}
