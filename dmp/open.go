package dmp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Opener opens documents and accesses of one space with its released keys. It is for
// one goroutine.
type Opener struct {
	keys  *seal.Keyring
	fresh []Rewrapped
}

// NewOpener returns an opener; the keys stay the caller's.
func NewOpener(keys *seal.Keyring) *Opener { return &Opener{keys: keys} }

// Rewrapped is a session key after its first opening, for [Rewrap].
type Rewrapped struct {
	document DocumentID
	keyID    string // the document's id for its own key, else that of an origin
	wrap     []byte
}

// Entry opens a document's metadata and origins. A row that was changed, or is of
// another space or document, is fault.Internal.
func (o *Opener) Entry(r Row) (Entry, error) {
	e, key, err := o.open(r)
	key.Zero()
	return e, err
}

// open opens a row and returns its key, which the caller zeroes.
func (o *Opener) open(r Row) (Entry, seal.SessionKey, error) {
	key, err := o.unwrap(r.ID, r.key)
	if err != nil {
		return Entry{}, key, fmt.Errorf("open document %s: %w", r.ID, err)
	}
	e := Entry{ID: r.ID, State: r.State, At: r.At, ReplacedBy: r.ReplacedBy}
	if err := openJSON(key, purposeDocument, string(r.ID), r.record, &e.Document); err != nil {
		return Entry{}, key, fmt.Errorf("open document %s: %w", r.ID, err)
	}
	for _, row := range r.origins {
		origin, err := o.origin(r.ID, key, row)
		if err != nil {
			return Entry{}, key, fmt.Errorf("open an origin of document %s: %w", r.ID, err)
		}
		e.Origins = append(e.Origins, origin)
	}
	slices.SortStableFunc(e.Origins, func(a, b Origin) int { return a.At.Compare(b.At) })
	return e, key, nil
}

// origin opens where a document came from.
func (o *Opener) origin(id DocumentID, key seal.SessionKey, row originRow) (Origin, error) {
	if len(row.key.wrap) > 0 {
		own, err := o.unwrap(id, row.key)
		if err != nil {
			return Origin{}, err
		}
		defer own.Zero()
		key = own
	}
	var rec originRecord
	if err := openJSON(key, purposeOrigin, row.key.id, row.record, &rec); err != nil {
		return Origin{}, err
	}
	return Origin{Kind: rec.Kind, Letter: rec.Letter, From: rec.From, At: row.at}, nil
}

// unwrap opens a session key; one that is met for the first time is noted in its
// fast form.
func (o *Opener) unwrap(document DocumentID, k wrappedKey) (seal.SessionKey, error) {
	switch k.form {
	case toVault:
	case underSpace:
		return o.keys.UnwrapFast(k.wrap, k.id)
	default:
		return seal.SessionKey{}, fault.New(fault.Internal, "key-form-unknown")
	}
	key, err := o.keys.UnwrapVault(k.wrap, k.id)
	if err != nil {
		return key, err
	}
	wrap, err := o.keys.Rewrap(key, k.id)
	if err != nil {
		key.Zero()
		return key, err
	}
	o.fresh = append(o.fresh, Rewrapped{document, k.id, wrap})
	return key, nil
}

// openJSON opens a record and parses it.
func openJSON(key seal.SessionKey, purpose, id string, sealed []byte, into any) error {
	plain, err := key.OpenRecord(purpose, id, sealed)
	if err != nil {
		return err
	}
	defer clear(plain)
	if err := json.Unmarshal(plain, into); err != nil {
		return fault.New(fault.Internal, "record-broken") // the cause may quote the content
	}
	return nil
}

// Fresh returns the keys that were met for the first time since the last call, for
// [Rewrap]: they spare the next opening the public-key operation.
func (o *Opener) Fresh() []Rewrapped {
	fresh := o.fresh
	o.fresh = nil
	return fresh
}

// Rewrap replaces keys wrapped to the vault key by keys under the space's symmetric
// key. Documents that were erased meanwhile stay so. It takes the vault's lock, so that
// a page of keys and a filing never wait for each other's rows in a circle.
func Rewrap(tx *store.Tx, space SpaceID, keys []Rewrapped) error {
	if len(keys) == 0 {
		return nil
	}
	if err := lock(tx, space); err != nil {
		return err
	}
	for _, k := range keys {
		query, args := `UPDATE vault_document SET key_form = 1, wrapped = $3
			WHERE space_id = $1 AND document_id = $2 AND key_form = 0`, []any{string(space), string(k.document), k.wrap}
		if k.keyID != string(k.document) {
			query, args = `UPDATE vault_origin SET key_form = 1, wrapped = $3
				WHERE space_id = $1 AND document_id = $2 AND key_form = 0 AND key_id = $4`, append(args, k.keyID)
		}
		if _, err := tx.Exec(query, args...); err != nil {
			return fmt.Errorf("rewrap a key of document %s: %w", k.document, err)
		}
	}
	return nil
}

// Body is an opened document: its entry and its octets, of which there are Size.
// ReadAt is not safe for concurrent use.
type Body struct {
	Entry
	io.ReaderAt

	key   seal.SessionKey
	plain *seal.BodyReader
	blob  io.Closer
}

// Body opens a document that [Get] read. The caller closes it. Faults: NotFound
// "blob-missing", and those of Entry.
func (o *Opener) Body(ctx context.Context, blobs blob.Store, r Row) (*Body, error) {
	e, key, err := o.open(r)
	if err != nil {
		key.Zero()
		return nil, err
	}
	b := &Body{Entry: e, key: key}
	var source io.ReaderAt = bytes.NewReader(r.inline)
	if r.blob != "" {
		opened, err := blobs.Open(ctx, r.blob)
		if err != nil {
			key.Zero()
			return nil, fmt.Errorf("open document %s: %w", r.ID, err)
		}
		source, b.blob = opened, opened
	} else if r.inline == nil {
		key.Zero()
		return nil, fault.New(fault.Internal, "document-body-unread")
	}
	if b.plain, err = seal.NewBodyReader(source, r.sealedSize, r.Size, key, string(r.ID)); err != nil {
		_ = b.Close()
		return nil, fmt.Errorf("open document %s: %w", r.ID, err)
	}
	b.ReaderAt = b.plain
	return b, nil
}

// Close wipes what opening left in memory.
func (b *Body) Close() error {
	var err error
	if b.plain != nil {
		err = b.plain.Close()
	}
	if b.blob != nil {
		err = b.blob.Close()
	}
	b.key.Zero()
	return err
}
