package rounds

import (
	"context"
	"log/slog"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// Parts are what the rounds look after.
type Parts struct {
	DB    *store.DB
	Blobs blob.Store
	Log   *slog.Logger
}

// Options adjusts the rounds. The zero value is safe.
type Options struct {
	// Every is the time between two rounds; zero is an hour.
	Every time.Duration
	// Clock is the time that ages blobs, whose dates are the blob store's; rows are
	// aged by the database's clock. Nil is time.Now.
	Clock func() time.Time
}

// replayWindow is how long a letter can be a repetition (spec security 3.1).
const replayWindow = 5 * 24 * time.Hour

// garbageAge keeps a blob that nothing refers to for those who still read it, and
// for deliveries that have written it and not yet committed.
const garbageAge = time.Hour

// batch bounds one transaction of a round.
const batch = 500

// Rounds are the timed jobs of an operator.
type Rounds struct {
	Parts
	opts Options
}

// New returns the rounds.
func New(p Parts, o Options) *Rounds {
	if o.Every == 0 {
		o.Every = time.Hour
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Rounds{p, o}
}

// Run makes a round now and then until ctx ends.
func (r *Rounds) Run(ctx context.Context) {
	tick := time.NewTicker(r.opts.Every)
	defer tick.Stop()
	for {
		r.Once(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Once makes one round; what fails is logged and tried again in the next one.
func (r *Rounds) Once(ctx context.Context) {
	steps := []struct {
		name string
		run  func(context.Context) error
	}{
		{"replays", r.forgetReplays},
		{"garbage", r.collect},
		{"strays", r.strays},
		{"sessions", r.sessions},
	}
	for _, step := range steps {
		if err := step.run(ctx); err != nil && ctx.Err() == nil {
			r.Log.Warn("round.failed", "component", "rounds", "step", step.name, "error", err)
		}
	}
}

// forgetReplays ends replay windows that are five days old.
func (r *Rounds) forgetReplays(ctx context.Context) error {
	for {
		var n int64
		err := r.DB.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = mailbox.ForgetReplays(tx, tx.Now().Add(-replayWindow), batch)
			return err
		})
		if err != nil || n < batch {
			return err
		}
	}
}

// sessions forgets web sessions that are over.
func (r *Rounds) sessions(ctx context.Context) error {
	for {
		var n int64
		err := r.DB.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = account.SweepWebSessions(tx, tx.Now(), batch)
			return err
		})
		if err != nil || n < batch {
			return err
		}
	}
}

// collect deletes blobs whose last letter is gone: first the file, then its row,
// so that a crash leaves a row to find the file by.
func (r *Rounds) collect(ctx context.Context) error {
	for {
		var keys []blob.Key
		err := r.DB.Read(ctx, func(tx *store.Tx) (err error) {
			keys, err = mailbox.Garbage(tx, tx.Now().Add(-garbageAge), batch)
			return err
		})
		if err != nil || len(keys) == 0 {
			return err
		}
		for _, key := range keys {
			if err := r.Blobs.Delete(ctx, key); err != nil {
				return err
			}
		}
		err = r.DB.Write(ctx, func(tx *store.Tx) error { return mailbox.Collected(tx, keys) })
		if err != nil {
			return err
		}
	}
}

// strays deletes blobs that no row of a house knows: a crash came between their
// rename and the commit of their letter or document, so nobody was told that they
// are kept.
func (r *Rounds) strays(ctx context.Context) error {
	before := r.opts.Clock().Add(-garbageAge)
	for after := blob.Key(""); ; {
		page, err := r.Blobs.List(ctx, after, batch)
		if err != nil || len(page) == 0 {
			return err
		}
		var old []blob.Key
		for _, info := range page {
			after = info.Key
			if info.Modified.Before(before) {
				old = append(old, info.Key)
			}
		}
		var unknown []blob.Key
		err = r.DB.Read(ctx, func(tx *store.Tx) (err error) {
			if unknown, err = mailbox.Unknown(tx, old); err != nil || len(unknown) == 0 {
				return err
			}
			unknown, err = dmp.Unknown(tx, unknown)
			return err
		})
		if err != nil {
			return err
		}
		for _, key := range unknown {
			if err := r.Blobs.Delete(ctx, key); err != nil {
				return err
			}
			r.Log.Info("blob.stray.deleted", "component", "rounds")
		}
	}
}
