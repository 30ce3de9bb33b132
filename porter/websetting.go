package porter

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Security is what a person sees of their own way in.
type Security struct {
	// Login is the name they sign in with.
	Login string
	// PasswordChanged is when the password was chosen.
	PasswordChanged time.Time
	// SecondFactor says that a code is asked for.
	SecondFactor bool
	// RecoveryLeft is how many recovery codes were not used yet.
	RecoveryLeft int
}

// Security returns how the person of a session signs in.
func (p *Porter) Security(ctx context.Context, s *WebSession) (Security, error) {
	l, left, err := p.loginOf(ctx, s)
	return Security{l.Name, l.Changed, l.Factor == account.FactorOn, left}, err
}

func (p *Porter) loginOf(ctx context.Context, s *WebSession) (account.WebLogin, int, error) {
	var row account.SealedLogin
	var left int
	err := p.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if row, err = account.WebLoginOf(tx, s.person.ID); err != nil {
			return err
		}
		left, err = account.RecoveryLeft(tx, s.person.ID)
		return err
	})
	if err != nil {
		return account.WebLogin{}, 0, err
	}
	l, err := row.Open(p.Works)
	return l, left, err
}

// proveAgain asks the person of a session for the password again: whoever finds an open
// browser changes nothing. It fails with fault.Denied "password-wrong" and
// fault.OverQuota "too-fast".
func (p *Porter) proveAgain(ctx context.Context, s *WebSession, from netip.Addr, password string) (account.WebLogin, error) {
	l, _, err := p.loginOf(ctx, s)
	if err != nil {
		return account.WebLogin{}, err
	}
	if err := p.checkPassword(ctx, l, l.Name, password, from); err != nil {
		if fault.Is(err, fault.Denied) || fault.Is(err, fault.OverQuota) {
			leaf := s.leaf("login.again", fault.Reason(err))
			leaf.Result, leaf.Peer = audit.Refused, audit.Network(from)
			p.note(ctx, leaf)
		}
		return account.WebLogin{}, err
	}
	return l, nil
}

// settle writes a change of how somebody signs in, with its leaf, and ends all other
// sessions of the person.
func (p *Porter) settle(ctx context.Context, s *WebSession, act string, fn func(tx *store.Tx) error) error {
	var others []account.WebSession
	err := p.DB.Write(ctx, func(tx *store.Tx) (err error) {
		if err := fn(tx); err != nil {
			return err
		}
		if others, err = account.WebSessions(tx, p.Works, s.person.ID, p.opts.Clock()); err != nil {
			return err
		}
		if _, err := account.EndOtherWebSessions(tx, s.person.ID, s.ID()); err != nil {
			return err
		}
		return audit.Append(tx, s.leaf(act, ""))
	})
	if err != nil {
		return err
	}
	for _, o := range others {
		if o.ID != s.ID() {
			p.rings.drop(o.ID)
		}
	}
	return nil
}

// ChangePassword gives the person another password and ends their other sessions.
// It fails with fault.Denied "password-wrong", fault.OverQuota "too-fast", and
// fault.Invalid "password-too-short", "password-too-long", "password-malformed" or
// "password-guessable" (it holds the login).
func (p *Porter) ChangePassword(ctx context.Context, s *WebSession, from netip.Addr, old, fresh string) error {
	l, err := p.proveAgain(ctx, s, from, old)
	if err != nil {
		return err
	}
	if strings.Contains(strings.ToLower(fresh), strings.ToLower(l.Name)) || fresh == old {
		return fault.New(fault.Invalid, "password-guessable")
	}
	hash, err := p.hasher.Hash(ctx, fresh)
	if err != nil {
		return err
	}
	change, err := account.PrepareWebPassword(p.Works, l.Person, hash)
	if err != nil {
		return err
	}
	return p.settle(ctx, s, "password.change", func(tx *store.Tx) error {
		if err := l.Unchanged(tx); err != nil {
			return err
		}
		return account.ChangeWebPassword(tx, change)
	})
}

// Enrol shows a new second factor, once; ConfirmFactor switches it on. It fails with
// fault.Denied "password-wrong", fault.OverQuota "too-fast" and fault.Conflict
// "factor-on".
func (p *Porter) Enrol(ctx context.Context, s *WebSession, from netip.Addr, password string) (account.Enrolment, error) {
	l, err := p.proveAgain(ctx, s, from, password)
	if err != nil {
		return account.Enrolment{}, err
	}
	e, err := account.NewEnrolment(p.Works, l, p.opts.Name)
	if err != nil {
		return account.Enrolment{}, err
	}
	return e, p.DB.Write(ctx, func(tx *store.Tx) error {
		if err := account.ShowFactor(tx, e); err != nil {
			return err
		}
		return audit.Append(tx, s.leaf("factor.show", ""))
	})
}

