package filing

import (
	"context"
	"fmt"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// patient is whose space documents go into.
type patient struct {
	box mailbox.Box
	// identity is zero when the box has no owner whose INS leads to it.
	identity Identity
	vault    *seal.PublicKey // nil: the space has no vault
	letters  *seal.PublicKey
}

// refuses is why nothing is filed for the patient now, empty if it may be.
func (p *patient) refuses(depot bool) string {
	switch s := p.box.State; {
	case p.box.Kind != mailbox.Patient || p.vault == nil:
		return reasonPatientUnknown
	case s == mailbox.Closed:
		return "box-closed"
	case s == mailbox.Opposed:
		return "box-opposed"
	case s == mailbox.Announced && depot:
		return "box-announced" // the record is made when the space opens (CSP R1111-40)
	}
	return ""
}

// ofBox finds the patient whose box a letter came to.
func (c *Clerk) ofBox(ctx context.Context, id mailbox.BoxID) (*patient, error) {
	p := new(patient)
	err := c.DB.Read(ctx, func(tx *store.Tx) error {
		*p = patient{}
		if err := c.keys(tx, p, id); err != nil {
			return err
		}
		return c.owner(tx, p)
	})
	if err != nil {
		return nil, fmt.Errorf("patient of box %s: %w", id, err)
	}
	return p, nil
}

// owner finds the person whose own box it is. Others may
// own it beside them, a parent for one; documents about those do not belong here.
func (c *Clerk) owner(tx *store.Tx, p *patient) error {
	holders, err := account.Holders(tx, account.BoxID(p.box.ID))
	if err != nil {
		return err
	}
	for _, h := range holders {
		if !h.Rights.May(account.Own) {
			continue
		}
		person, err := account.ByID(tx, c.Works, h.Person)
		if err != nil {
			return err
		}
		if person.INS == "" {
			continue
		}
		own, err := account.OwnBox(tx, h.Person)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if own == account.BoxID(p.box.ID) {
			p.identity = IdentityOf(person)
			return nil
		}
	}
	return nil
}

// byINS finds the patient whom documents name; nil when there is none.
func (c *Clerk) byINS(ctx context.Context, named Identity) (*patient, error) {
	p := new(patient)
	err := c.DB.Read(ctx, func(tx *store.Tx) error {
		*p = patient{}
		box, person, err := account.FindByINS(tx, c.Works, named.OID, named.Matricule)
		if err != nil {
			return err
		}
		p.identity = IdentityOf(person)
		return c.keys(tx, p, mailbox.BoxID(box))
	})
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find a patient: %w", err)
	}
	return p, nil
}

// keys reads the box and the public keys of its space.
func (c *Clerk) keys(tx *store.Tx, p *patient, id mailbox.BoxID) (err error) {
	if p.box, err = mailbox.ByID(tx, c.Works, id); err != nil {
		return err
	}
	if p.letters, err = seal.ParsePublicKey(p.box.LettersKey); err != nil {
		return err
	}
	raw, err := mailbox.VaultKey(tx, p.box.Space)
	if err != nil || len(raw) == 0 {
		return err
	}
	p.vault, err = seal.ParsePublicKey(raw)
	return err
}

// sealer seals documents for the patient.
func (c *Clerk) sealer(p *patient) dmp.Vault {
	return dmp.Vault{Space: dmp.SpaceID(p.box.Space), Key: p.vault, Works: c.Works, Blobs: c.Blobs, Inline: c.opts.Inline}
}
