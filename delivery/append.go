package delivery

import (
	"context"
	"io"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Append is a letter that its owner puts into a folder: IMAP APPEND.
type Append struct {
	Box      mailbox.BoxID
	Folder   mailbox.FolderID
	Flags    mailbox.Flags
	Internal time.Time // zero: now
	// Keys is the opened space of the box.
	Keys *seal.Keyring
}

// Append stores the letter in r as it is, without trace fields. It fails with
// fault.Invalid "letter-too-large" and the reasons of letter and mailbox.
func (o *Office) Append(ctx context.Context, a Append, r io.Reader) (mailbox.Placed, error) {
	in, err := o.takeIn(ctx, r)
	if err != nil {
		return mailbox.Placed{}, err
	}
	defer in.drop()
	id := mailbox.MessageID(identity.NewID())
	key, err := a.Keys.Rewrap(in.key, string(id))
	if err != nil {
		return mailbox.Placed{}, err
	}
	record, err := mailbox.SealSummary(in.key, id, in.summary(nil))
	if err != nil {
		return mailbox.Placed{}, err
	}
	if err := in.store(ctx); err != nil {
		return mailbox.Placed{}, fault.Wrap(fault.Transient, "blob-unavailable", err)
	}
	d := mailbox.Delivery{
		ID: id, Box: a.Box, Folder: a.Folder, Body: in.id, Size: in.size(), Key: key,
		KeyForm: mailbox.UnderSpace, Record: record, Flags: a.Flags, Internal: a.Internal,
	}
	var placed mailbox.Placed
	err = o.DB.Write(ctx, func(tx *store.Tx) (err error) {
		if placed, err = mailbox.Deliver(tx, d); err != nil {
			return err
		}
		return mailbox.AddBody(tx, in.body(1))
	})
	if err != nil && in.sink.blob != nil {
		_ = o.Blobs.Delete(context.WithoutCancel(ctx), in.sink.key) // the collector finds what stays
	}
	return placed, err
}
