package dmp

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
)

// Purposes of the sealed records, and of the keyed hashes.
const (
	purposeDocument = "document"
	purposeOrigin   = "document-origin"
	macName         = "dmp-name"
	macDigest       = "dmp-digest"
	macAuthor       = "dmp-author"
	macOrigin       = "dmp-origin"
	macShelf        = "dmp-shelf"
)

// DefaultInline is the largest sealed body that is kept in its row, in octets: what
// was measured for letters (delivery.DefaultInline).
const DefaultInline = 128 << 10

// Vault is what filing needs of a patient's space: no private key.
type Vault struct {
	Space SpaceID
	// Key is the public half of the vault pair.
	Key *seal.PublicKey
	// Works makes the keyed hashes.
	Works *seal.Works
	Blobs blob.Store
	// Inline is the largest sealed body that is kept in its row, in octets; zero is
	// DefaultInline, below zero all bodies are blobs.
	Inline int
}

// Sealed is a document ready for [File]: all reading, hashing and sealing is behind
// it. A large body is a blob already, which [Settle] deletes when no row came to
// refer to it.
type Sealed struct {
	id      DocumentID
	space   SpaceID
	wrapped []byte
	record  []byte

	plain, size int64
	inline      []byte
	blob        blob.Key
	blobs       blob.Store

	shelf, unique, entry, digest []byte
	authors                      authors
	replaces                     []name
	origin, originRecord         []byte
}

// ID names the document if it turns out to be new.
func (s *Sealed) ID() DocumentID { return s.id }

