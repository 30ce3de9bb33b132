package demo

import (
	"context"
	"fmt"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/lifecycle"
	"github.com/vaguemestre/vaguemestre/mailbox"
)

// enrol opens the boxes of the operator's cast that are not open yet.
func (op *operator) enrol(ctx context.Context) error {
	all := make([]lifecycle.Opening, 0, len(op.cast.Boxes))
	for _, p := range op.cast.Boxes {
		o, err := opening(p)
		if err != nil {
			return fmt.Errorf("a box of the cast: %w", err)
		}
		all = append(all, o)
	}
	_, err := op.node.Registrar().Open(ctx, all...)
	return err
}

// opening is what the registrar needs of a person.
func opening(p Person) (lifecycle.Opening, error) {
	address, err := identity.ParseAddress(p.Address)
	if err != nil {
		return lifecycle.Opening{}, err
	}
	o := lifecycle.Opening{Kind: mailbox.Kind(p.Kind), Address: address, Person: account.Person{
		Name: p.Name, Family: p.Family, Given: p.Given, BirthDate: p.BirthDate, Sex: p.Sex, INS: p.INS, INSOID: p.INSOID,
		Fictitious: true,
	}}
	if p.Password != "" {
		secret, err := account.ParseSecret(p.Password)
		if err != nil {
			return o, err
		}
		o.Password = &secret
	}
	if p.Kind == string(mailbox.Patient) {
		o.WebLogin, o.WebPassword = p.WebLogin, p.WebPassword
	}
	if p.CertFile != "" {
		pair, err := certs.LoadPair(p.CertFile, p.KeyFile)
		if err != nil {
			return o, err
		}
		o.Certificate = pair.Leaf
	}
	return o, nil
}
