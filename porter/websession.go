package porter

import (
	"context"
	"fmt"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// WebSession is an opened space on the web, as one request sees it: who reads, in
// which box, with which keys. Its embedded fields tell how it began.
type WebSession struct {
	account.WebSession
	by     identity.Principal
	box    mailbox.Box
	person account.Person
	token  account.Token
	ring   *ring
}

// ID names the session in the person's list; it opens nothing.
func (s *WebSession) ID() string { return s.WebSession.ID }

// By returns who reads.
func (s *WebSession) By() identity.Principal { return s.by }

// Box returns the box as it is at this request.
func (s *WebSession) Box() mailbox.Box { return s.box }

// Person returns who reads, with the names.
func (s *WebSession) Person() account.Person { return s.person }

// Keys returns the released keys. They are gone when the session ends, and at most
// eight hours after their release.
func (s *WebSession) Keys() *seal.Keyring { return s.ring.keys }

// Over is closed when the keys are gone: a stream that was begun in the session
// ends with it. What ends a session on another node is seen at the next Resume.
func (s *WebSession) Over() <-chan struct{} { return s.ring.over }

// Token returns what the browser shows at its next request, at sign-in only.
func (s *WebSession) Token() account.Token { return s.token }

// releaseEnd is when a release ends at the latest.
func (p *Porter) releaseEnd(s account.WebSession) time.Time {
	end := p.opts.Clock().Add(maxSession)
	if s.Expires.Before(end) {
		return s.Expires
	}
	return end
}

// Resume goes on with a session. The keys are released anew, after an audit leaf,
// when this process does not hold them: after a restart, on another node, and after
// eight hours. A session that was idle for 30 minutes or began 12 hours ago is over,
// and so is one whose box was closed or is no longer the person's.
//
// It fails with fault.Denied "session-unknown".
func (p *Porter) Resume(ctx context.Context, token string) (*WebSession, error) {
	s := &WebSession{}
	var wrapped []byte
	now := p.opts.Clock()
	err := p.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if s.WebSession, err = account.FindWebSession(tx, p.Works, account.ParseToken(token)); err != nil {
			return err
		}
		if s.Ended(now) {
			return fault.New(fault.Denied, "session-over")
		}
		if s.box, s.person, err = p.atBox(tx, s.WebSession.Person, s.WebSession.Box); err != nil {
			return err
		}
		wrapped, err = mailbox.Keys(tx, s.box.Space)
		return err
	})
	switch {
	case fault.Is(err, fault.Denied), fault.Is(err, fault.NotFound):
		if s.WebSession.ID != "" {
			p.end(ctx, s.WebSession, fault.Reason(err))
		}
		return nil, fault.New(fault.Denied, "session-unknown")
	case err != nil:
		return nil, fmt.Errorf("resume a session: %w", err)
	}
	s.by = p.webPrincipal(s.person)
	s.by.Credential = s.Proof
	if s.ring = p.rings.take(s.ID()); s.ring != nil {
		err = p.seen(ctx, s, now)
	} else {
		err = p.rerelease(ctx, s, wrapped, now)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// seen notes a request, once a minute.
func (p *Porter) seen(ctx context.Context, s *WebSession, now time.Time) error {
	if !s.Stale(now) {
		return nil
	}
	return p.DB.Write(ctx, func(tx *store.Tx) error { return account.SeenWebSession(tx, s.person.ID, s.ID(), now) })
}

// rerelease opens the keys of a session again.
func (p *Porter) rerelease(ctx context.Context, s *WebSession, wrapped []byte, now time.Time) error {
	keys, err := seal.Release(ctx, func(ctx context.Context) error {
		return p.DB.Write(ctx, func(tx *store.Tx) error {
			if err := account.SeenWebSession(tx, s.person.ID, s.ID(), now); err != nil {
				return err
			}
			return audit.Append(tx, audit.Leaf{
				Actor: s.by.Pseudonym, Role: s.by.Role, Act: "keys.release", Object: "box:" + string(s.box.ID),
				Purpose: "web.resume", Result: audit.Done,
			})
		})
	}, p.Platform, string(s.box.Space), wrapped)
	if err != nil {
		return fmt.Errorf("keys of box %s: %w", s.box.ID, err)
	}
	s.ring, err = p.rings.put(s.ID(), keys, p.releaseEnd(s.WebSession))
	return err
}

// end ends a session that is over for a reason.
func (p *Porter) end(ctx context.Context, s account.WebSession, reason string) {
	p.rings.drop(s.ID)
	err := p.DB.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		err := account.EndWebSession(tx, s.Person, s.ID)
		if fault.Is(err, fault.NotFound) { // another request was faster
			return nil
		}
		if err != nil {
			return err
		}
		return audit.Append(tx, audit.Leaf{
			Actor: account.Pseudonym(p.Works, s.Person), Act: "session.end", Object: "box:" + string(s.Box),
			Purpose: "web", Result: audit.Done, Reason: reason,
		})
	})
	if err != nil {
		p.Log.Error("session.end.failed", "component", "porter", "session", s.ID, "error", err)
	}
}

// SignOut ends a session and its release.
func (p *Porter) SignOut(ctx context.Context, s *WebSession) error {
	err := p.Revoke(ctx, s, s.ID())
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// Sessions returns the sessions of the person that are not over, the newest first;
// their IDs tell which is this one.
func (p *Porter) Sessions(ctx context.Context, s *WebSession) (all []account.WebSession, err error) {
	err = p.DB.Read(ctx, func(tx *store.Tx) (err error) {
		all, err = account.WebSessions(tx, p.Works, s.person.ID, p.opts.Clock())
		return err
	})
	return all, err
}

// Revoke ends a session of the same person. It fails with fault.NotFound
// "session-unknown", also for a session of somebody else.
func (p *Porter) Revoke(ctx context.Context, s *WebSession, id string) error {
	err := p.DB.Write(ctx, func(tx *store.Tx) error {
		if err := account.EndWebSession(tx, s.person.ID, id); err != nil {
			return err
		}
		reason := "revoked"
		if id == s.ID() {
			reason = "signed-out"
		}
		return audit.Append(tx, s.leaf("session.end", reason))
	})
	if err == nil {
		p.rings.drop(id)
	}
	return err
}

// leaf is an act of the session's person on themselves.
func (s *WebSession) leaf(act, reason string) audit.Leaf {
	return audit.Leaf{
		Actor: s.by.Pseudonym, Role: s.by.Role, Act: act, Object: "box:" + string(s.box.ID),
		Purpose: "web", Result: audit.Done, Reason: reason,
	}
}
