package porter_test

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestMain(m *testing.M) { deliverytest.Main(m) }

const (
	anne  = "anne@" + deliverytest.Hospital
	paul  = "paul@" + deliverytest.Hospital
	robot = "robot@" + deliverytest.Hospital
	marie = "marie@" + deliverytest.Patients
)

// attempt shows a certificate (nil for none), a login and a password at the IMAP
// door, from one place.
func attempt(leaf *x509.Certificate, mechanism, login, password string) porter.Attempt {
	a := porter.Attempt{
		Conn: "imap-1", Remote: netip.MustParseAddr("192.0.2.7"), Scope: account.IMAP,
		Mechanism: mechanism, Login: login, Password: password,
	}
	if leaf != nil {
		a.TLS = tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
	}
	return a
}

// holders are the boxes of the table.
type holders struct {
	anne, paul, robot, marie, closed deliverytest.Holder
	robotPassword                    account.Secret // should never have been given
	two                              certs.Pair     // opens anne's and paul's box
	imapOnly                         account.Secret // of marie
}

func openAll(t *testing.T, op *deliverytest.Operator) (h holders) {
	t.Helper()
	h.anne, h.paul = op.Open(mailbox.PER, anne), op.Open(mailbox.CAB, paul)
	h.robot, h.marie = op.Open(mailbox.APP, robot), op.Open(mailbox.Patient, marie)
	h.closed = op.Open(mailbox.Patient, "closed@"+deliverytest.Patients)
	op.State(h.closed, mailbox.Closed)
	h.robotPassword, h.imapOnly, h.two = account.NewSecret(), account.NewSecret(), op.Sandbox.Person(t, "deux")
	op.Write(func(tx *store.Tx) error {
		if err := password(tx, op, h.robot, account.AllScopes, h.robotPassword); err != nil {
			return err
		}
		if err := password(tx, op, h.marie, account.IMAP, h.imapOnly); err != nil {
			return err
		}
		for _, to := range []deliverytest.Holder{h.anne, h.paul} {
			if err := bind(tx, op, to, h.two.Leaf); err != nil {
				return err
			}
		}
		return nil
	})
	return h
}

// holder is the person who holds a box.
func holder(tx *store.Tx, h deliverytest.Holder) (identity.PersonID, error) {
	all, err := account.Holders(tx, account.BoxID(h.ID))
	if err != nil {
		return "", err
	}
	return all[0].Person, nil
}

func password(tx *store.Tx, op *deliverytest.Operator, h deliverytest.Holder, scopes account.Scope, s account.Secret) error {
	who, err := holder(tx, h)
	if err != nil {
		return err
	}
	_, err = account.AddPassword(tx, op.Works, account.Password{Box: account.BoxID(h.ID), Person: who, Scopes: scopes}, s)
	return err
}

func bind(tx *store.Tx, op *deliverytest.Operator, h deliverytest.Holder, leaf *x509.Certificate) error {
	who, err := holder(tx, h)
	if err != nil {
		return err
	}
	dn, err := identity.DNFromRaw(leaf.RawSubject)
	if err != nil {
		return err
	}
	spki := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	_, err = account.AddCertificate(tx, op.Works, account.Certificate{Box: account.BoxID(h.ID), Person: who, Subject: dn, SPKI: spki[:]})
	return err
}

