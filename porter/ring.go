package porter

import (
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
)

// maxRings is how many web sessions have their keys in memory at once by default:
// a few hundred octets each.
const maxRings = 10_000

// busyFor is how long after a request its keys are not taken away to make room: a
// download may still need them.
const busyFor = 2 * time.Minute

// rings are the released keys of the web sessions that are live in this process.
type rings struct {
	most  int
	clock func() time.Time

	mu   sync.Mutex
	held map[string]*ring // by session; guarded by mu
}

// ring is one release.
type ring struct {
	keys *seal.Keyring
	over chan struct{}
	// until is the release's own end: eight hours, or the session's if that is
	// earlier.
	until time.Time

	used  time.Time   // guarded by the table's mu
	timer *time.Timer // guarded by the table's mu
}

// take returns the keys of a session if they are here, and keeps them for another
// while.
func (t *rings) take(id string) *ring {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, now := t.held[id], t.clock()
	switch {
	case r == nil:
		return nil
	case !now.Before(r.until):
		t.end(id, r)
		return nil
	}
	t.keep(id, r, now)
	return r
}

// put adds a release. When another request was faster, its keys are returned and
// these are wiped. It fails with fault.Transient "sessions-full".
func (t *rings) put(id string, keys *seal.Keyring, until time.Time) (*ring, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock()
	if r := t.held[id]; r != nil && now.Before(r.until) {
		keys.Zero()
		t.keep(id, r, now)
		return r, nil
	}
	if len(t.held) >= t.most && !t.room(now) {
		keys.Zero()
		return nil, fault.New(fault.Transient, "sessions-full")
	}
	r := &ring{keys: keys, over: make(chan struct{}), until: until}
	t.held[id] = r
	t.keep(id, r, now)
	return r, nil
}

// room ends the release that was silent for longest.
func (t *rings) room(now time.Time) bool {
	var oldest string
	for id, r := range t.held {
		if oldest == "" || r.used.Before(t.held[oldest].used) {
			oldest = id
		}
	}
	r := t.held[oldest]
	if r == nil || now.Sub(r.used) < busyFor {
		return false
	}
	t.end(oldest, r)
	return true
}

// keep notes a use: the keys stay until the session is idle, or their own end.
func (t *rings) keep(id string, r *ring, now time.Time) {
	r.used = now
	if r.timer != nil {
		r.timer.Stop()
	}
	r.timer = time.AfterFunc(min(account.WebIdle, r.until.Sub(now)), func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		// A timer that was stopped too late ends nothing that was used since.
		if t.held[id] == r && t.clock().Sub(r.used) >= min(account.WebIdle, r.until.Sub(r.used)) {
			t.end(id, r)
		}
	})
}

// drop ends the release of a session, if there is one here.
func (t *rings) drop(ids ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		if r := t.held[id]; r != nil {
			t.end(id, r)
		}
	}
}

// end wipes keys; the table is locked.
func (t *rings) end(id string, r *ring) {
	r.timer.Stop()
	r.keys.Zero()
	close(r.over)
	delete(t.held, id)
}
