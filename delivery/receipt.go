package delivery

import (
	"context"
	"io"

	"github.com/vaguemestre/vaguemestre/letter"
)

// PrepareMDN composes and seals a disposition notification (RFC 8098), durable but
// for its rows, which Place writes. Reporter and Date are filled in. It returns nil
// when the address that asked has no box that takes it.
func (o *Office) PrepareMDN(ctx context.Context, m letter.MDN) (*PreparedReport, error) {
	m.Reporter, m.Date = string(o.opts.Host), o.opts.Clock()
	d, err := o.notify(ctx, m.To, func(w io.Writer) error {
		_, err := m.WriteTo(w)
		return err
	})
	if err != nil || d == nil {
		return nil, err
	}
	return &PreparedReport{d}, nil
}

// Discard removes what a prepared report has made durable, for a caller whose
// transaction did not happen. Nil discards nothing.
func (p *PreparedReport) Discard(ctx context.Context) {
	if p != nil {
		p.d.in.remove(ctx)
	}
}