// ConfirmFactor switches the second factor on that was shown, with a code from it,
// and returns ten recovery codes to be shown once. The person's other sessions end.
// It fails with fault.Denied "code-wrong", fault.OverQuota "too-fast" and
// fault.Conflict "factor-unchanged".
func (p *Porter) ConfirmFactor(ctx context.Context, s *WebSession, code string) ([]string, error) {
	l, _, err := p.loginOf(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case l.Factor != account.FactorShown:
		return nil, fault.New(fault.Conflict, "factor-unchanged")
	}
	step, err := p.step(l, code)
	if err != nil {
		return nil, err
	}
	codes := account.NewRecoveryCodes(p.Works, l.Person)
	err = p.codeUsed(l, p.settle(ctx, s, "factor.on", func(tx *store.Tx) error {
		if err := l.Unchanged(tx); err != nil {
			return err
		}
		if err := account.UseStep(tx, l.Person, step); err != nil {
			return err
		}
		if err := account.SetFactor(tx, l.Person, true); err != nil {
			return err
		}
		return account.SetRecoveryCodes(tx, codes)
	}))
	if err != nil {
		return nil, err
	}
	return codes.Reveal(), nil
}

// DropFactor switches the second factor off, with the password and a code (one from
// the device or a recovery code), and ends the person's other sessions. It fails with
// fault.Denied "password-wrong" or "code-wrong", fault.OverQuota "too-fast" and
// fault.Conflict "factor-unchanged".
func (p *Porter) DropFactor(ctx context.Context, s *WebSession, from netip.Addr, password, code string) error {
	l, use, err := p.proveBoth(ctx, s, from, password, code)
	if err != nil {
		return err
	}
	return p.codeUsed(l, p.settle(ctx, s, "factor.off", func(tx *store.Tx) error {
		if err := use(tx); err != nil {
			return err
		}
		return account.SetFactor(tx, l.Person, false)
	}))
}

// RenewRecovery makes ten new recovery codes in the place of those before. It fails
// as DropFactor does.
func (p *Porter) RenewRecovery(ctx context.Context, s *WebSession, from netip.Addr, password, code string) ([]string, error) {
	l, use, err := p.proveBoth(ctx, s, from, password, code)
	if err != nil {
		return nil, err
	}
	codes := account.NewRecoveryCodes(p.Works, l.Person)
	err = p.codeUsed(l, p.settle(ctx, s, "recovery.renew", func(tx *store.Tx) error {
		if err := use(tx); err != nil {
			return err
		}
		return account.SetRecoveryCodes(tx, codes)
	}))
	if err != nil {
		return nil, err
	}
	return codes.Reveal(), nil
}

// proveBoth asks for the password and for a code; use uses the code up.
func (p *Porter) proveBoth(ctx context.Context, s *WebSession, from netip.Addr, password, code string) (l account.WebLogin, use func(*store.Tx) error, err error) {
	if l, err = p.proveAgain(ctx, s, from, password); err != nil {
		return l, nil, err
	}
	if l.Factor != account.FactorOn {
		return l, nil, fault.New(fault.Conflict, "factor-unchanged")
	}
	if account.IsRecoveryCode(code) {
		if p.perCode.Empty(string(l.Person)) {
			return l, nil, fault.New(fault.OverQuota, "too-fast")
		}
		return l, func(tx *store.Tx) error { return account.UseRecoveryCode(tx, p.Works, l.Person, code) }, nil
	}
	step, err := p.step(l, code)
	if err != nil {
		return l, nil, err
	}
	return l, func(tx *store.Tx) error {
		if err := l.Unchanged(tx); err != nil {
			return err
		}
		return account.UseStep(tx, l.Person, step)
	}, nil
}

// codeUsed says in the words of this page that a code was good for nothing any more.
func (p *Porter) codeUsed(l account.WebLogin, err error) error {
	if fault.Is(err, fault.Denied) {
		_ = p.perCode.Allow(string(l.Person))
		return fault.New(fault.Denied, "code-wrong")
	}
	return err
}

// step holds a code against a login; wrong ones are paced.
func (p *Porter) step(l account.WebLogin, code string) (int64, error) {
	key := string(l.Person)
	if p.perCode.Empty(key) {
		return 0, fault.New(fault.OverQuota, "too-fast")
	}
	step := l.Step(code, p.opts.Clock())
	if step == 0 {
		_ = p.perCode.Allow(key)
		return 0, fault.New(fault.Denied, "code-wrong")
	}
	return step, nil
}