func TestEveryRowOfTheTable(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		h := openAll(t, op)
		server := op.Sandbox.Server(t, deliverytest.Host(deliverytest.City), nil).Leaf
		expired := op.Sandbox.Server(t, "x.mss.example", func(r *certs.Request) {
			r.NotBefore, r.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
		}).Leaf
		secret := func(h deliverytest.Holder) string { return h.Password.Reveal() }
		for _, c := range []struct {
			name       string
			a          porter.Attempt
			credential string // empty: refused
			reason     string // in the audit leaf
		}{
			{"password alone, professional", attempt(nil, "PLAIN", anne, secret(h.anne)), "", "certificate-missing"},
			{"certificate alone", attempt(h.anne.Certificate.Leaf, "EXTERNAL", anne, ""), "certificate", ""},
			{"certificate alone, no login", attempt(h.anne.Certificate.Leaf, "EXTERNAL", "", ""), "certificate", ""},
			{"certificate and password", attempt(h.anne.Certificate.Leaf, "PLAIN", anne, secret(h.anne)), "certificate+app-password", ""},
			{"LOGIN, other spelling", attempt(h.paul.Certificate.Leaf, "LOGIN", strings.ToUpper(paul), secret(h.paul)), "certificate+app-password", ""},
			{"certificate and wrong password", attempt(h.anne.Certificate.Leaf, "PLAIN", anne, secret(h.paul)), "", "login-failed"},
			{"other box's certificate and password", attempt(h.paul.Certificate.Leaf, "PLAIN", anne, secret(h.anne)), "", "certificate-of-another-box"},
			{"other box's certificate", attempt(h.paul.Certificate.Leaf, "EXTERNAL", anne, ""), "", "certificate-of-another-box"},
			{"operator's certificate", attempt(server, "EXTERNAL", anne, ""), "", "certificate-of-another-box"},
			{"operator's certificate, no login", attempt(server, "EXTERNAL", "", ""), "", "certificate-of-another-box"},
			{"operator's certificate and password", attempt(server, "PLAIN", anne, secret(h.anne)), "", "certificate-of-another-box"},
			{"expired certificate", attempt(expired, "EXTERNAL", anne, ""), "", "certificate-expired"},
			{"expired certificate and password", attempt(expired, "PLAIN", anne, secret(h.anne)), "", "certificate-missing"},
			{"EXTERNAL without certificate", attempt(nil, "EXTERNAL", anne, ""), "", "certificate-missing"},
			{"certificate of two boxes", attempt(h.two.Leaf, "EXTERNAL", paul, ""), "certificate", ""},
			{"certificate of two boxes, no login", attempt(h.two.Leaf, "EXTERNAL", "", ""), "", "certificate-of-another-box"},
			{"application, certificate", attempt(h.robot.Certificate.Leaf, "EXTERNAL", robot, ""), "certificate", ""},
			{"application, password", attempt(nil, "PLAIN", robot, h.robotPassword.Reveal()), "", "password-of-an-app-box"},
			{"application, both", attempt(h.robot.Certificate.Leaf, "PLAIN", robot, h.robotPassword.Reveal()), "", "password-of-an-app-box"},
			{"patient, password", attempt(nil, "PLAIN", marie, secret(h.marie)), "app-password", ""},
			{"patient, password and a foreign certificate", attempt(expired, "PLAIN", marie, secret(h.marie)), "app-password", ""},
			{"patient, wrong password", attempt(nil, "PLAIN", marie, secret(h.anne)), "", "login-failed"},
			{"patient, no password", attempt(nil, "PLAIN", marie, ""), "", "login-failed"},
			{"closed box", attempt(nil, "PLAIN", h.closed.Address.String(), secret(h.closed)), "", "box-closed"},
			{"unknown box", attempt(nil, "PLAIN", "personne@"+deliverytest.Patients, secret(h.marie)), "", "login-failed"},
			{"no address", attempt(nil, "PLAIN", "marie", secret(h.marie)), "", "login-failed"},
			{"no login", attempt(nil, "PLAIN", "", secret(h.marie)), "", "login-failed"},
		} {
			before := len(op.Leaves("login"))
			c.a.Remote = c.a.Remote.Next() // the rows do not pace each other
			s, err := op.Porter.Open(t.Context(), c.a)
			if c.credential == "" {
				refused := op.Leaves("login")[before:]
				if fault.Reason(err) != "login-failed" || !fault.Is(err, fault.Denied) {
					t.Errorf("%s: got %v", c.name, err)
				}
				if len(refused) != 1 || !strings.Contains(refused[0], `"reason":"`+c.reason+`"`) {
					t.Errorf("%s: leaves %s, want reason %s", c.name, refused, c.reason)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			if by := s.By(); by.Credential != c.credential || by.Pseudonym == "" || by.Person == "" {
				t.Errorf("%s: came in as %+v", c.name, by)
			}
			s.Close()
		}
	})
}

func TestAuthzidNamesTheSameBoxOrNone(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	h := openAll(t, op)
	for authzid, want := range map[string]string{"": "", marie: "", strings.ToUpper(marie): "", anne: "login-failed", "marie": "login-failed"} {
		a := attempt(nil, "PLAIN", marie, h.marie.Password.Reveal())
		a.Authzid = authzid
		s, err := op.Porter.Open(t.Context(), a)
		if got := reason(err); got != want {
			t.Errorf("authzid %q: got %q, want %q", authzid, got, want)
		}
		if err == nil {
			s.Close()
		}
	}
	a := attempt(h.anne.Certificate.Leaf, "EXTERNAL", "", "")
	a.Authzid = anne
	if s, err := op.Porter.Open(t.Context(), a); err != nil || s.Box().ID != h.anne.ID {
		t.Errorf("EXTERNAL as oneself: %v", err)
	}
}

