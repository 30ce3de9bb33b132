package delivery

import (
	"context"
	"errors"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/store"
)

// commit makes a dispatch durable. Recipients that fail under lock are left out
// and reported to the sender in the same transaction as the others are served; if
// all fail, the first failure is returned and nothing is kept. A letter that was
// there already for everybody is a success.
func (o *Office) commit(ctx context.Context, d *dispatch) error {
	if err := d.in.store(ctx); err != nil {
		return fault.Wrap(fault.Transient, "blob-unavailable", err)
	}
	kept, err := o.place(ctx, d)
	if !kept && d.in.sink.blob != nil {
		// Nothing refers to the blob; if this fails, the collector finds it.
		_ = o.Blobs.Delete(context.WithoutCancel(ctx), blob.Key(d.in.id))
	}
	return err
}

// place writes the dispatch, with as many tries as recipients drop out.
func (o *Office) place(ctx context.Context, d *dispatch) (kept bool, err error) {
	var failed []failure
	var report *dispatch
	for {
		err := o.DB.Write(ctx, func(tx *store.Tx) error {
			if report != nil {
				if err := report.place(tx); err != nil {
					return err
				}
			}
			return d.place(tx)
		})
		again, ok := errors.AsType[*retry](err)
		if !ok {
			return err == nil, err
		}
		if err := d.without(again.failed); err != nil {
			return false, err
		}
		failed = append(failed, again.failed...)
		if d.empty() {
			return false, firstError(failed)
		}
		if report != nil {
			report.in.drop()
		}
		if report, err = o.failureReport(ctx, d, failed); err != nil {
			return false, err
		}
	}
}

// firstError returns the first real failure; nil if all were repetitions.
func firstError(failed []failure) error {
	for _, f := range failed {
		if f.err != nil {
			return f.err
		}
	}
	return nil
}

// failureReport composes the DSN about local recipients that failed after the
// final dot, nil if there is nobody to tell (RFC 3464; never a report to a report).
func (o *Office) failureReport(ctx context.Context, d *dispatch, failed []failure) (*dispatch, error) {
	if d.env.from.IsZero() {
		return nil, nil
	}
	var about []letter.Recipient
	for _, f := range failed {
		if f.err == nil || neverNotified(f.to.opts.Notify) {
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
	original, err := d.in.open()
	if err != nil {
		return nil, err
	}
	defer original.Close()
	return o.report(ctx, Report{
		To: d.env.from, Arrival: d.at, EnvelopeID: d.env.opts.EnvelopeID,
		Full: d.env.opts.Ret == "FULL", Recipients: about, Original: original,
	})
}

func neverNotified(notify []string) bool {
	if len(notify) == 0 {
		return false
	}
	for _, n := range notify {
		if n == "FAILURE" {
			return false
		}
	}
	return true
}

// statusOf returns the enhanced status code of a refusal at a box (RFC 3463).
func statusOf(err error) string {
	switch fault.Reason(err) {
	case "box-unknown":
		return "5.1.1"
	case "box-full", "letters-limit":
		return "5.2.2"
	case "letter-too-large":
		return "5.3.4"
	}
	return "5.2.1"
}
