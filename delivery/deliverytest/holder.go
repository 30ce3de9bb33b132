package deliverytest

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/lifecycle"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// Holder is a box and what its holder logs in with.
type Holder struct {
	mailbox.Box
	Password    account.Secret
	Certificate certs.Pair // zero for patients
}

// Open opens a box: a patient's with an app password, an APP box with a
// certificate, any other with both.
func (op *Operator) Open(kind mailbox.Kind, address string) Holder {
	op.TB.Helper()
	name, _, _ := strings.Cut(address, "@")
	return op.OpenFor(kind, address, account.Person{Name: name})
}

// OpenFor opens a box for a person, whose identity documents are held against.
func (op *Operator) OpenFor(kind mailbox.Kind, address string, person account.Person) Holder {
	op.TB.Helper()
	h := Holder{Password: account.NewSecret()}
	name, _, _ := strings.Cut(address, "@")
	o := lifecycle.Opening{Kind: kind, Address: Address(op.TB, address), Person: person}
	if kind.TakesPassword() {
		o.Password = &h.Password
	}
	if kind != mailbox.Patient {
		h.Certificate = op.Sandbox.Person(op.TB, name)
		o.Certificate = h.Certificate.Leaf
	}
	if _, err := op.Registrar.Open(op.TB.Context(), o); err != nil {
		op.TB.Fatal(err)
	}
	op.Read(func(tx *store.Tx) (err error) {
		h.Box, err = mailbox.Find(tx, op.Works, o.Address)
		return err
	})
	return h
}

// State moves a box to another state.
func (op *Operator) State(h Holder, s mailbox.State) {
	op.TB.Helper()
	op.Write(func(tx *store.Tx) error { return mailbox.SetState(tx, h.ID, s) })
}

// Quota gives a box another quota.
func (op *Operator) Quota(h Holder, octets int64) {
	op.TB.Helper()
	op.Write(func(tx *store.Tx) error { return mailbox.SetLimits(tx, h.ID, octets, mailbox.DefaultLetters) })
}

// Caller is a connection after its TLS handshake; leaf is the client's certificate,
// nil for none.
func Caller(conn string, leaf *x509.Certificate) delivery.Caller {
	c := delivery.Caller{
		Conn: conn, Remote: netip.MustParseAddrPort("192.0.2.7:40000"), Local: Host(Hospital),
		TLS: tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true},
	}
	if leaf != nil {
		c.TLS.PeerCertificates = []*x509.Certificate{leaf}
	}
	return c
}

// Peer opens a visit at our MX of the operator of a domain.
func (op *Operator) Peer(domain string) delivery.Visit {
	op.TB.Helper()
	leaf := op.Sandbox.Server(op.TB, Host(domain), nil).Leaf
	v, err := op.Office.Operators().Arrive(op.TB.Context(), Caller("mx-1", leaf))
	if err != nil {
		op.TB.Fatal(err)
	}
	v.Hello(Host(domain))
	return v
}

// Submit opens a visit at submission, logged in as a box's holder.
func (op *Operator) Submit(h Holder) delivery.Visit {
	op.TB.Helper()
	v, err := op.Office.People().Arrive(op.TB.Context(), Caller("sub-1", h.Certificate.Leaf))
	if err != nil {
		op.TB.Fatal(err)
	}
	v.Hello("poste-de-travail")
	creds := delivery.Credentials{Mechanism: "EXTERNAL", Authzid: h.Address.String()}
	if h.Kind == mailbox.Patient {
		creds = delivery.Credentials{Mechanism: "PLAIN", Authcid: h.Address.String(), Password: h.Password.Reveal()}
	}
	if err := v.Login(op.TB.Context(), creds); err != nil {
		op.TB.Fatal(err)
	}
	return v
}

// Address parses an address that is well-formed, or empty.
func Address(tb testing.TB, s string) identity.Address {
	tb.Helper()
	if s == "" {
		return identity.Address{}
	}
	a, err := identity.ParseAddress(s)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}