func TestAPasswordAndACertificateOfTwoPeopleAreNotOneProof(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	h := openAll(t, op)
	// Anne holds Paul's practice too, with a password of her own; the certificate is his.
	secret := account.NewSecret()
	op.Write(func(tx *store.Tx) error {
		who, err := holder(tx, h.anne)
		if err != nil {
			return err
		}
		if err := account.Grant(tx, account.Holding{Box: account.BoxID(h.paul.ID), Person: who, Rights: account.Everything}); err != nil {
			return err
		}
		_, err = account.AddPassword(tx, op.Works, account.Password{Box: account.BoxID(h.paul.ID), Person: who, Scopes: account.AllScopes}, secret)
		return err
	})
	_, err := op.Porter.Open(t.Context(), attempt(h.paul.Certificate.Leaf, "PLAIN", paul, secret.Reveal()))
	if reason(err) != "login-failed" {
		t.Errorf("got %v", err)
	}
}

func TestRightsAndScopesAreOfOneDoor(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	h := openAll(t, op)
	submit := func(secret string) error {
		creds := delivery.Credentials{Mechanism: "PLAIN", Authcid: marie, Password: secret}
		_, err := op.Porter.Sender(t.Context(), deliverytest.Caller("c", nil), creds)
		return err
	}
	if err := submit(h.marie.Password.Reveal()); err != nil {
		t.Error(err)
	}
	if got := reason(submit(h.imapOnly.Reveal())); got != "login-failed" {
		t.Errorf("a password for IMAP alone submits: %q", got)
	}
	op.Write(func(tx *store.Tx) error {
		who, err := holder(tx, h.marie)
		if err != nil {
			return err
		}
		return account.Grant(tx, account.Holding{Box: account.BoxID(h.marie.ID), Person: who, Rights: account.Read})
	})
	if got := reason(submit(h.marie.Password.Reveal())); got != "login-failed" {
		t.Errorf("who may only read submits: %q", got)
	}
	op.State(h.marie, mailbox.Opposed)
	if got := reason(submit(h.marie.Password.Reveal())); got != "login-failed" {
		t.Errorf("an opposed box submits: %q", got)
	}
}

func TestProfessionalsComeWithAPasswordAloneOnlyWhereTheOperatorSaysSo(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{Porter: porter.Options{PasswordAlone: true}})
	h := openAll(t, op)
	s, err := op.Porter.Open(t.Context(), attempt(nil, "PLAIN", anne, h.anne.Password.Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.By().Credential != "app-password" || s.By().Role != "professional" {
		t.Errorf("came in as %+v", s.By())
	}
	if _, err := op.Porter.Open(t.Context(), attempt(nil, "PLAIN", robot, h.robotPassword.Reveal())); reason(err) != "login-failed" {
		t.Errorf("an application with a password: %v", err)
	}
}

func TestALoginLeavesALeafAndTheDayOfItsProof(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	h := openAll(t, op)
	creds := delivery.Credentials{Mechanism: "EXTERNAL"}
	for range 2 {
		s, err := op.Porter.Sender(t.Context(), deliverytest.Caller("c", h.robot.Certificate.Leaf), creds)
		if err != nil || s.Box.ID != h.robot.ID || s.By.Role != "application" {
			t.Fatalf("%+v, %v", s, err)
		}
	}
	leaves := op.Leaves("login")
	if len(leaves) != 2 || !strings.Contains(leaves[0], `"result":"done"`) || !strings.Contains(leaves[0], `"role":"application"`) {
		t.Errorf("leaves: %s", leaves)
	}
	op.Read(func(tx *store.Tx) error {
		all, err := account.Certificates(tx, op.Works, account.BoxID(h.robot.ID))
		if err == nil && (len(all) != 1 || all[0].LastUsed.Format(time.DateOnly) != time.Now().UTC().Format(time.DateOnly)) {
			t.Errorf("certificates: %+v", all)
		}
		return err
	})
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Reason(err)
}
