package porter

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"net/netip"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/audit"
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

// proof is an attempt that was good.
type proof struct {
	by    identity.Principal
	box   mailbox.Box
	login account.Login
}

// prove paces an attempt, decides on it and audits a failure.
func (p *Porter) prove(ctx context.Context, a Attempt) (proof, error) {
	address, err := a.address()
	pair, place := p.keys(a, address)
	if p.perBox.Empty(pair) || p.perNetwork.Empty(place) {
		p.noteFailure(ctx, a, "too-fast")
		return proof{}, fault.New(fault.OverQuota, "too-fast")
	}
	var got proof
	if err == nil {
		got, err = p.decide(ctx, a, address)
	}
	if err != nil && !fault.Is(err, fault.Transient) && !fault.Is(err, fault.Internal) {
		// The buckets are for failures: who succeeds never waits.
		_, _ = p.perBox.Allow(pair), p.perNetwork.Allow(place)
		p.noteFailure(ctx, a, fault.Reason(err))
		return proof{}, errLogin()
	}
	return got, err
}

// keys names the two buckets of an attempt: who is tried from where, in whatever
// spelling, and where from.
func (p *Porter) keys(a Attempt, address identity.Address) (pair, place string) {
	who := []byte(a.Login)
	switch {
	case !address.IsZero():
		who = []byte(address.Key())
	case len(who) == 0 && len(a.TLS.PeerCertificates) > 0:
		sum := sha256.Sum256(a.TLS.PeerCertificates[0].Raw)
		who = sum[:]
	}
	place = network(a.Remote)
	return string(p.Works.MAC("pace", []byte(place), who)), place
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
func (p *Porter) decide(ctx context.Context, a Attempt, address identity.Address) (proof, error) {
	shown, err := p.shown(ctx, a)
	if err != nil {
		return proof{}, err
	}
	var got proof
	err = p.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if a.Mechanism == "EXTERNAL" {
			got.login, got.box, err = p.byCertificate(tx, shown, address)
		} else {
			got.login, got.box, err = p.byPassword(tx, shown, address, a)
		}
		return err
	})
	if err != nil {
		return proof{}, err
	}
	want := account.Read
	if a.Scope == account.SMTP {
		want = account.Send
	}
	switch {
	case got.box.State == mailbox.Closed || got.box.State == mailbox.Opposed:
		return proof{}, fault.New(fault.Denied, "box-closed")
	case !got.login.Rights.May(want):
		return proof{}, fault.New(fault.Denied, "right-missing")
	}
	got.by = p.principal(got.login, got.box, a, shown)
	return got, nil
}

// shown checks the client certificate of an attempt, nil if it showed none. One
// that is refused is as good as none to whoever comes with a password: mail
// clients show what they have.
func (p *Porter) shown(ctx context.Context, a Attempt) (*client, error) {
	if len(a.TLS.PeerCertificates) == 0 {
		return nil, nil
	}
	verdict, err := p.checkClient(ctx, a.TLS.PeerCertificates)
	switch {
	case err == nil:
		spki := sha256.Sum256(verdict.Leaf.RawSubjectPublicKeyInfo)
		return &client{verdict.DN, spki[:]}, nil
	case fault.Is(err, fault.Transient) || a.Mechanism == "EXTERNAL":
		return nil, err
	}
	return nil, nil
}

// address returns the box address that the caller means, zero if it named none.
func (a Attempt) address() (identity.Address, error) {
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

// byPassword checks an app password, and for professionals the certificate of the
// same person beside it.
func (p *Porter) byPassword(tx *store.Tx, shown *client, address identity.Address, a Attempt) (account.Login, mailbox.Box, error) {
	none := func(err error) (account.Login, mailbox.Box, error) { return account.Login{}, mailbox.Box{}, err }
	box, err := mailbox.Find(tx, p.Works, address)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return none(err)
	}
	// An unknown box costs the same look-up as a known one.
	login, err := account.CheckPassword(tx, p.Works, account.BoxID(box.ID), a.Password, a.Scope)
	switch {
	case err != nil:
		return none(err)
	case !box.Kind.TakesPassword():
		return none(fault.New(fault.Denied, "password-of-an-app-box"))
	case box.Kind.PasswordSuffices(), p.opts.PasswordAlone:
		return login, box, nil
	case shown == nil:
		return none(fault.New(fault.Denied, "certificate-missing"))
	}
	beside, err := account.CheckCertificate(tx, p.Works, login.Box, shown.dn, shown.spki)
	switch {
	case fault.Is(err, fault.Denied), err == nil && beside.Person != login.Person:
		return none(fault.New(fault.Denied, "certificate-of-another-box"))
	case err != nil:
		return none(err)
	}
	return login, box, nil
}
