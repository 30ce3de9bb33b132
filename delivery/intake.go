package delivery

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
)

// intake is a letter on its way in: walked, hashed and sealed as it streams by.
type intake struct {
	id        mailbox.BodyID
	key       seal.SessionKey
	walker    *letter.Walker
	structure *letter.Structure
	digest    hash.Hash
	sealed    *seal.BodyWriter
	sink      *blob.Sink
}

// copySize is how much of a letter is in clear at a time, beside the segment that
// is being sealed.
const copySize = 32 << 10

// copyBuffers are shared by all offices of a process.
var copyBuffers = sync.Pool{New: func() any { b := make([]byte, copySize); return &b }} //nolint:gochecknoglobals // a pool of scratch memory, no state

// brokenOff is an error of the reader that a letter came from: the door knows what
// it means and what to say, and has noted it if it was a refusal.
type brokenOff struct{ error }

// Unwrap returns the reader's error.
func (b brokenOff) Unwrap() error { return b.error }

// takeIn reads a letter to its end. On an error nothing of it is left; one of r
// itself comes back as brokenOff. A letter over the limits is read to its end (so
// that the door can answer) and then refused by reason id.
func (o *Office) takeIn(ctx context.Context, r io.Reader) (*intake, error) {
	in := &intake{
		id:     mailbox.BodyID(identity.NewID()),
		key:    seal.NewSessionKey(),
		walker: letter.NewWalker(o.opts.Limits),
		digest: sha256.New(),
	}
	in.sink = blob.NewSink(ctx, o.Blobs, blob.Key(in.id), o.opts.Inline)
	in.sealed = seal.NewBodyWriter(in.sink, in.key, string(in.id))
	if err := in.read(r, o.opts.MaxSize); err != nil {
		in.drop()
		return nil, err
	}
	return in, nil
}

// read streams r through the walker, the digest and the seal.
func (in *intake) read(r io.Reader, max int64) error {
	buf := copyBuffers.Get().(*[]byte)
	defer func() {
		clear(*buf)
		copyBuffers.Put(buf)
	}()
	var size int64
	for {
		n, err := r.Read(*buf)
		if size += int64(n); size <= max && n > 0 {
			part := (*buf)[:n]
			_, _ = in.walker.Write(part) // never fails: it tells at Close
			in.digest.Write(part)
			if _, werr := in.sealed.Write(part); werr != nil {
				return fmt.Errorf("seal a letter: %w", werr)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return brokenOff{err}
		}
	}
	if size > max {
		return fault.New(fault.Invalid, "letter-too-large")
	}
	var err error
	if in.structure, err = in.walker.Close(); err != nil {
		return err
	}
	if err := in.sealed.Close(); err != nil {
		return fmt.Errorf("seal a letter: %w", err)
	}
	return nil
}

// size returns the octets received.
func (in *intake) size() int64 { return in.structure.Size }

// store makes the sealed bytes durable when they are a blob; an inline body
// becomes durable with its row.
func (in *intake) store(ctx context.Context) error { return in.sink.Commit(ctx) }

// remove deletes what store made durable, for a caller who knows that no row
// refers to it. If that fails, the rounds find it as a stray.
func (in *intake) remove(ctx context.Context) { in.sink.Remove(ctx) }

// body is the row of the sealed bytes.
func (in *intake) body(refs int64) mailbox.Body {
	b := mailbox.Body{ID: in.id, Plain: in.size(), Sealed: in.sealed.Sealed(), Refs: refs}
	b.Inline, b.Blob = in.sink.Kept()
	return b
}

// drop forgets the letter: its key and what was written of it.
func (in *intake) drop() {
	in.sealed.Abort()
	in.sink.Abort()
	in.key.Zero()
}
