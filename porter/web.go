package porter

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// WebAttempt is what somebody shows at the web's door.
type WebAttempt struct {
	// Conn names the request in logs and leaves.
	Conn   string
	Remote netip.Addr
	// TLS holds the client's certificate, for professionals.
	TLS             tls.ConnectionState
	Login, Password string
	// Code is from the person's device, or a recovery code; empty if none was typed.
	Code string
	// Agent is the browser's User-Agent: a label of the device is made from it.
	Agent string
}

// SignIn begins a session on the web: the password, and a code if a second factor is
// on, then the audit leaf and the session's row, then the keys of the space. The
// session has the token for the browser.
//
// It fails with fault.Denied "login-failed", fault.Denied "code-required" (only when
// the password was right), fault.OverQuota "too-fast", or what kept the leaf from
// being written.
func (p *Porter) SignIn(ctx context.Context, a WebAttempt) (*WebSession, error) {
	got, err := p.proveWeb(ctx, a)
	if err == nil {
		var s *WebSession
		if s, err = p.begin(ctx, a, got); err == nil {
			return s, nil
		}
	}
	switch {
	case fault.Is(err, fault.Transient), fault.Is(err, fault.Internal), fault.Reason(err) == "code-required":
		return nil, err
	}
	p.noteWebFailure(ctx, a, fault.Reason(err))
	if fault.Is(err, fault.OverQuota) {
		return nil, err
	}
	return nil, errLogin()
}

// webProof is a sign-in that was good, before anything was written of it.
type webProof struct {
	login    account.WebLogin
	by       identity.Principal
	box      mailbox.Box
	person   account.Person
	wrapped  []byte
	step     int64  // of the code used, 0 if none
	recovery string // the recovery code used, empty if none
}

// proveWeb decides on an attempt.
func (p *Porter) proveWeb(ctx context.Context, a WebAttempt) (webProof, error) {
	var got webProof
	var row account.SealedLogin
	err := p.DB.Read(ctx, func(tx *store.Tx) (err error) {
		row, err = account.FindWebLogin(tx, p.Works, a.Login)
		if fault.Is(err, fault.NotFound) {
			row, err = account.SealedLogin{}, nil // the same work for nobody's login
		}
		return err
	})
	if err != nil {
		return webProof{}, err
	}
	if got.login, err = row.Open(p.Works); err != nil {
		return webProof{}, err
	}
	if err := p.checkPassword(ctx, got.login, a.Login, a.Password, a.Remote); err != nil {
		return webProof{}, err
	}
	if err := p.known(ctx, a, &got); err != nil {
		return webProof{}, err
	}
	got.by.Credential = "web-password"
	if got.login.Factor == account.FactorOn {
		if err := p.checkCode(&got, a.Code); err != nil {
			return webProof{}, err
		}
	}
	return got, nil
}

// checkPassword holds a password against a login, one attempt at a time for each
// processor. Whoever guesses too often is refused before the work is done.
func (p *Porter) checkPassword(ctx context.Context, l account.WebLogin, name, password string, from netip.Addr) error {
	place := network(from)
	pair := string(p.Works.MAC("pace-web", []byte(place), []byte(name)))
	if l.Person != "" { // in whatever spelling
		pair = string(p.Works.MAC("pace-web", []byte(place), []byte(l.Person)))
	}
	tooFast := func() bool { return p.perBox.Empty(pair) || p.perNetwork.Empty(place) }
	if tooFast() {
		return fault.New(fault.OverQuota, "too-fast")
	}
	done, err := p.hasher.Turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	switch {
	case tooFast(): // others failed while this one waited
		return fault.New(fault.OverQuota, "too-fast")
	case p.hasher.Is(l.Hash, password):
		return nil
	}
	_, _ = p.perBox.Allow(pair), p.perNetwork.Allow(place)
	return fault.New(fault.Denied, "password-wrong")
}

// checkCode holds a code against a login whose second factor is on.
func (p *Porter) checkCode(got *webProof, code string) error {
	if code == "" {
		return fault.New(fault.Denied, "code-required")
	}
	key := string(got.login.Person)
	if p.perCode.Empty(key) {
		return fault.New(fault.OverQuota, "too-fast")
	}
	if account.IsRecoveryCode(code) {
		got.recovery, got.by.Credential = code, "web-password+recovery" // used up when the session begins
		return nil
	}
	if got.step = got.login.Step(code, p.opts.Clock()); got.step == 0 {
		_ = p.perCode.Allow(key)
		return fault.New(fault.Denied, "code-wrong")
	}
	got.by.Credential = "web-password+totp"
	return nil
}

