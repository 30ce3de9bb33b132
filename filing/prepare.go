package filing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/vaguemestre/vaguemestre/custody"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// prepare does all that is costly: the letter is read, its documents compared and
// sealed, and everything that the transaction will write is made. On an error the
// caller discards the work, which may be nil.
func (c *Clerk) prepare(ctx context.Context, e *delivery.Errand) (*work, error) {
	key, err := c.sessionKey(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("key of letter %s: %w", e.Letter, err)
	}
	defer key.Zero()
	body, err := c.body(ctx, e, key)
	if err != nil {
		return nil, fmt.Errorf("body of letter %s: %w", e.Letter, err)
	}
	defer func() { _ = body.Close() }() // wipes memory; nothing was written
	found, err := c.examine(ctx, e, body)
	if err != nil {
		return nil, fmt.Errorf("examine letter %s: %w", e.Letter, err)
	}
	defer func() { _ = found.Close() }() // unlinked files
	w := &work{clerk: c, errand: e, found: found}
	if err := c.settlePatient(ctx, w); err != nil {
		return w, err
	}
	if err := w.seal(ctx); err != nil {
		return w, err
	}
	if err := w.foresee(ctx); err != nil {
		return w, err
	}
	err = w.compose(ctx, key, body)
	w.found = nil // it ends with this call
	return w, err
}

// examine reads the letter.
func (c *Clerk) examine(ctx context.Context, e *delivery.Errand, body *body) (*Findings, error) {
	structure, err := letter.Unmarshal(e.Structure)
	if err != nil {
		return nil, err
	}
	s := Subject{
		Octets: body, Size: e.Plain, Structure: structure, Depot: e.Depot(), Author: e.Author, AuthorName: e.AuthorName,
		Limits: c.opts.Limits, Dir: c.opts.Dir,
	}
	// Both are our own records; an author that is no address organizes nothing.
	if s.Sender, err = identity.ParseAddress(e.Author); err != nil {
		s.Sender = identity.Address{}
	}
	if s.Recipient, err = identity.ParseAddress(e.Address); err != nil {
		return nil, err
	}
	return Examine(ctx, s)
}

// settlePatient finds whose documents they must be and holds them against that person.
func (c *Clerk) settlePatient(ctx context.Context, w *work) (err error) {
	if w.errand.Depot() {
		return c.depositPatient(ctx, w)
	}
	if w.patient, err = c.ofBox(ctx, w.errand.Box); err != nil {
		return err
	}
	if reason := w.patient.refuses(false); reason != "" {
		w.found.refuse(reason)
		w.found.decline(reason)
		return nil
	}
	w.found.Hold(w.patient.identity)
	return nil
}

// depositPatient finds the one patient whom all lots of a deposit name.
func (c *Clerk) depositPatient(ctx context.Context, w *work) error {
	var named Identity
	for i := range w.found.Lots {
		l := &w.found.Lots[i]
		switch id := l.Identity; {
		case l.Reason != "":
		case id.Matricule == "":
			l.Reason = reasonINSMissing
		case named.Matricule == "":
			named = id
		case id.OID != named.OID || id.Matricule != named.Matricule:
			w.found.refuse(reasonTwoPatients) // one patient a letter (spec mssante 6.1)
			return nil
		}
	}
	if named.Matricule == "" {
		return nil
	}
	p, err := c.byINS(ctx, named)
	switch {
	case err != nil:
		return err
	case p == nil:
		w.found.refuse(reasonPatientUnknown)
		return nil
	}
	w.patient = p
	if reason := p.refuses(true); reason != "" {
		w.found.refuse(reason)
		return nil
	}
	w.found.Hold(p.identity)
	return nil
}

// sessionKey opens the letter's key with the transit key of its day.
func (c *Clerk) sessionKey(ctx context.Context, e *delivery.Errand) (key seal.SessionKey, err error) {
	var transit *seal.TransitKey
	err = c.DB.Read(ctx, func(tx *store.Tx) (err error) {
		transit, err = custody.TransitKey(tx, c.Platform, e.Day)
		return err
	})
	if err != nil {
		return key, fmt.Errorf("transit key of %s: %w", e.Day, err)
	}
	defer transit.Zero()
	return transit.Unwrap(e.Key, string(e.Body))
}

// body is the letter's octets, opened.
type body struct {
	*seal.BodyReader
	source io.Closer // nil for a body that lies in its row
}

// Close wipes what was decrypted.
func (b *body) Close() error {
	err := b.BodyReader.Close()
	if b.source != nil {
		err = errors.Join(err, b.source.Close())
	}
	return err
}

// body opens the letter's octets.
func (c *Clerk) body(ctx context.Context, e *delivery.Errand, key seal.SessionKey) (*body, error) {
	var row mailbox.Body
	err := c.DB.Read(ctx, func(tx *store.Tx) (err error) {
		row, err = mailbox.OpenBody(tx, e.Body)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := new(body)
	var sealed io.ReaderAt = bytes.NewReader(row.Inline)
	if row.Blob != "" {
		r, err := c.Blobs.Open(ctx, row.Blob)
		if err != nil {
			return nil, err
		}
		sealed, out.source = r, r
	}
	if out.BodyReader, err = seal.NewBodyReader(sealed, row.Sealed, row.Plain, key, string(row.ID)); err != nil {
		if out.source != nil {
			err = errors.Join(err, out.source.Close())
		}
		return nil, err
	}
	return out, nil
}
