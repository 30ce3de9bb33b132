package relay

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/emersion/go-smtp"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// settle decides what each recipient's result means; it is written in the
// transaction that completes the job, or lets it wait for the others.
func (r *Relay) settle(ctx context.Context, job queue.Job, p *delivery.Parcel, results []result) queue.Result {
	var taken, refused []result
	var waiting []delivery.ParcelRecipient
	reason := ""
	for _, res := range results {
		switch {
		case res.err == nil:
			taken = append(taken, res)
		case final(res.err):
			refused = append(refused, res)
		default:
			waiting = append(waiting, res.to)
			reason = fault.Reason(res.err)
		}
	}
	if len(taken)+len(refused) == 0 {
		return queue.Retry(reason)
	}
	report, err := r.report(ctx, p, refused)
	if err != nil {
		r.Log.Error("relay.report.failed", "component", "relay", "job", string(job.ID), "error", err)
		return queue.Retry("report-failed")
	}
	entries, err := r.entries(p, taken, refused)
	if err != nil {
		return queue.Retry("outcome-unsealed")
	}
	effect := func(tx *store.Tx) error {
		if err := outcome.Add(tx, entries...); err != nil {
			return err
		}
		if err := audit.Append(tx, leaf(p, taken, refused)); err != nil {
			return err
		}
		return report.Place(tx)
	}
	if len(waiting) > 0 {
		return r.wait(job, p, waiting, reason, effect)
	}
	return queue.Done(func(tx *store.Tx) error {
		if err := effect(tx); err != nil {
			return err
		}
		return mailbox.DropBody(tx, p.Body, 1)
	})
}

// wait keeps the job for the recipients that are still to be served.
func (r *Relay) wait(job queue.Job, p *delivery.Parcel, to []delivery.ParcelRecipient, reason string, effect queue.Effect) queue.Result {
	rest := *p
	rest.To = to
	payload, err := r.Office.SealParcel(job.ID, &rest)
	if err != nil {
		return queue.Retry("parcel-unsealed")
	}
	return queue.Retry(reason).Keep(payload).With(effect)
}

// final reports whether trying again is of no use.
func final(err error) bool {
	return fault.Is(err, fault.Denied) || fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound) || expired(err)
}

// expired reports whether the letter was tried for as long as letters are.
func expired(err error) bool { return fault.Reason(err) == "letter-expired" }

// entries seals one outcome fact per recipient that was dealt with.
func (r *Relay) entries(p *delivery.Parcel, taken, refused []result) ([]outcome.Entry, error) {
	if p.Box == "" { // a report of ours has no outcome
		return nil, nil
	}
	book, now := outcome.NewBook(r.Works), r.opts.Clock()
	var entries []outcome.Entry
	add := func(res result, f outcome.Fact) error {
		f.At = now
		e, err := book.Enter(outcome.LetterID(p.Letter), res.to.Number, f)
		entries = append(entries, e)
		return err
	}
	for _, res := range taken {
		if err := add(res, outcome.Fact{What: outcome.Relayed, Evidence: outcome.Evidence{Source: "smtp"}}); err != nil {
			return nil, err
		}
	}
	for _, res := range refused {
		f := outcome.Fact{What: outcome.Refused, Code: status(res.err), Evidence: outcome.Evidence{Source: "smtp", Text: diagnostic(res.err)}}
		if expired(res.err) {
			f = outcome.Fact{What: outcome.Expired, Evidence: outcome.Evidence{Source: "self", Text: fault.Reason(res.err)}}
		}
		if err := add(res, f); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// leaf is the audit leaf of one try that ended something.
func leaf(p *delivery.Parcel, taken, refused []result) audit.Leaf {
	l := audit.Leaf{Role: "operator", Act: "letter.relay", Object: "letter:" + p.Letter, Result: audit.Done}
	if len(taken) == 0 {
		l.Result, l.Reason = audit.Failed, fault.Reason(refused[0].err)
	}
	return l
}

// report prepares the DSN about refused recipients, nil if there is none to send.
func (r *Relay) report(ctx context.Context, p *delivery.Parcel, refused []result) (*delivery.Placed, error) {
	from := p.Sender()
	if from.IsZero() || len(refused) == 0 { // never a report to a report
		return nil, nil
	}
	var about []letter.Recipient
	for _, res := range refused {
		if len(res.to.Notify) > 0 && !slices.Contains(res.to.Notify, "FAILURE") {
			continue
		}
		to, err := identity.ParseAddress(res.to.Address)
		if err != nil {
			return nil, err
		}
		about = append(about, letter.Recipient{
			Final: to, OriginalType: res.to.OriginalType, Original: res.to.Original,
			Action: letter.Failed, Status: status(res.err), Diagnostic: diagnostic(res.err),
		})
	}
	if len(about) == 0 {
		return nil, nil
	}
	original, err := r.original(ctx, p)
	if err != nil {
		return nil, err
	}
	defer original.Close()
	return r.Office.PrepareReport(ctx, delivery.Report{
		To: from, Arrival: p.Arrival, EnvelopeID: p.EnvelopeID, Full: p.Ret == "FULL",
		Recipients: about, Original: original,
	})
}

// original opens the letter for the third part of a report.
func (r *Relay) original(ctx context.Context, p *delivery.Parcel) (io.ReadCloser, error) {
	key, err := r.sessionKey(ctx, p)
	if err != nil {
		return nil, err
	}
	body, err := r.Office.Original(ctx, p.Body, key)
	if err != nil {
		key.Zero()
		return nil, err
	}
	return &keyed{body, key}, nil
}

// keyed ends the session key with the reader that needs it.
type keyed struct {
	io.ReadCloser
	key seal.SessionKey
}

// Close implements io.Closer.
func (k *keyed) Close() error {
	defer k.key.Zero()
	return k.ReadCloser.Close()
}

// status is the enhanced status code of a failure (RFC 3463): the next hop's own
// where it gave one.
func status(err error) string {
	if reply, ok := errors.AsType[*smtp.SMTPError](err); ok {
		if c := reply.EnhancedCode; c[0] == 5 || c[0] == 4 {
			return strconv.Itoa(c[0]) + "." + strconv.Itoa(c[1]) + "." + strconv.Itoa(c[2])
		}
		return strconv.Itoa(reply.Code/100) + ".0.0"
	}
	switch fault.Reason(err) {
	case "recipient-outside-trust-space":
		return "5.7.1"
	case "route-none":
		return "5.1.10"
	}
	return "4.4.7" // delivery time expired
}

// diagnostic is what the report says of the cause: the next hop's reply, else our
// reason id.
func diagnostic(err error) string {
	if reply, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return strconv.Itoa(reply.Code) + " " + reply.Message
	}
	return fault.Reason(err)
}
