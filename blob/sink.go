package blob

import (
	"bytes"
	"context"
)

// Sink keeps octets in memory while they are few, and moves them to a blob when they
// are not: the few belong into the row that would otherwise name the blob.
type Sink struct {
	ctx    context.Context // of the one call that fills the sink
	store  Store
	key    Key
	inline int
	small  bytes.Buffer
	large  Writer
}

// NewSink returns a sink that keeps up to inline octets in memory; none below zero.
// Beyond, they become the blob of that key.
func NewSink(ctx context.Context, s Store, key Key, inline int) *Sink {
	return &Sink{ctx: ctx, store: s, key: key, inline: inline}
}

// Write implements io.Writer.
func (s *Sink) Write(p []byte) (int, error) {
	if s.large == nil && s.small.Len()+len(p) <= s.inline {
		return s.small.Write(p)
	}
	if s.large == nil {
		w, err := s.store.Create(s.ctx, s.key)
		if err != nil {
			return 0, err
		}
		s.large = w
		if _, err := w.Write(s.small.Bytes()); err != nil {
			return 0, err
		}
		s.small = bytes.Buffer{}
	}
	return s.large.Write(p)
}

// Kept returns the octets, or the key of the blob that has them.
func (s *Sink) Kept() (inline []byte, key Key) {
	if s.large != nil {
		return nil, s.key
	}
	return s.small.Bytes(), ""
}

// Commit makes a blob durable; few octets become durable with their row.
func (s *Sink) Commit(ctx context.Context) error {
	if s.large == nil {
		return nil
	}
	return s.large.Commit(ctx)
}

// Abort removes a blob that was not committed.
func (s *Sink) Abort() {
	if s.large != nil {
		s.large.Abort()
	}
}

// Remove deletes a committed blob, for a caller who knows that no row names it. If
// that fails, it is found as a stray.
func (s *Sink) Remove(ctx context.Context) {
	if s.large != nil {
		_ = s.store.Delete(context.WithoutCancel(ctx), s.key)
	}
}

// Open opens a committed blob; there must be one.
func (s *Sink) Open(ctx context.Context) (Reader, error) { return s.store.Open(ctx, s.key) }
