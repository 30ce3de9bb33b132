package porter

import (
	"context"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/fault"
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
	once sync.Once
	end  *time.Timer
	over chan struct{}
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
	s.once.Do(func() {
		s.end.Stop()
		s.keys.Zero()
		close(s.over)
	})
}

// Open lets somebody in to read: the audit leaf is written, then the keys of the
// space are released. It fails with fault.Denied "login-failed", fault.OverQuota
// "too-fast", or what kept the leaf from being written.
func (p *Porter) Open(ctx context.Context, a Attempt) (*Session, error) {
	by, box, err := p.prove(ctx, a)
	if err != nil {
		return nil, err
	}
	if box.State == mailbox.Closed || box.State == mailbox.Opposed {
		p.noteFailure(ctx, a, "box-closed")
		return nil, errLogin()
	}
	var wrapped []byte
	err = p.DB.Read(ctx, func(tx *store.Tx) (err error) {
		wrapped, err = mailbox.Keys(tx, box.Space)
		return err
	})
	if err != nil {
		return nil, err
	}
	keys, err := seal.Release(ctx, func(ctx context.Context) error {
		return p.DB.Write(ctx, func(tx *store.Tx) error {
			return audit.Append(tx, audit.Leaf{
				Actor: by.Pseudonym, Role: by.Role, Act: "keys.release", Object: "box:" + string(box.ID),
				Purpose: scopeName(a.Scope), Result: audit.Done, Peer: audit.Network(a.Remote),
			})
		})
	}, p.Platform, string(box.Space), wrapped)
	if err != nil {
		return nil, fault.Wrap(fault.KindOf(err), fault.Reason(err), err)
	}
	s := &Session{by: by, box: box, keys: keys, over: make(chan struct{})}
	s.end = time.AfterFunc(maxSession, s.Close)
	return s, nil
}
