package porter

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// maxSession is how long released keys stay open (DESIGN section 4).
const maxSession = 8 * time.Hour

// Session is an opened space: who reads, in which box, with which keys.
type Session struct {
	by   identity.Principal
	box  mailbox.Box
	keys *seal.Keyring
	over chan struct{}

	mu    sync.Mutex
	end   *time.Timer // guarded by mu
	ended bool        // guarded by mu
}

// By returns who reads.
func (s *Session) By() identity.Principal { return s.by }

// Box returns the box as it was at login.
func (s *Session) Box() mailbox.Box { return s.box }

// Keys returns the released keys; they are gone after Close or eight hours.
func (s *Session) Keys() *seal.Keyring { return s.keys }

// Over is closed when the session has ended, by Close or by its age.
func (s *Session) Over() <-chan struct{} { return s.over }

// Close ends the release.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	s.end.Stop()
	s.keys.Zero()
	close(s.over)
}

// Open lets somebody in to read: the audit leaf is written, then the keys of the
// space are released. It fails with fault.Denied "login-failed", fault.OverQuota
// "too-fast", or what kept the leaf from being written.
func (p *Porter) Open(ctx context.Context, a Attempt) (*Session, error) {
	got, err := p.prove(ctx, a)
	if err != nil {
		return nil, err
	}
	var wrapped []byte
	err = p.DB.Read(ctx, func(tx *store.Tx) (err error) {
		wrapped, err = mailbox.Keys(tx, got.box.Space)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keys of box %s: %w", got.box.ID, err)
	}
	keys, err := seal.Release(ctx, func(ctx context.Context) error {
		return p.DB.Write(ctx, func(tx *store.Tx) error { return got.record(tx, a, "keys.release") })
	}, p.Platform, string(got.box.Space), wrapped)
	if err != nil {
		return nil, fmt.Errorf("keys of box %s: %w", got.box.ID, err)
	}
	return newSession(got, keys), nil
}

// newSession bounds a release in time.
func newSession(got proof, keys *seal.Keyring) *Session {
	s := &Session{by: got.by, box: got.box, keys: keys, over: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end = time.AfterFunc(maxSession, s.Close)
	return s
}
