package trust

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Fetched is the answer of a Fetch.
type Fetched struct {
	// Data is the list's XML; unused when Unchanged.
	Data []byte
	// Tag names this version for the next Fetch: an ETag or a date, "" if there is none.
	Tag string
	// Unchanged says that the list is still the one of the tag that was asked for.
	Unchanged bool
}

// Fetch gets the list unless it is still the one named by tag ("" asks for it in
// any case). It must bound what it reads to MaxBytes and one, follow no redirect,
// and trust the authority of the list's host only.
type Fetch func(ctx context.Context, tag string) (Fetched, error)

// KeeperOptions adjusts a Keeper. The zero value is safe.
type KeeperOptions struct {
	// Clock tells the time; time.Now when nil.
	Clock func() time.Time
	// Logger takes the alarms; nothing is logged when nil.
	Logger *slog.Logger
	// Known is the newest list ever accepted, kept outside the file (in the
	// database), so that a file put back from a backup is a rollback.
	Known Mark
	// Accepted is told of each new list once it is in force, to keep its mark; nil
	// does nothing. Its error is returned by Refresh; the list stays in force.
	Accepted func(ctx context.Context, m Mark) error
	// Brake may refuse a list that verified by comparing it with the one in force
	// (which may be nil), such as one that loses a fifth of the domains at once. Nil
	// refuses nothing.
	Brake func(current, next *Space) error
	// AlarmAfter is the time without a good answer from which each failed refresh
	// is an alarm; default 24 hours (spec mssante 1.8).
	AlarmAfter time.Duration
	// MaxAge is the time without a good answer from which the list is no longer
	// relied on; zero: never.
	MaxAge time.Duration
}

// Keeper holds the list in force and keeps it in a file: the signed XML as it
// came, replaced as a whole; the file's time is that of the last good answer. It
// is safe for concurrent use; reading the list in force takes no lock.
type Keeper struct {
	file   string
	signer SignerPolicy
	opts   KeeperOptions

	current  atomic.Pointer[Space]
	goodTime atomic.Int64 // unix nanoseconds of the last good answer

	// mu serialises refreshes and guards what follows.
	mu    sync.Mutex
	known Mark
	tag   string
}

// OpenKeeper returns a Keeper with the list kept in file, verified again: a file
// that was edited or put back is an alarm in the log, and then there is no list
// until a refresh brings one. It fails only if the file cannot be read.
func OpenKeeper(file string, signer SignerPolicy, o KeeperOptions) (*Keeper, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.AlarmAfter <= 0 {
		o.AlarmAfter = 24 * time.Hour
	}
	k := &Keeper{file: file, signer: signer, opts: o, known: o.Known}
	k.goodTime.Store(o.Clock().UnixNano())
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.load(); err != nil {
		return nil, fmt.Errorf("open whitelist: %w", err)
	}
	return k, nil
}

// load reads and verifies the kept file. The caller holds mu.
func (k *Keeper) load() error {
	info, err := os.Stat(k.file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Size() > MaxBytes {
		k.opts.Logger.Error("whitelist_kept_refused", "reason", "whitelist-malformed", "octets", info.Size())
		return nil
	}
	data, err := os.ReadFile(k.file)
	if err != nil {
		return err
	}
	now := k.opts.Clock()
	came := info.ModTime()
	if came.After(now) {
		came = now
	}
	// The signer is judged as on the day of the last good answer: that its
	// certificate has ended since then does not undo what it signed.
	space, err := verify(data, k.signer, k.known, came, now)
	if err != nil {
		k.opts.Logger.Error("whitelist_kept_refused", "reason", fault.Reason(err), "error", err)
		return nil
	}
	k.install(space, came)
	return nil
}

// install puts a space in force. The caller holds mu.
func (k *Keeper) install(s *Space, at time.Time) {
	k.known = s.mark
	k.goodTime.Store(at.UnixNano())
	k.current.Store(s)
	k.opts.Logger.Info("whitelist_in_force", "generated", s.mark.Generated, "domains", s.Len(),
		"operators", s.Operators(), "dropped", len(s.dropped))
	for _, d := range s.dropped[:min(len(s.dropped), 10)] {
		k.opts.Logger.Warn("whitelist_row_dropped", "domain", string(d.Domain), "dn", d.DN)
	}
}

// Current returns the space in force. It is nil when there is none or when the
// last good answer is older than MaxAge; every verdict on a nil space is
// Transient.
func (k *Keeper) Current() *Space {
	if k.opts.MaxAge > 0 && k.age() > k.opts.MaxAge {
		return nil
	}
	return k.current.Load()
}

// Mark returns the mark of the newest list accepted.
func (k *Keeper) Mark() Mark {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.known
}

// age is the time since the last good answer.
func (k *Keeper) age() time.Duration {
	return k.opts.Clock().Sub(time.Unix(0, k.goodTime.Load()))
}

// Refresh fetches and, if it is good and new, installs the list. Whatever fails,
// the last good list stays in force. It returns the fetch's error, or one of
// Verify's faults, or what Brake or Accepted returned.
func (k *Keeper) Refresh(ctx context.Context, fetch Fetch) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.refresh(ctx, fetch)
	if err == nil {
		return nil
	}
	k.opts.Logger.ErrorContext(ctx, "whitelist_refresh_failed", "reason", fault.Reason(err), "error", err)
	if age := k.age(); age > k.opts.AlarmAfter {
		k.opts.Logger.ErrorContext(ctx, "whitelist_stale", "age", age.String())
	}
	return fmt.Errorf("refresh whitelist: %w", err)
}

func (k *Keeper) refresh(ctx context.Context, fetch Fetch) error {
	current := k.current.Load()
	if current == nil {
		k.tag = "" // nothing to be unchanged from
	}
	answer, err := fetch(ctx, k.tag)
	if err != nil {
		return err
	}
	now := k.opts.Clock()
	if answer.Unchanged {
		if current == nil {
			return errors.New("told that an unknown list is unchanged")
		}
		return k.confirm(now)
	}
	next, err := Verify(answer.Data, k.signer, k.known, now)
	if err != nil {
		return err
	}
	if current != nil && next.mark == current.mark {
		k.tag = answer.Tag
		return k.confirm(now)
	}
	if k.opts.Brake != nil {
		if err := k.opts.Brake(current, next); err != nil {
			return err
		}
	}
	// The file first: if we die before the mark is kept elsewhere, the file is
	// newer than the mark, which is no rollback.
	if err := writeFile(k.file, answer.Data); err != nil {
		return err
	}
	k.tag = answer.Tag
	k.install(next, now)
	if k.opts.Accepted != nil {
		return k.opts.Accepted(ctx, next.mark)
	}
	return nil
}

// confirm notes a good answer that brought nothing new.
func (k *Keeper) confirm(now time.Time) error {
	k.goodTime.Store(now.UnixNano())
	return os.Chtimes(k.file, time.Time{}, now)
}

// Run refreshes at once and then after every period, until ctx ends. After a
// failure the next try comes after a tenth of the period.
func (k *Keeper) Run(ctx context.Context, fetch Fetch, every time.Duration) {
	for {
		wait := every
		if k.Refresh(ctx, fetch) != nil { // logged there
			wait /= 10
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
