package relay

import (
	"context"
	"errors"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/store"
)

// settlement is what a try leaves behind: written in the transaction that
// completes the job, or lets it wait for the others.
type settlement struct {
	taken, refused []result
	waiting        []delivery.ParcelRecipient
	reason         string // why they wait
	facts          []outcome.Entry
	report         *delivery.PreparedReport
}

// settle decides what each recipient's result means.
func (r *Relay) settle(ctx context.Context, job queue.Job, p *delivery.Parcel, results []result) queue.Result {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleLimit)
	defer cancel()
	var s settlement
	for _, res := range results {
		switch {
		case res.err == nil:
			s.taken = append(s.taken, res)
		case res.final():
			s.refused = append(s.refused, res)
		default:
			s.waiting = append(s.waiting, res.to)
			s.reason = fault.Reason(res.err)
		}
	}
	if len(s.waiting) > 0 {
		r.Log.Info("relay.waiting", "component", "relay", "job", string(job.ID), "domain", job.Group,
			"recipients", len(s.waiting), "reason", s.reason, "attempt", job.Attempts)
	}
	if len(s.taken)+len(s.refused) == 0 {
		return queue.Retry(s.reason)
	}
	if err := r.complete(ctx, p, &s); err != nil {
		r.Log.Error("relay.settle.failed", "component", "relay", "job", string(job.ID), "error", err)
		return queue.Retry("report-failed")
	}
	effect := func(tx *store.Tx) error { return s.write(tx, p) }
	if len(s.waiting) == 0 {
		return queue.Done(effect)
	}
	rest := *p
	rest.To = s.waiting
	payload, err := r.Office.SealParcel(job.ID, &rest)
	if err != nil {
		return queue.Retry("parcel-unsealed")
	}
	return queue.Retry(s.reason).Keep(payload).With(effect)
}

// complete prepares facts and report, outside of the transaction.
func (r *Relay) complete(ctx context.Context, p *delivery.Parcel, s *settlement) (err error) {
	if p.Box != "" { // a report of ours has no outcome
		for _, res := range append(append([]result{}, s.taken...), s.refused...) {
			entry, err := r.book.Enter(outcome.LetterID(p.Letter), res.to.Number, r.fact(res))
			if err != nil {
				return err
			}
			s.facts = append(s.facts, entry)
		}
	}
	s.report, err = r.report(ctx, p, s.refused)
	return err
}

// fact is what a result says of the letter's outcome.
func (r *Relay) fact(res result) outcome.Fact {
	fact := outcome.Fact{At: r.opts.Clock(), What: outcome.Relayed}
	fact.Evidence = outcome.Evidence{Source: "smtp", Peer: res.host, Text: clip(res.said, maxSaid)}
	switch {
	case res.err == nil:
		return fact
	case res.expired():
		fact.What = outcome.Expired
	default:
		fact.What, fact.Code = outcome.Refused, status(res.err)
	}
	fact.Evidence.Text = diagnostic(res.err)
	return fact
}

// write writes a settlement. Lock order: boxes and folders, then bodies, then the
// rest; the queue's own row comes last.
func (s *settlement) write(tx *store.Tx, p *delivery.Parcel) error {
	if err := s.report.Place(tx); err != nil {
		return err
	}
	if len(s.waiting) == 0 {
		if err := mailbox.DropBody(tx, p.Body, 1); err != nil {
			return err
		}
	}
	// An outcome that was erased meanwhile needs no more facts.
	if err := outcome.Add(tx, s.facts...); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	leaf := audit.Leaf{Role: "operator", Act: "letter.relay", Object: "letter:" + p.Letter}
	var all []error
	if len(s.taken) > 0 {
		leaf.Result = audit.Done
		all = append(all, audit.Append(tx, leaf))
	}
	if len(s.refused) > 0 {
		leaf.Result, leaf.Reason = audit.Failed, fault.Reason(s.refused[0].err)
		all = append(all, audit.Append(tx, leaf))
	}
	return errors.Join(all...)
}
