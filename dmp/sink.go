package dmp

import (
	"bytes"
	"context"

	"github.com/vaguemestre/vaguemestre/blob"
)

// sink keeps sealed octets in memory while they are few and moves to a blob when
// they are not.
type sink struct {
	ctx    context.Context // of the one call that fills the sink
	blobs  blob.Store
	key    blob.Key
	inline int
	small  bytes.Buffer
	large  blob.Writer
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	if s.large == nil && s.small.Len()+len(p) <= s.inline {
		return s.small.Write(p)
	}
	if s.large == nil {
		w, err := s.blobs.Create(s.ctx, s.key)
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

// kept returns the octets, or the key of the blob that has them.
func (s *sink) kept() ([]byte, blob.Key) {
	if s.large != nil {
		return nil, s.key
	}
	return s.small.Bytes(), ""
}

// commit makes a blob durable; few octets become durable with their row.
func (s *sink) commit(ctx context.Context) error {
	if s.large == nil {
		return nil
	}
	return s.large.Commit(ctx)
}

// abort removes a blob that was not committed.
func (s *sink) abort() {
	if s.large != nil {
		s.large.Abort()
	}
}
