package lifecycle

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Opening is a space to open.
type Opening struct {
	Kind    mailbox.Kind
	Address identity.Address
	// Person holds the box; its Kind is set here.
	Person account.Person
	// Password is an app password for every door; nil for none. APP boxes have none.
	Password *account.Secret
	// Certificate opens the box; nil for none. Patients have none.
	Certificate *x509.Certificate
	// WebLogin and WebPassword let the person sign in on the web; both empty for
	// none. APP boxes have none.
	WebLogin, WebPassword string
}

// Registrar opens spaces, safe for concurrent use.
type Registrar struct {
	db       *store.DB
	platform seal.Platform
	works    *seal.Works
	hasher   *account.Hasher
}

// New returns a registrar.
func New(db *store.DB, p seal.Platform, w *seal.Works) *Registrar {
	return &Registrar{db, p, w, account.NewHasher()}
}

// batch is how many spaces are opened in one transaction.
const batch = 32

// Open opens spaces whose address has no box yet and returns how many those were.
// It fails with fault.Invalid "opening-malformed" before anything is opened, with
// those of account.Hasher for a password of the web that is none, and with
// fault.Conflict "login-exists" or "ins-exists" for what is somebody else's.
func (r *Registrar) Open(ctx context.Context, all ...Opening) (opened int, err error) {
	for _, o := range all {
		if err := o.check(); err != nil {
			return 0, err
		}
	}
	for len(all) > 0 {
		n := min(batch, len(all))
		done, err := r.open(ctx, all[:n])
		opened += done
		if err != nil {
			return opened, err
		}
		all = all[n:]
	}
	return opened, nil
}

// check holds an opening against the kinds' rules (spec mssante 3.1, 5.5).
func (o Opening) check() error {
	bad := func(why string) error {
		return fault.Newf(fault.Invalid, "opening-malformed", "%s", why)
	}
	switch {
	case !o.Kind.Valid() || o.Address.IsZero():
		return bad("kind or address is missing")
	case o.Password != nil && !o.Kind.TakesPassword():
		return bad("an application box never has a password")
	case o.Kind == mailbox.Patient && o.Certificate != nil:
		return bad("a patient has no certificate")
	case (o.WebLogin == "") != (o.WebPassword == ""):
		return bad("a login on the web is a name and a password")
	case o.WebLogin != "" && !o.Kind.TakesPassword():
		return bad("an application box has no login on the web")
	}
	return nil
}

// open opens one batch: keys first, on all processors, then one transaction.
func (r *Registrar) open(ctx context.Context, all []Opening) (opened int, err error) {
	fresh, err := r.unknown(ctx, all)
	if err != nil || len(fresh) == 0 {
		return 0, err
	}
	spaces := make([]space, len(fresh))
	defer func() {
		for _, s := range spaces {
			if s.keys.Ring != nil {
				s.keys.Ring.Zero()
			}
		}
	}()
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, o := range fresh {
		group.Go(func() (err error) {
			spaces[i], err = r.prepare(working, o)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	err = r.db.Write(ctx, func(tx *store.Tx) error {
		opened = 0
		for i, o := range fresh {
			err := r.register(tx, o, spaces[i])
			switch {
			case fault.Reason(err) == "box-exists": // opened by somebody else meanwhile, or named twice
			case err != nil:
				return fmt.Errorf("open a space: %w", err)
			default:
				opened++
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return opened, nil
}

// space is what a space needs before its transaction: what is costly is done.
type space struct {
	keys mailbox.SpaceKeys
	// person and login are of the holder; login is nil for none on the web.
	person identity.PersonID
	login  *account.PreparedLogin
}

// prepare makes the keys of a space, and hashes the holder's password of the web.
func (r *Registrar) prepare(ctx context.Context, o Opening) (s space, err error) {
	if s.keys, err = mailbox.NewKeys(r.platform, o.Kind); err != nil {
		return s, fmt.Errorf("keys: %w", err)
	}
	s.person = o.Person.ID
	if s.person == "" {
		s.person = identity.PersonID(identity.NewID())
	}
	if o.WebLogin == "" {
		return s, nil
	}
	hash, err := r.hasher.Hash(ctx, o.WebPassword)
	if err != nil {
		return s, fmt.Errorf("password of the web: %w", err)
	}
	s.login, err = account.PrepareWebLogin(r.works, s.person, o.WebLogin, hash)
	return s, err
}

// unknown returns the openings whose address has no box.
func (r *Registrar) unknown(ctx context.Context, all []Opening) ([]Opening, error) {
	var fresh []Opening
	err := r.db.Read(ctx, func(tx *store.Tx) error {
		fresh = fresh[:0]
		for _, o := range all {
			_, err := mailbox.Find(tx, r.works, o.Address)
			if fault.Is(err, fault.NotFound) {
				fresh = append(fresh, o)
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	return fresh, err
}

// register writes the rows of one space.
func (r *Registrar) register(tx *store.Tx, o Opening, s space) error {
	box, err := mailbox.Create(tx, r.works, mailbox.NewBox{Kind: o.Kind, Address: o.Address, Name: o.Person.Name, Keys: s.keys})
	if err != nil {
		return err
	}
	person := o.Person
	person.ID, person.Kind = s.person, account.Professional
	switch o.Kind {
	case mailbox.Patient:
		person.Kind = account.Patient
	case mailbox.APP:
		person.Kind = account.Application
	}
	id, err := account.AddPerson(tx, r.works, person)
	if err != nil {
		return err
	}
	holder := account.Holding{Box: account.BoxID(box.ID), Person: id, Rights: account.Everything}
	if err := account.Grant(tx, holder); err != nil {
		return err
	}
	if o.Password != nil {
		_, err := account.AddPassword(tx, r.works, account.Password{
			Box: holder.Box, Person: id, Name: "first", Scopes: account.AllScopes,
		}, *o.Password)
		if err != nil {
			return err
		}
	}
	if o.Certificate != nil {
		if err := r.bind(tx, holder, o.Certificate); err != nil {
			return err
		}
	}
	if s.login != nil {
		if err := account.AddWebLogin(tx, holder.Box, s.login); err != nil {
			return err
		}
	}
	return audit.Append(tx, audit.Leaf{
		Role: "operator", Act: "space.open", Object: "box:" + string(box.ID), Result: audit.Done,
	})
}

// bind lets a certificate open the box.
func (r *Registrar) bind(tx *store.Tx, h account.Holding, cert *x509.Certificate) error {
	dn, err := identity.DNFromRaw(cert.RawSubject)
	if err != nil {
		return err
	}
	spki := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	_, err = account.AddCertificate(tx, r.works, account.Certificate{
		Box: h.Box, Person: h.Person, Subject: dn, SPKI: spki[:],
	})
	return err
}
