package porter

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"net/netip"
	"strings"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// Attempt is what somebody shows at the door.
type Attempt struct {
	// Conn names the connection in logs.
	Conn   string
	Remote netip.Addr
	TLS    tls.ConnectionState
	// Scope is the door: what an app password must be good for.
	Scope account.Scope
	// Mechanism is "EXTERNAL", "PLAIN" or "LOGIN".
	Mechanism string
	// Authzid, when not empty, must name the same box as Login.
	Authzid string
	// Login is a box address; it may be empty with EXTERNAL when the certificate
	// opens one box only.
	Login    string
	Password string
}

// Sender identifies who submits; no key is released.
func (p *Porter) Sender(ctx context.Context, c delivery.Caller, creds delivery.Credentials) (delivery.Sender, error) {
	by, box, err := p.prove(ctx, Attempt{
		Conn: c.Conn, Remote: c.Remote.Addr(), TLS: c.TLS, Scope: account.SMTP,
		Mechanism: creds.Mechanism, Authzid: creds.Authzid, Login: creds.Authcid, Password: creds.Password,
	})
	if err != nil {
		return delivery.Sender{}, err
	}
	return delivery.Sender{By: by, Box: box}, nil
}

// prove paces an attempt, decides on it and audits a failure.
func (p *Porter) prove(ctx context.Context, a Attempt) (identity.Principal, mailbox.Box, error) {
	from := network(a.Remote)
	target := from + "/" + string(p.Works.MAC("pace", []byte(strings.ToLower(a.Login))))
	if p.perNetwork.Empty(from) || p.perBox.Empty(target) {
		p.noteFailure(ctx, a, "too-fast")
		return identity.Principal{}, mailbox.Box{}, fault.New(fault.OverQuota, "too-fast")
	}
	by, box, err := p.decide(ctx, a)
	if err != nil && !fault.Is(err, fault.Transient) && !fault.Is(err, fault.Internal) {
		// The buckets are for failures: who succeeds never waits.
		_, _ = p.perNetwork.Allow(from), p.perBox.Allow(target)
		p.noteFailure(ctx, a, fault.Reason(err))
		return identity.Principal{}, mailbox.Box{}, errLogin()
	}
	return by, box, err
}

func (p *Porter) noteFailure(ctx context.Context, a Attempt, reason string) {
	p.note(ctx, audit.Leaf{
		Act: "login", Object: "conn:" + a.Conn, Purpose: scopeName(a.Scope),
		Result: audit.Refused, Reason: reason, Peer: audit.Network(a.Remote),
	})
	p.Log.Info("login.refused", "component", "porter", "conn", a.Conn, "scope", scopeName(a.Scope), "reason", reason)
}

// client is a client certificate that checked out.
type client struct {
	dn   identity.DN
	spki []byte
}

// decide holds the credentials against the table in the package documentation.
func (p *Porter) decide(ctx context.Context, a Attempt) (by identity.Principal, box mailbox.Box, err error) {
	var shown *client
	if len(a.TLS.PeerCertificates) > 0 {
		verdict, err := p.checkClient(ctx, a.TLS.PeerCertificates)
		switch {
		case err == nil:
			spki := sha256.Sum256(verdict.Leaf.RawSubjectPublicKeyInfo)
			shown = &client{verdict.DN, spki[:]}
		case fault.Is(err, fault.Transient) || a.Mechanism == "EXTERNAL":
			return by, box, err
		}
	}
	address, err := p.address(a)
	if err != nil {
		return by, box, err
	}
	err = p.DB.Read(ctx, func(tx *store.Tx) error {
		var login account.Login
		if a.Mechanism == "EXTERNAL" {
			login, box, err = p.byCertificate(tx, shown, address)
		} else {
			login, box, err = p.byPassword(tx, shown, address, a)
		}
		if err != nil {
			return err
		}
		want := account.Read
		if a.Scope == account.SMTP {
			want = account.Send
		}
		if !login.Rights.May(want) {
			return fault.New(fault.Denied, "right-missing")
		}
		by = p.principal(login, box, a, shown)
		return nil
	})
	return by, box, err
}

// address returns the box address that the caller means, zero if it named none.
func (p *Porter) address(a Attempt) (identity.Address, error) {
	var address identity.Address
	for _, name := range []string{a.Login, a.Authzid} {
		if name == "" {
			continue
		}
		parsed, err := identity.ParseAddress(name)
		switch {
		case err != nil:
			return identity.Address{}, errLogin()
		case !address.IsZero() && !address.Equal(parsed):
			return identity.Address{}, fault.New(fault.Denied, "authzid-of-another-box")
		}
		address = parsed
	}
	return address, nil
}

// byCertificate finds the one box that the certificate opens, or the one named.
func (p *Porter) byCertificate(tx *store.Tx, shown *client, address identity.Address) (account.Login, mailbox.Box, error) {
	none := func(err error) (account.Login, mailbox.Box, error) { return account.Login{}, mailbox.Box{}, err }
	if shown == nil {
		return none(fault.New(fault.Denied, "certificate-missing"))
	}
	logins, err := account.CertificateBoxes(tx, p.Works, shown.dn, shown.spki)
	if err != nil {
		return none(err)
	}
	for _, login := range logins {
		box, err := mailbox.ByID(tx, p.Works, mailbox.BoxID(login.Box))
		if err != nil {
			return none(err)
		}
		if address.IsZero() && len(logins) == 1 || box.Address.Equal(address) {
			return login, box, nil
		}
	}
	return none(fault.New(fault.Denied, "certificate-of-another-box"))
}

// byPassword checks an app password, and for professionals the certificate beside it.
func (p *Porter) byPassword(tx *store.Tx, shown *client, address identity.Address, a Attempt) (account.Login, mailbox.Box, error) {
	none := func(err error) (account.Login, mailbox.Box, error) { return account.Login{}, mailbox.Box{}, err }
	box, err := mailbox.Find(tx, p.Works, address)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return none(err)
	}
	// An unknown box costs the same look-up as a known one.
	login, err := account.CheckPassword(tx, p.Works, account.BoxID(box.ID), a.Password, a.Scope)
	if err != nil {
		return none(err)
	}
	if box.Kind == mailbox.APP {
		return none(fault.New(fault.Denied, "password-of-an-app-box"))
	}
	if box.Kind == mailbox.Patient || p.opts.PasswordAlone {
		return login, box, nil
	}
	if _, _, err := p.byCertificate(tx, shown, address); err != nil {
		return none(err)
	}
	return login, box, nil
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
	case shown != nil && box.Kind != mailbox.Patient:
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
