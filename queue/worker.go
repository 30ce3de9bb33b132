package queue

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/bus"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/store"
)

// Kind says how jobs of one kind are done.
type Kind struct {
	// Handle does a job.
	Handle Handler
	// Expire is called instead of Handle once the job has expired; it should answer
	// Done or Failed. Nil: an expired job is held, reason "job-expired".
	Expire Handler
	// Concurrency is how many jobs of the kind run at a time; 0 is 4.
	Concurrency int
	// PerGroup is how many of them may be of one group; 0 is no limit but Concurrency.
	PerGroup int
	// Backoff is the wait between attempts.
	Backoff Backoff
	// Limit ends a handler's context; 0 is 30 min: RFC 5321 4.5.3.2 allows a peer
	// 10 min for the reply to the final dot alone.
	Limit time.Duration
}

func (k Kind) withDefaults() Kind {
	if k.Concurrency <= 0 {
		k.Concurrency = 4
	}
	if k.PerGroup <= 0 || k.PerGroup > k.Concurrency {
		k.PerGroup = k.Concurrency
	}
	if k.Limit <= 0 {
		k.Limit = 30 * time.Minute
	}
	return k
}

// Options are the optional parts of a worker. The zero value is safe for production.
type Options struct {
	// Bus wakes the worker by Topic(kind); without it, it polls every Idle.
	Bus bus.Bus
	// Node names the holder of leases. A worker that starts under a name takes back
	// at once what it left leased when it was killed: the name must not be in use
	// twice. Empty: a fresh id, and leases of an earlier life run out by themselves.
	Node string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Logger receives events; nil discards them.
	Logger *slog.Logger
	// Lease is how long another worker waits for a silent one; 0 is 30 s. It is
	// extended every third of it.
	Lease time.Duration
	// Idle is the longest sleep; 0 is 30 s.
	Idle time.Duration
}

func (o Options) withDefaults() Options {
	if o.Lease <= 0 {
		o.Lease = 30 * time.Second
	}
	if o.Idle <= 0 {
		o.Idle = 30 * time.Second
	}
	if o.Node == "" {
		o.Node = identity.NewID()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Logger = o.Logger.With("component", "queue")
	return o
}

// Worker claims jobs of some kinds and runs their handlers. Make it with NewWorker.
type Worker struct {
	db        *store.DB
	kinds     map[string]Kind
	names     []string // of the kinds, in a fixed order
	o         Options
	claimText string
	freed     chan struct{} // capacity 1: a slot became free
	running   sync.WaitGroup

	// mu guards what follows.
	mu     sync.Mutex
	leases map[ID]*lease
	busy   map[slot]int // running jobs by kind, and by kind and group
}

// lease is one running job.
type lease struct {
	job    Job
	cancel context.CancelCauseFunc
}

// slot is what is counted: a kind (group "*" stands for all of it), or a group of it.
type slot struct {
	kind, group string
	whole       bool
}

// NewWorker returns a worker for jobs of the given kinds. Kinds without a handler
// are our own bug and panic.
func NewWorker(db *store.DB, kinds map[string]Kind, o Options) *Worker {
	w := &Worker{
		db: db, kinds: map[string]Kind{}, o: o.withDefaults(), claimText: claimText(db.Engine()),
		freed: make(chan struct{}, 1), leases: map[ID]*lease{}, busy: map[slot]int{},
	}
	for name, k := range kinds {
		if k.Handle == nil {
			panic("queue: kind " + name + " has no handler")
		}
		w.kinds[name] = k.withDefaults()
		w.names = append(w.names, name)
	}
	return w
}

// gather is how long pokes and free slots are collected: a claim costs a commit,
// and nobody waits for the start of a job to the millisecond.
const gather = 2 * time.Millisecond

// Run claims and runs jobs until ctx ends. Then it claims no more, ends the
// handlers' contexts, waits for them, and gives back the leases of those that were
// interrupted. It returns nil.
func (w *Worker) Run(ctx context.Context) error {
	var pokes <-chan struct{}
	if w.o.Bus != nil {
		topics := make([]string, len(w.names))
		for i, name := range w.names {
			topics[i] = Topic(name)
		}
		sub := w.o.Bus.Subscribe(topics...)
		defer sub.Close()
		pokes = sub.C()
	}
	w.takeBack(ctx)
	over, beat := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(beat)
		w.heartbeat(context.WithoutCancel(ctx), over)
	}()
	for ctx.Err() == nil {
		sleep, err := w.round(ctx)
		if err != nil && ctx.Err() == nil {
			w.o.Logger.Error("queue.claim.failed", "error", err)
			sleep = time.Second
		}
		w.rest(ctx, sleep, pokes)
	}
	w.running.Wait()
	close(over)
	<-beat
	return nil
}

// takeBack makes due what an earlier life of this node left leased.
func (w *Worker) takeBack(ctx context.Context) {
	err := w.db.Write(ctx, func(tx *store.Tx) error {
		_, err := reclaim(tx, w.o.Node)
		return err
	})
	if err != nil && ctx.Err() == nil {
		w.o.Logger.Warn("queue.reclaim.failed", "error", err) // the leases run out by themselves
	}
}

// rest waits until there may be work.
func (w *Worker) rest(ctx context.Context, d time.Duration, pokes <-chan struct{}) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return
	case <-pokes:
	case <-w.freed:
	case <-ctx.Done():
		return
	}
	// Slots that become free together are filled by one claim.
	timer.Reset(gather)
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// heartbeat extends the leases of running jobs until over, also while the worker
// waits for its last handlers.
func (w *Worker) heartbeat(ctx context.Context, over <-chan struct{}) {
	tick := time.NewTicker(w.o.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.extendAll(ctx)
		case <-over:
			return
		}
	}
}

// extendAll extends every lease, and ends the handlers of those that are lost.
func (w *Worker) extendAll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, w.o.Lease/3)
	defer cancel()
	w.mu.Lock()
	held := make([]*lease, 0, len(w.leases))
	for _, l := range w.leases {
		held = append(held, l)
	}
	w.mu.Unlock()
	if len(held) == 0 {
		return
	}
	sortLeases(held)
	var lost []*lease
	until := w.o.Now().Add(w.o.Lease)
	err := w.db.Write(ctx, func(tx *store.Tx) error {
		lost = lost[:0]
		for _, l := range held {
			ok, err := extend(tx, l.job, until)
			if err != nil {
				return err
			}
			if !ok {
				lost = append(lost, l)
			}
		}
		return nil
	})
	if err != nil {
		// The handlers go on: if the leases run out meanwhile, the epoch decides.
		w.o.Logger.Warn("queue.extend.failed", "error", err)
		return
	}
	for _, l := range lost {
		l.cancel(errLost) // a job that was completed meanwhile is cancelled for nothing
	}
}
