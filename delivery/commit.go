package delivery

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/store"
)

// commit makes a dispatch durable. Recipients that fail under lock are left out
// and reported to the sender in the same transaction as the others are served; if
// all fail, the first failure is returned and nothing is kept. A letter that was
// there already is a success.
func (o *Office) commit(ctx context.Context, d *dispatch) error {
	if err := d.in.store(ctx); err != nil {
		return fault.Wrap(fault.Transient, "blob-unavailable", err)
	}
	var report *dispatch
	for {
		written, err := o.write(ctx, d, report)
		if !written && report != nil {
			report.in.remove(ctx)
		}
		lost, ok := errors.AsType[*unserved](err)
		if !ok {
			if !written || d.empty() {
				d.in.remove(ctx)
			}
			return err
		}
		if report, err = o.leaveOut(ctx, d, lost.failed); err != nil || d.empty() && report == nil {
			d.in.remove(ctx)
			return err
		}
	}
}

// write places a letter and the report about it, which may be nil. After an error
// it says false only if nothing can have been written: when the commit itself
// failed, rows may be there, and what they refer to must stay.
func (o *Office) write(ctx context.Context, d, report *dispatch) (written bool, err error) {
	all := []*dispatch{d}
	if report != nil {
		all = append(all, report)
	}
	placed := false
	err = o.DB.Write(ctx, func(tx *store.Tx) error {
		err := place(tx, all...)
		placed = err == nil
		return err
	})
	return placed, err
}

// leaveOut drops recipients that cannot be served and composes the report about
// all that were. It fails if that leaves nobody who has the letter.
func (o *Office) leaveOut(ctx context.Context, d *dispatch, failed []failure) (*dispatch, error) {
	if err := d.without(failed); err != nil {
		return nil, err
	}
	if d.empty() && !d.repeated() {
		return nil, d.lost[0].err
	}
	if i := slices.IndexFunc(failed, func(f failure) bool { return f.of != d }); i >= 0 {
		// The sender's own box does not take the report: there is nobody to tell.
		o.undeliverable(failed[i].err)
		return nil, nil
	}
	return o.failureReport(ctx, d)
}

// failureReport composes the DSN about local recipients that failed after the
// final dot, nil if there is nobody to tell (RFC 3464; never a report to a report).
func (o *Office) failureReport(ctx context.Context, d *dispatch) (*dispatch, error) {
	if d.env.from.IsZero() {
		return nil, nil
	}
	var about []letter.Recipient
	for _, f := range d.lost {
		if f.err == nil || !wantsFailure(f.to.opts.Notify) {
			continue
		}
		about = append(about, letter.Recipient{
			Final: f.to.address, OriginalType: f.to.opts.OriginalType, Original: f.to.opts.Original,
			Action: letter.Failed, Status: statusOf(f.err), Diagnostic: fault.Reason(f.err),
		})
	}
	if len(about) == 0 {
		return nil, nil
	}
	return o.report(ctx, Report{
		To: d.env.from, Arrival: d.at, EnvelopeID: d.env.opts.EnvelopeID, MessageID: d.messageID(),
		Full: d.env.opts.Ret == "FULL", Recipients: about,
		Original: func() (io.ReadCloser, error) { return d.in.open(ctx) },
	})
}
