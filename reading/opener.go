package reading

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Opener opens letters of one folder after another for one reader, batch by batch:
// what an IMAP session needs. It opens summaries and bodies; before octets of bodies
// are handed out, its caller calls Trace. It is not safe for concurrent use.
type Opener struct {
	room   *Room
	reader Reader
	// fresh are keys met for the first time, under the space's own key now: they
	// spare the next opening the public-key operation (DESIGN 4).
	fresh  []mailbox.Rewrapped
	traced memory
}

// Opener returns an opener for one session of a reader.
func (r *Room) Opener(by Reader) *Opener { return &Opener{room: r, reader: by} }

// Sealed is a letter as it was read, with its body's row where that was asked for.
type Sealed struct {
	mailbox.Message
	body *mailbox.Body
}

// Opened is a letter whose summary is readable; its body is opened when needed.
type Opened struct {
	Sealed
	Summary mailbox.Summary
	key     seal.SessionKey
	letter  *mailbox.Letter
	close   []io.Closer
}

// Letter returns the letter with its octets, nil before [Opener.Body].
func (op *Opened) Letter() *mailbox.Letter { return op.letter }

// Open unwraps a letter's key and opens its summary.
func (o *Opener) Open(m Sealed) (*Opened, error) {
	keys := o.reader.Keys
	var key seal.SessionKey
	var err error
	if m.KeyForm == mailbox.UnderSpace {
		key, err = keys.UnwrapFast(m.Key, string(m.ID))
	} else if key, err = keys.Unwrap(m.Key, string(m.Body)); err == nil {
		err = o.rewrap(m.Message, key)
	}
	if err != nil {
		return nil, err
	}
	op := &Opened{Sealed: m, key: key}
	if op.Summary, err = mailbox.OpenSummary(key, m.ID, m.Record); err != nil {
		key.Zero()
		return nil, err
	}
	op.Record, op.Key = nil, nil
	return op, nil
}

// rewrap notes the key in its fast form.
func (o *Opener) rewrap(m mailbox.Message, key seal.SessionKey) error {
	wrapped, err := o.reader.Keys.Rewrap(key, string(m.ID))
	if err == nil {
		o.fresh = append(o.fresh, mailbox.Rewrapped{UID: m.UID, ID: m.ID, Key: wrapped})
	}
	return err
}

// Body opens the octets of a letter, once.
func (o *Opener) Body(ctx context.Context, op *Opened) (*mailbox.Letter, error) {
	if op.letter != nil {
		return op.letter, nil
	}
	b := op.body
	if b == nil {
		err := o.room.DB.Read(ctx, func(tx *store.Tx) (err error) {
			b, err = readBody(tx, op.Body)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	var source io.ReaderAt = bytes.NewReader(b.Inline)
	if b.Blob != "" {
		r, err := o.room.Blobs.Open(ctx, b.Blob)
		if err != nil {
			return nil, err
		}
		op.close = append(op.close, r)
		source = r
	}
	plain, err := seal.NewBodyReader(source, b.Sealed, b.Plain, op.key, string(op.Body))
	if err != nil {
		return nil, err
	}
	op.close = append(op.close, plain)
	op.letter = mailbox.NewLetter(op.Summary, plain)
	return op.letter, nil
}

// Done wipes what opening a letter left in memory.
func (op *Opened) Done() {
	for _, c := range op.close {
		_ = c.Close()
	}
	op.key.Zero()
	op.letter, op.close = nil, nil
}

// batchBytes is how much sealed matter of letters is held at once.
const batchBytes = 1 << 20

// errEnough ends the reading of a batch early.
var errEnough = errors.New("enough for one batch")

// readBody reads a body's row.
func readBody(tx *store.Tx, id mailbox.BodyID) (*mailbox.Body, error) {
	b, err := mailbox.OpenBody(tx, id)
	return &b, err
}

// Fresh returns the keys that were met for the first time since the last call.
func (o *Opener) Fresh() []mailbox.Rewrapped {
	fresh := o.fresh
	o.fresh = nil
	return fresh
}

// Facts reads what rows tell without their keys.
func (o *Opener) Facts(ctx context.Context, folder mailbox.FolderID, set mailbox.Set) ([]mailbox.Facts, error) {
	var all []mailbox.Facts
	err := o.room.DB.Read(ctx, func(tx *store.Tx) error {
		all = all[:0]
		return mailbox.ReadFacts(tx, folder, set, func(f mailbox.Facts) error {
			all = append(all, f)
			return nil
		})
	})
	return all, err
}

// Batch reads letters' rows, in the order of UIDs, until it has enough; the rest
// of the set comes back for the next batch. The network is never written to while
// a transaction is open: a slow client would hold its snapshot.
func (o *Opener) Batch(ctx context.Context, folder mailbox.FolderID, set mailbox.Set, bodies bool) ([]Sealed, mailbox.Set, error) {
	var out []Sealed
	var rest mailbox.Set
	err := o.room.DB.Read(ctx, func(tx *store.Tx) error {
		out, rest = out[:0], nil
		size := 0
		err := mailbox.Messages(tx, folder, set, func(m mailbox.Message) error {
			out = append(out, Sealed{Message: m})
			if size += len(m.Record) + len(m.Key) + 256; size > batchBytes {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			rest, err = after(set, out[len(out)-1].UID), nil
		}
		if err != nil || !bodies {
			return err
		}
		return withBodies(tx, out)
	})
	return out, rest, err
}

// withBodies reads the rows of the bodies too: small ones hold their octets.
func withBodies(tx *store.Tx, rows []Sealed) (err error) {
	size := 0
	for i := range rows {
		if size > batchBytes {
			return nil // the others are read one by one
		}
		if rows[i].body, err = readBody(tx, rows[i].Body); err != nil {
			return err
		}
		size += len(rows[i].body.Inline)
	}
	return nil
}

// after returns the UIDs of a set above u.
func after(set mailbox.Set, u mailbox.UID) mailbox.Set {
	for i, r := range set {
		if r.Hi > u {
			rest := append(mailbox.Set{}, set[i:]...)
			rest[0].Lo = max(rest[0].Lo, u+1)
			return rest
		}
	}
	return nil
}
