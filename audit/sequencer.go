package audit

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/vaguemestre/vaguemestre/bus"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/store"
)

// Options are the optional parts of a sequencer. The zero value is safe for production.
type Options struct {
	// Bus wakes the sequencer by Topic; without it, it polls.
	Bus bus.Bus
	// Node names the holder of the lease; a fresh id if empty.
	Node string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Logger receives events; nil discards them.
	Logger *slog.Logger
	// Gather is how long leaves are collected before they are numbered together;
	// 0 is 200 ms.
	Gather time.Duration
	// Poll is how often unnumbered leaves are looked for without a poke; 0 is
	// 700 ms: with Gather it keeps numbering within 1 s (spec security 5).
	Poll time.Duration
	// CheckpointEvery is the least time between two checkpoints; 0 is 4 s, so that
	// a numbered leaf is signed for within 5 s (spec security 5).
	CheckpointEvery time.Duration
	// Lease is how long another node waits for a silent holder; 0 is 5 s.
	Lease time.Duration
	// Batch is how many leaves are numbered in one transaction; 0 is 1024. It
	// bounds how long SQLite's writer is busy with them.
	Batch int
}

func (o Options) withDefaults() Options {
	fill := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	fill(&o.Gather, 200*time.Millisecond)
	fill(&o.Poll, 700*time.Millisecond)
	fill(&o.CheckpointEvery, 4*time.Second)
	fill(&o.Lease, 5*time.Second)
	if o.Batch <= 0 {
		o.Batch = 1024
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
	o.Logger = o.Logger.With("component", "audit")
	return o
}

// Sequencer numbers leaves and signs checkpoints. Every node may run one; the lease
// in the database lets one work at a time, and its epoch refuses the writes of one
// that lost the lease without knowing. A Sequencer is driven by one goroutine.
type Sequencer struct {
	db     *store.DB
	signer note.Signer
	check  note.Verifier
	o      Options
	lead   *lead // nil while another node leads, or nobody
}

// lead is what the leading sequencer knows of the log; it is what the database
// holds as long as the epoch stands.
type lead struct {
	epoch    int64
	at       int64 // time of the last numbered leaf, unix µs
	tree     *tree
	no       int64     // number of the last checkpoint
	covered  int64     // its size
	signedAt time.Time // its time
}

// Step is what one step of a sequencer did.
type Step struct {
	// Leading says that this sequencer holds the lease, or that nobody needs it.
	Leading bool
	// Numbered is how many leaves were numbered.
	Numbered int
	// Signed says that a checkpoint was signed.
	Signed bool
	// Open says that numbered leaves wait for a checkpoint.
	Open bool
}

// NewSequencer returns a sequencer that signs with skey (see NewKey); the key's name
// is the log's origin. Faults: Invalid "audit-key-malformed".
func NewSequencer(db *store.DB, skey string, o Options) (*Sequencer, error) {
	vkey, err := VerifierKey(skey)
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, fault.New(fault.Invalid, "audit-key-malformed") // never the key itself
	}
	check, err := verifier(vkey)
	if err != nil {
		return nil, err
	}
	return &Sequencer{db: db, signer: signer, check: check, o: o.withDefaults()}, nil
}

// Run numbers and signs until ctx ends; then it numbers and signs what is left and
// gives the lease back. It returns nil at the end of ctx, and an error only when
// the log must not be continued: Internal "audit-tree-broken" when the stored tree
// does not extend the last signed checkpoint, "audit-origin-differs" when the log
// belongs to another operator. Every other error is logged and tried again.
func (s *Sequencer) Run(ctx context.Context) error {
	var pokes <-chan struct{}
	if s.o.Bus != nil {
		sub := s.o.Bus.Subscribe(Topic)
		defer sub.Close()
		pokes = sub.C()
	}
	for ctx.Err() == nil {
		step, err := s.Step(ctx)
		switch {
		case ctx.Err() != nil:
		case hopeless(err):
			s.o.Logger.Error("audit.refused", "reason", fault.Reason(err), "error", err)
			return err
		case err != nil:
			s.o.Logger.Error("audit.failed", "reason", fault.Reason(err), "error", err)
			rest(ctx, time.Second, nil)
		case step.Numbered < s.o.Batch:
			s.rest(ctx, step, pokes)
		}
	}
	s.finish(context.WithoutCancel(ctx))
	return nil
}

func hopeless(err error) bool {
	reason := fault.Reason(err)
	return reason == "audit-tree-broken" || reason == "audit-origin-differs"
}

// rest waits until there may be work: a poke, the next poll, or a checkpoint; after
// a poke it lets leaves gather.
func (s *Sequencer) rest(ctx context.Context, step Step, pokes <-chan struct{}) {
	wait := s.o.Poll
	if step.Open && s.lead != nil {
		due := s.lead.signedAt.Add(s.o.CheckpointEvery).Sub(s.o.Now())
		wait = max(0, min(wait, due))
	}
	if rest(ctx, wait, pokes) {
		rest(ctx, s.o.Gather, nil)
	}
}

// rest waits for d, a poke or the end of ctx, and reports whether it was a poke.
func rest(ctx context.Context, d time.Duration, pokes <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-pokes:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// finish leaves the log as complete as it can within two seconds: a clean stop of a
// node ends within five.
func (s *Sequencer) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if s.lead == nil {
		return
	}
	s.o.CheckpointEvery = 0
	for {
		step, err := s.Step(ctx)
		if err != nil {
			s.o.Logger.Warn("audit.finish.failed", "reason", fault.Reason(err), "error", err)
			return
		}
		if step.Numbered < s.o.Batch {
			break
		}
	}
	if err := s.yield(ctx); err != nil {
		s.o.Logger.Warn("audit.finish.failed", "reason", fault.Reason(err), "error", err)
	}
}
