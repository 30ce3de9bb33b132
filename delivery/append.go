package delivery

import (
	"context"
	"errors"
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
// fault.Invalid "letter-too-large", the reasons of letter and mailbox, or r's own
// error.
func (o *Office) Append(ctx context.Context, a Append, r io.Reader) (mailbox.Placed, error) {
	in, err := o.takeIn(ctx, r)
	if gone, ok := errors.AsType[brokenOff](err); ok {
		return mailbox.Placed{}, gone.error
	}
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
	written := false
	err = o.DB.Write(ctx, func(tx *store.Tx) (err error) {
		written = false
		if placed, err = mailbox.Deliver(tx, d); err != nil {
			return err
		}
		err = mailbox.AddBody(tx, in.body(1))
		written = err == nil
		return err
	})
	if !written {
		in.remove(ctx)
	}
	return placed, err
}