// Seal reads a document to its end and seals it under a fresh session key, which is
// wrapped to the vault key. It computes size and digests, and fills Class and
// Category where they are empty; see [Document].
//
// An error of the reader comes back wrapped, and nothing is left of the document.
// Faults: Invalid "document-id-missing", "document-id-too-long", "document-empty",
// "document-replaces-too-many", "document-metadata-too-large"; NotFound "vault-missing"
// for a nil key: a professional's space has no vault; those of the blob store.
func (v Vault) Seal(ctx context.Context, d Document, o Origin, body io.Reader) (*Sealed, error) {
	if v.Key == nil {
		return nil, fault.New(fault.NotFound, "vault-missing")
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	d, err := d.prepared()
	if err != nil {
		return nil, err
	}
	s := &Sealed{id: DocumentID(identity.NewID()), space: v.Space, blobs: v.Blobs}
	key := seal.NewSessionKey()
	defer key.Zero()
	to := blob.NewSink(ctx, v.Blobs, blob.Key(s.id), cmp.Or(v.Inline, DefaultInline))
	defer to.Abort()
	if err := s.take(ctx, key, to, body, &d); err != nil {
		return nil, err
	}
	if err := s.records(key, v, d, o); err != nil {
		return nil, err
	}
	v.routes(s, d, o)
	if err := to.Commit(ctx); err != nil {
		return nil, fmt.Errorf("keep document %s: %w", s.id, err)
	}
	return s, nil
}

// copySize is how much of a document is in clear at a time, beside the segment that
// is being sealed.
const copySize = 32 << 10

// take streams the octets through the digests and the seal.
func (s *Sealed) take(ctx context.Context, key seal.SessionKey, to *blob.Sink, body io.Reader, d *Document) error {
	w := seal.NewBodyWriter(to, key, string(s.id))
	defer w.Abort()
	short, long := sha1.New(), sha256.New()
	buf := make([]byte, copySize)
	defer clear(buf)
	for {
		n, err := body.Read(buf)
		short.Write(buf[:n])
		long.Write(buf[:n])
		if _, err := w.Write(buf[:n]); err != nil {
			return fmt.Errorf("seal document %s: %w", s.id, err)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read document %s: %w", s.id, err)
		}
		if ctx.Err() != nil {
			return fault.Wrap(fault.Transient, "document-abandoned", ctx.Err())
		}
	}
	if w.Plain() == 0 {
		return fault.New(fault.Invalid, "document-empty")
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("seal document %s: %w", s.id, err)
	}
	s.plain, s.size = w.Plain(), w.Sealed()
	s.inline, s.blob = to.Kept()
	d.Size = s.plain
	d.SHA1, d.SHA256 = hex.EncodeToString(short.Sum(nil)), hex.EncodeToString(long.Sum(nil))
	return nil
}

// records seals the metadata and the origin, and wraps the key.
func (s *Sealed) records(key seal.SessionKey, v Vault, d Document, o Origin) error {
	plain, err := json.Marshal(d)
	if err != nil {
		return fault.New(fault.Internal, "document-record") // the cause may quote the content
	}
	if len(plain) > maxRecord {
		return fault.New(fault.Invalid, "document-metadata-too-large")
	}
	if s.record, err = key.SealRecord(purposeDocument, string(s.id), plain); err != nil {
		return fmt.Errorf("seal document %s: %w", s.id, err)
	}
	if plain, err = json.Marshal(originRecord{o.Kind, o.Letter, o.From}); err != nil {
		return fault.New(fault.Internal, "document-record")
	}
	if s.originRecord, err = key.SealRecord(purposeOrigin, string(s.id), plain); err != nil {
		return fmt.Errorf("seal the origin of document %s: %w", s.id, err)
	}
	if s.wrapped, err = v.Key.Wrap(key, string(s.id)); err != nil {
		return fmt.Errorf("wrap the key of document %s: %w", s.id, err)
	}
	return nil
}

// routes makes the keyed hashes by which the row will be found.
func (v Vault) routes(s *Sealed, d Document, o Origin) {
	s.unique = v.nameOf(d.UniqueID).mac
	if n := v.nameOf(d.EntryUUID); n.uuid && !bytes.Equal(n.mac, s.unique) {
		s.entry = n.mac
	}
	s.digest = v.mac(macDigest, d.SHA256)
	s.shelf = shelfOf(v.Works, v.Space, d.Category)
	s.authors = v.authorsOf(d, o)
	s.origin = v.mac(macOrigin, string(o.Kind), o.name())
	for _, id := range d.Replaces {
		if n := v.nameOf(id); !bytes.Equal(n.mac, s.unique) && !bytes.Equal(n.mac, s.entry) {
			s.replaces = append(s.replaces, n)
		}
	}
}

// name is the keyed hash of a uniqueId or entryUUID. Only a UUID can be the latter.
type name struct {
	mac  []byte
	uuid bool
}

// nameOf hashes an identifier in the one form that is compared.
func (v Vault) nameOf(id string) name {
	if uuid, ok := cleanUUID(id); ok {
		return name{v.mac(macName, uuid), true}
	}
	return name{v.mac(macName, cleanID(id)), false}
}

// macSize is enough that no two values of a space meet, in octets.
const macSize = 16

// mac is a keyed hash of a value of this space.
func (v Vault) mac(purpose string, values ...string) []byte {
	data := [][]byte{[]byte(v.Space)}
	for _, value := range values {
		data = append(data, []byte(value))
	}
	return v.Works.MAC(purpose, data...)[:macSize]
}

// shelfOf is the keyed hash of a category: a stranger with the rows learns how many
// documents lie together, not of what kind they are.
func shelfOf(w *seal.Works, space SpaceID, c Category) []byte {
	return w.MAC(macShelf, []byte(space), []byte(c))[:macSize]
}

// Discard deletes the body of a document that no row refers to.
func (s *Sealed) Discard(ctx context.Context) error {
	if s.blob == "" {
		return nil
	}
	return s.blobs.Delete(context.WithoutCancel(ctx), s.blob)
}

// Settle deletes the bodies that a lot brought and File did not need: those of
// repetitions. Results are those of the run that was committed; nil when it is known
// that none was. When it is not known (fault.Transient "store-commit-unknown"),
// nothing may be settled: what is left is found through [Unknown].
func Settle(ctx context.Context, lot []*Sealed, results []Result) error {
	var errs []error
	for i, s := range lot {
		if i >= len(results) || !results[i].New {
			errs = append(errs, s.Discard(ctx))
		}
	}
	return errors.Join(errs...)
}
