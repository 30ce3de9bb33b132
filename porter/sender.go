package porter

import (
	"context"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// Sender identifies who submits; no key is released. It fails with fault.Denied
// "login-failed", fault.OverQuota "too-fast", or what kept the leaf from being
// written.
func (p *Porter) Sender(ctx context.Context, c delivery.Caller, creds delivery.Credentials) (delivery.Sender, error) {
	a := Attempt{
		Conn: c.Conn, Remote: c.Remote.Addr(), TLS: c.TLS, Scope: account.SMTP,
		Mechanism: creds.Mechanism, Authzid: creds.Authzid, Login: creds.Authcid, Password: creds.Password,
	}
	got, err := p.prove(ctx, a)
	if err != nil {
		return delivery.Sender{}, err
	}
	err = p.DB.Write(ctx, func(tx *store.Tx) error { return got.record(tx, a, "login") })
	if err != nil {
		return delivery.Sender{}, err
	}
	return delivery.Sender{By: got.by, Box: got.box}, nil
}

// record writes the leaf of an attempt that was good, and notes once a day that
// its proof is in use.
func (g proof) record(tx *store.Tx, a Attempt, act string) error {
	if g.login.LastUsed.Format(time.DateOnly) != tx.Now().Format(time.DateOnly) {
		if err := account.Used(tx, g.login.Box, g.login.Proof); err != nil {
			return err
		}
	}
	return audit.Append(tx, audit.Leaf{
		Actor: g.by.Pseudonym, Role: g.by.Role, Act: act, Object: "box:" + string(g.box.ID),
		Purpose: scopeName(a.Scope), Result: audit.Done, Peer: audit.Network(a.Remote),
	})
}

// principal names who acts.
func (p *Porter) principal(login account.Login, box mailbox.Box, a Attempt, shown *client) identity.Principal {
	by := identity.Principal{
		Person: login.Person, Role: string(account.Professional), Credential: "app-password",
		Pseudonym: account.Pseudonym(p.Works, login.Person),
	}
	switch box.Kind {
	case mailbox.Patient:
		by.Role = string(account.Patient)
	case mailbox.APP:
		by.Role = string(account.Application)
	}
	switch {
	case a.Mechanism == "EXTERNAL":
		by.Credential = "certificate"
	case shown != nil && !box.Kind.PasswordSuffices() && !p.opts.PasswordAlone:
		by.Credential = "certificate+app-password"
	}
	return by
}

// scopeName is the scope in logs and audit leaves.
func scopeName(s account.Scope) string {
	switch s {
	case account.SMTP:
		return "smtp"
	case account.IMAP:
		return "imap"
	}
	return "web"
}