// known finds whose login it is, and whether it still leads anywhere.
func (p *Porter) known(ctx context.Context, a WebAttempt, got *webProof) error {
	shown, err := p.shown(ctx, Attempt{TLS: a.TLS})
	if err != nil {
		return err
	}
	return p.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if got.box, got.person, err = p.atBox(tx, got.login.Person, got.login.Box); err != nil {
			return err
		}
		if !got.box.Kind.PasswordSuffices() && !p.opts.PasswordAlone {
			if err := p.beside(tx, shown, got.login); err != nil {
				return err
			}
		}
		got.by = p.webPrincipal(got.person)
		got.wrapped, err = mailbox.Keys(tx, got.box.Space)
		return err
	})
}

// beside asks professionals for their certificate too (DESIGN section 5).
func (p *Porter) beside(tx *store.Tx, shown *client, l account.WebLogin) error {
	if shown == nil {
		return fault.New(fault.Denied, "certificate-missing")
	}
	login, err := account.CheckCertificate(tx, p.Works, l.Box, shown.dn, shown.spki)
	if fault.Is(err, fault.Denied) || err == nil && login.Person != l.Person {
		return fault.New(fault.Denied, "certificate-of-another-box")
	}
	return err
}

// atBox reads a person at a box, and fails with fault.Denied "box-closed" or
// "right-missing" when nobody may come in there, or this person may not.
func (p *Porter) atBox(tx *store.Tx, id identity.PersonID, at account.BoxID) (mailbox.Box, account.Person, error) {
	box, err := mailbox.ByID(tx, p.Works, mailbox.BoxID(at))
	if err != nil {
		return mailbox.Box{}, account.Person{}, err
	}
	rights, err := account.RightsOn(tx, at, id)
	switch {
	case err != nil:
		return mailbox.Box{}, account.Person{}, err
	case box.State == mailbox.Closed || box.State == mailbox.Opposed:
		return mailbox.Box{}, account.Person{}, fault.New(fault.Denied, "box-closed")
	case !rights.May(account.Read):
		return mailbox.Box{}, account.Person{}, fault.New(fault.Denied, "right-missing")
	}
	person, err := account.ByID(tx, p.Works, id)
	return box, person, err
}

// webPrincipal names who acts.
func (p *Porter) webPrincipal(person account.Person) identity.Principal {
	return identity.Principal{
		Person: person.ID, Role: string(person.Kind), Pseudonym: account.Pseudonym(p.Works, person.ID),
	}
}

// begin writes a session and its leaf, then releases the keys.
func (p *Porter) begin(ctx context.Context, a WebAttempt, got webProof) (*WebSession, error) {
	prepared, token, err := account.PrepareWebSession(p.Works, account.WebSession{
		Person: got.person.ID, Box: got.login.Box, Proof: got.by.Credential, Device: deviceLabel(a.Agent),
	}, p.opts.Clock())
	if err != nil {
		return nil, err
	}
	keys, err := seal.Release(ctx, func(ctx context.Context) error {
		return p.DB.Write(ctx, func(tx *store.Tx) error { return p.admit(tx, a, got, prepared) })
	}, p.Platform, string(got.box.Space), got.wrapped)
	if err != nil {
		if got.login.Factor == account.FactorOn && fault.Is(err, fault.Denied) {
			_ = p.perCode.Allow(string(got.login.Person)) // no such recovery code, or used before
		}
		return nil, fmt.Errorf("begin a session at box %s: %w", got.box.ID, err)
	}
	s := &WebSession{WebSession: prepared.WebSession, by: got.by, box: got.box, person: got.person, token: token}
	s.ring, err = p.rings.put(s.ID(), keys, p.releaseEnd(prepared.WebSession))
	return s, err
}

// admit writes a session: what was decided on is read again first.
func (p *Porter) admit(tx *store.Tx, a WebAttempt, got webProof, s *account.PreparedSession) error {
	if err := got.login.Unchanged(tx); err != nil {
		return err
	}
	if _, _, err := p.atBox(tx, got.login.Person, got.login.Box); err != nil {
		return err
	}
	switch {
	case got.step != 0:
		if err := account.UseStep(tx, got.login.Person, got.step); err != nil {
			return err
		}
	case got.recovery != "":
		if err := account.UseRecoveryCode(tx, p.Works, got.login.Person, got.recovery); err != nil {
			return err
		}
	}
	if err := account.AddWebSession(tx, s); err != nil {
		return err
	}
	return audit.Append(tx, audit.Leaf{
		Actor: got.by.Pseudonym, Role: got.by.Role, Act: "keys.release", Object: "box:" + string(got.box.ID),
		Purpose: "web", Result: audit.Done, Peer: audit.Network(a.Remote),
	})
}

func (p *Porter) noteWebFailure(ctx context.Context, a WebAttempt, reason string) {
	p.noteFailure(ctx, Attempt{Conn: a.Conn, Remote: a.Remote, Scope: account.Web}, reason)
}
