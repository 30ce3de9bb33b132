package delivery

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/store"
)

// Report is what a sender is told of the recipients of a letter (RFC 3464).
type Report struct {
	To         identity.Address
	Arrival    time.Time
	EnvelopeID string
	// Full sends the whole letter back, else its header only (RFC 3461 4.3).
	Full       bool
	Recipients []letter.Recipient
	// Original is the letter from its first octet; nil leaves the third part out.
	Original io.Reader
}

// Placed is something prepared that a caller writes in a transaction of its own.
type Placed struct{ d *dispatch }

// Place writes it; it may run more than once. A nil Placed places nothing.
func (p *Placed) Place(tx *store.Tx) error {
	if p == nil {
		return nil
	}
	return p.d.place(tx)
}

// PrepareReport composes and seals a report, durable but for its rows, which
// Place writes. It returns nil when the sender has no box any more: there is
// nobody to tell, and the audit log tells it.
func (o *Office) PrepareReport(ctx context.Context, r Report) (*Placed, error) {
	d, err := o.report(ctx, r)
	if err != nil || d == nil {
		return nil, err
	}
	if err := d.in.store(ctx); err != nil {
		return nil, err
	}
	return &Placed{d}, nil
}

// report composes a DSN from our postmaster with the null sender.
func (o *Office) report(ctx context.Context, r Report) (*dispatch, error) {
	to := recipient{address: r.To, opts: RcptOptions{Notify: []string{"NEVER"}}}
	if o.Hosts(r.To.Domain()) {
		box, err := o.box(ctx, r.To, 0)
		if err != nil {
			o.Log.Warn("report.undeliverable", "component", "delivery", "reason", fault.Reason(err))
			return nil, nil
		}
		to.box = &box
	}
	dsn := letter.DSN{
		From: o.Postmaster(), To: r.To, Reporter: string(o.opts.Host), Date: o.opts.Clock(), Arrival: r.Arrival,
		EnvelopeID: r.EnvelopeID, Recipients: r.Recipients, Original: r.Original, Full: r.Full,
	}
	pr, pw := io.Pipe()
	written := make(chan error, 1)
	go func() {
		_, err := dsn.WriteTo(pw)
		written <- err
		_ = pw.CloseWithError(err) // never fails
	}()
	in, err := o.takeIn(ctx, pr)
	_ = pr.CloseWithError(err) // never fails; ends the writer if takeIn gave up
	if werr := <-written; werr != nil && err == nil {
		err = werr
	}
	if err != nil {
		return nil, fmt.Errorf("compose a report: %w", err)
	}
	return o.prepare(ctx, in, envelope{to: []recipient{to}}, origin{
		by:  identity.Principal{Role: "operator"},
		act: "letter.report",
		hop: letter.Hop{Hello: string(o.opts.Host), By: string(o.opts.Host), Protocol: "LOCAL"},
	})
}
