package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// Report is what a sender is told of the recipients of a letter (RFC 3464).
type Report struct {
	To      identity.Address
	Arrival time.Time
	// EnvelopeID and MessageID are the letter's, empty if it has none.
	EnvelopeID, MessageID string
	// Full sends the whole letter back, else its header only (RFC 3461 4.3).
	Full       bool
	Recipients []letter.Recipient
	// Original opens the letter from its first octet; nil leaves the third part out.
	Original func() (io.ReadCloser, error)
}

// wantsFailure reports whether a NOTIFY parameter asks for reports of failure, as
// its absence does (RFC 3461 4.1).
func wantsFailure(notify []string) bool {
	return len(notify) == 0 || slices.Contains(notify, "FAILURE")
}

// PreparedReport is a report that a caller writes in a transaction of its own.
type PreparedReport struct{ d *dispatch }

// Place writes it; it may run more than once. Nil places nothing. If the sender's
// box has stopped taking letters, there is nobody to tell, and that fails nothing.
func (p *PreparedReport) Place(tx *store.Tx) error {
	if p == nil {
		return nil
	}
	err := place(tx, p.d)
	lost, ok := errors.AsType[*unserved](err)
	if !ok {
		return err
	}
	p.d.office.undeliverable(lost.failed[0].err)
	return mailbox.Discard(tx, p.d.in.body(0).Blob)
}

// PrepareReport composes and seals a report, durable but for its rows, which
// Place writes. It returns nil when the sender has no box that takes it: there is
// nobody to tell, and outcome and audit log tell what happened.
func (o *Office) PrepareReport(ctx context.Context, r Report) (*PreparedReport, error) {
	d, err := o.report(ctx, r)
	if err != nil || d == nil {
		return nil, err
	}
	return &PreparedReport{d}, nil
}

// undeliverable notes a report that nobody gets.
func (o *Office) undeliverable(err error) {
	o.Log.Warn("report.undeliverable", "component", "delivery", "reason", fault.Reason(err))
}

// report makes a DSN from our postmaster with the null sender, stored and ready to
// be placed; nil when there is nobody to tell.
func (o *Office) report(ctx context.Context, r Report) (*dispatch, error) {
	d, err := o.notify(ctx, r.To, func(w io.Writer) error { return o.writeReport(w, r) })
	if r.Full && fault.Is(err, fault.Invalid) {
		// With the letter in it, it is too large or too deep for our own limits.
		r.Full = false
		return o.notify(ctx, r.To, func(w io.Writer) error { return o.writeReport(w, r) })
	}
	return d, err
}

// notify makes a letter of ours with the null sender, stored and ready to be
// placed; nil when there is nobody to tell.
func (o *Office) notify(ctx context.Context, address identity.Address, write func(io.Writer) error) (*dispatch, error) {
	to := recipient{address: address, opts: RcptOptions{Notify: []string{"NEVER"}}}
	if o.Hosts(address.Domain()) {
		box, err := o.find(ctx, address)
		switch {
		case fault.Is(err, fault.NotFound):
			o.undeliverable(err)
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("find a sender's box: %w", err)
		}
		to.box = &box
	}
	in, err := o.compose(ctx, write)
	if err != nil {
		return nil, fmt.Errorf("compose a report: %w", err)
	}
	defer in.drop() // the key; what is stored stays
	d, err := o.prepare(ctx, in, envelope{to: []recipient{to}}, origin{
		by:  identity.Principal{Role: "operator"},
		act: "letter.report",
		hop: letter.Hop{Hello: string(o.opts.Host), By: string(o.opts.Host), Protocol: "LOCAL"},
	})
	if err != nil {
		return nil, err
	}
	for _, s := range d.local {
		if err := s.recipient.box.Takes(s.delivery.Size); err != nil {
			o.undeliverable(err)
			return nil, nil
		}
	}
	if err := in.store(ctx); err != nil {
		return nil, fault.Wrap(fault.Transient, "blob-unavailable", err)
	}
	return d, nil
}

// writeReport writes a DSN.
func (o *Office) writeReport(w io.Writer, r Report) error {
	dsn := letter.DSN{
		From: o.Postmaster(), To: r.To, Reporter: string(o.opts.Host), Date: o.opts.Clock(), Arrival: r.Arrival,
		EnvelopeID: r.EnvelopeID, OriginalID: r.MessageID, Recipients: r.Recipients, Full: r.Full,
	}
	if r.Original != nil {
		original, err := r.Original()
		if err != nil {
			return fmt.Errorf("open the letter: %w", err)
		}
		defer original.Close()
		dsn.Original = original
	}
	_, err := dsn.WriteTo(w)
	return err
}

// compose takes in what is written, like any letter.
func (o *Office) compose(ctx context.Context, write func(io.Writer) error) (*intake, error) {
	pr, pw := io.Pipe()
	written := make(chan struct{})
	go func() {
		defer close(written)
		_ = pw.CloseWithError(write(pw)) // never fails
	}()
	in, err := o.takeIn(ctx, pr)
	_ = pr.CloseWithError(err) // never fails; ends the writer if takeIn gave up
	<-written
	return in, err
}
