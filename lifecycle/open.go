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
}

// Registrar opens spaces, safe for concurrent use.
type Registrar struct {
	db       *store.DB
	platform seal.Platform
	works    *seal.Works
}

// New returns a registrar.
func New(db *store.DB, p seal.Platform, w *seal.Works) *Registrar {
	return &Registrar{db, p, w}
}

// batch is how many spaces are opened in one transaction.
const batch = 32

// Open opens spaces whose address has no box yet and returns how many those were.
// It fails with fault.Invalid "opening-malformed" before anything is opened.
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
	}
	return nil
}

// open opens one batch: keys first, on all processors, then one transaction.
func (r *Registrar) open(ctx context.Context, all []Opening) (opened int, err error) {
	fresh, err := r.unknown(ctx, all)
	if err != nil || len(fresh) == 0 {
		return 0, err
	}
	keys := make([]mailbox.SpaceKeys, len(fresh))
	defer func() {
		for _, k := range keys {
			if k.Ring != nil {
				k.Ring.Zero()
			}
		}
	}()
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, o := range fresh {
		group.Go(func() (err error) {
			keys[i], err = mailbox.NewKeys(r.platform, o.Kind)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, fmt.Errorf("keys: %w", err)
	}
	err = r.db.Write(ctx, func(tx *store.Tx) error {
		opened = 0
		for i, o := range fresh {
			err := r.register(tx, o, keys[i])
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
func (r *Registrar) register(tx *store.Tx, o Opening, keys mailbox.SpaceKeys) error {
	box, err := mailbox.Create(tx, r.works, mailbox.NewBox{Kind: o.Kind, Address: o.Address, Name: o.Person.Name, Keys: keys})
	if err != nil {
		return err
	}
	person := o.Person
	person.Kind = account.Professional
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
