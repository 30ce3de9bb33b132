package delivery

import (
	"bytes"
	"context"
	"io"

	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// plain reads a sealed body from its beginning.
type plain struct {
	*io.SectionReader
	body   *seal.BodyReader
	source io.Closer
}

// Close wipes what was decrypted.
func (p *plain) Close() error {
	err := p.body.Close()
	if p.source != nil {
		if cerr := p.source.Close(); err == nil {
			err = cerr
		}
	}
	return err
}

func newPlain(sealed io.ReaderAt, source io.Closer, b mailbox.Body, key seal.SessionKey) (*plain, error) {
	body, err := seal.NewBodyReader(sealed, b.Sealed, b.Plain, key, string(b.ID))
	if err != nil {
		return nil, err
	}
	return &plain{io.NewSectionReader(body, 0, b.Plain), body, source}, nil
}

// open reads the letter back while it is still being dispatched.
func (in *intake) open(ctx context.Context) (*plain, error) {
	b := in.body(0)
	if b.Blob == "" {
		return newPlain(bytes.NewReader(b.Inline), nil, b, in.key)
	}
	r, err := in.sink.Open(ctx)
	if err != nil {
		return nil, err
	}
	return newPlain(r, r, b, in.key)
}

// Original opens a stored body with its session key, for a worker or a reader.
// The caller closes it.
func (o *Office) Original(ctx context.Context, id mailbox.BodyID, key seal.SessionKey) (io.ReadCloser, error) {
	var b mailbox.Body
	err := o.DB.Read(ctx, func(tx *store.Tx) (err error) {
		b, err = mailbox.OpenBody(tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	if b.Blob == "" {
		return newPlain(bytes.NewReader(b.Inline), nil, b, key)
	}
	r, err := o.Blobs.Open(ctx, b.Blob)
	if err != nil {
		return nil, err
	}
	return newPlain(r, r, b, key)
}

// summary is what the row of one recipient seals beside the body.
func (in *intake) summary(head []byte) mailbox.Summary {
	return mailbox.Summary{Head: head, Structure: in.structure, Preview: in.walker.Preview()}
}
