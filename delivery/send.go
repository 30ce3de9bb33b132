package delivery

import (
	"context"
	"fmt"
	"io"
	"net/netip"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Sending is a letter that somebody writes on a page of ours.
type Sending struct {
	By  identity.Principal
	Box mailbox.Box
	// Keys is the opened space of the box, for the copy that is kept.
	Keys *seal.Keyring
	To   []identity.Address
	// Letter is read to its end: a whole letter (RFC 5322) with CRLF line ends,
	// whose From is the box.
	Letter io.Reader
	// Conn and Remote name the connection in traces.
	Conn   string
	Remote netip.Addr
	// Also is written in the same transaction, with the letter's id; it may run more
	// than once. Nil for nothing.
	Also func(tx *store.Tx, letter string) error
}

// keepsake is the sender's own copy of a letter, and what is written with it.
type keepsake struct {
	keys   *seal.Keyring
	box    mailbox.Box
	folder mailbox.FolderID
	also   func(tx *store.Tx, letter string) error
}

// Send submits a letter under the rules of submission, keeps a copy in the Sent
// folder in the same transaction, and returns the letter's id in outcome and audit.
// It fails as Visit's methods do, and when the copy finds no room.
func (o *Office) Send(ctx context.Context, s Sending) (string, error) {
	v := &outbound{
		visitor: visitor{office: o, by: s.By, hello: string(o.opts.Host), caller: Caller{
			Conn: s.Conn, Remote: netip.AddrPortFrom(s.Remote, 0), Local: string(o.opts.Host),
		}},
		sender: &Sender{By: s.By, Box: s.Box},
	}
	defer v.Close()
	keep := &keepsake{keys: s.Keys, box: s.Box, also: s.Also}
	err := o.DB.Read(ctx, func(tx *store.Tx) error {
		sent, err := mailbox.FolderByRole(tx, s.Box.ID, mailbox.Sent)
		keep.folder = sent.ID
		return err
	})
	if err != nil {
		return "", fmt.Errorf("sent folder of box %s: %w", s.Box.ID, err)
	}
	if err := v.Mail(ctx, s.Box.Address, MailOptions{}); err != nil {
		return "", err
	}
	for _, to := range s.To {
		if err := v.Rcpt(ctx, to, RcptOptions{}); err != nil {
			return "", err
		}
	}
	id, err := v.submit(ctx, s.Letter, "HTTPS", keep)
	return id, v.refuse(err)
}

// sealCopy makes the row of the sender's copy: the letter as it was written, under
// the key of the open space.
func (d *dispatch) sealCopy() error {
	keep := d.origin.keep
	if keep == nil {
		return nil
	}
	id := mailbox.MessageID(identity.NewID())
	key, err := keep.keys.Rewrap(d.in.key, string(id))
	if err != nil {
		return err
	}
	record, err := mailbox.SealSummary(d.in.key, id, d.in.summary(d.origin.added.fields))
	if err != nil {
		return err
	}
	d.copy = &mailbox.Delivery{
		ID: id, Box: keep.box.ID, Folder: keep.folder, Body: d.in.id,
		Size: int64(len(d.origin.added.fields)) + d.in.size(), Key: key, KeyForm: mailbox.UnderSpace,
		Record: record, Flags: mailbox.FlagSeen, Internal: d.at, Outcome: string(outcome.Accepted),
	}
	return nil
}

// also is what is written with the letter, nil for nothing.
func (d *dispatch) also() func(tx *store.Tx, letter string) error {
	if d.origin.keep == nil {
		return nil
	}
	return d.origin.keep.also
}
