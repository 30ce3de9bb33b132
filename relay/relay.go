package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/trust"
)

// Parts are the things a relay works with; all are required.
type Parts struct {
	DB       *store.DB
	Office   *delivery.Office
	Platform seal.Platform
	Works    *seal.Works
	Checker  *certs.Checker
	// Certificate returns our own operator certificate.
	Certificate func() tls.Certificate
	// Trust returns the whitelist in force, nil if there is none.
	Trust func() *trust.Space
	Log   *slog.Logger
}

// Options adjusts a relay.
type Options struct {
	// Host is our name in EHLO and in reports.
	Host identity.Domain
	// Route finds next hops; required.
	Route Route
	// Clock is the time; nil is time.Now.
	Clock func() time.Time
}

// Relay carries parcels, safe for concurrent use.
type Relay struct {
	Parts
	opts Options
	book *outcome.Book
}

// New returns a relay.
func New(p Parts, o Options) *Relay {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Relay{p, o, outcome.NewBook(p.Works)}
}

// Bounds of one node's relay.
const (
	concurrency = 16
	perDomain   = 4
	jobLimit    = dialTimeout + 2*commandTimeout + finalTimeout
	// settleLimit is for what follows a dialogue: also when the node stops, what
	// the next hop said must not be forgotten.
	settleLimit = 30 * time.Second
)

// Jobs is how a queue worker runs relay jobs.
func (r *Relay) Jobs() queue.Kind {
	return queue.Kind{Handle: r.carry, Expire: r.giveUp, Concurrency: concurrency, PerGroup: perDomain, Limit: jobLimit}
}

// result is what became of one recipient in this try.
type result struct {
	to   delivery.ParcelRecipient
	host string // of the next hop that answered, empty if none did
	said string // its reply to the letter
	err  error  // nil: taken by the next hop
}

// final reports whether trying again is of no use.
func (r result) final() bool {
	return fault.Is(r.err, fault.Denied) || fault.Is(r.err, fault.Invalid) || r.expired()
}

// expired reports whether the letter was tried for as long as letters are.
func (r result) expired() bool { return fault.Reason(r.err) == "letter-expired" }

// carry tries one job.
func (r *Relay) carry(ctx context.Context, job queue.Job) queue.Result {
	parcel, err := r.open(job)
	if err != nil {
		return queue.Retry(fault.Reason(err))
	}
	results := r.try(ctx, identity.Domain(job.Group), parcel)
	decided := slices.ContainsFunc(results, func(res result) bool { return res.err == nil || res.final() })
	if cause := context.Cause(ctx); cause != nil && !decided {
		if errors.Is(cause, context.DeadlineExceeded) {
			return queue.Retry("hop-too-slow")
		}
		return queue.Retry("node-stopping")
	}
	return r.settle(ctx, job, parcel, results)
}

// giveUp ends a job that was tried for as long as a letter is (spec mssante 6.12).
func (r *Relay) giveUp(ctx context.Context, job queue.Job) queue.Result {
	parcel, err := r.open(job)
	if err != nil {
		// Nobody can be told whose letter it is: an operator has to look.
		return queue.Retry(fault.Reason(err)).With(func(tx *store.Tx) error {
			return queue.Hold(tx, job.ID, fault.Reason(err))
		})
	}
	results := make([]result, len(parcel.To))
	for i, to := range parcel.To {
		results[i] = result{to: to, err: fault.Newf(fault.OverQuota, "letter-expired", "last failure: %s", job.Reason)}
	}
	return r.settle(ctx, job, parcel, results)
}

func (r *Relay) open(job queue.Job) (*delivery.Parcel, error) {
	parcel, err := r.Office.OpenParcel(job)
	if err != nil {
		r.Log.Error("relay.parcel.broken", "component", "relay", "job", string(job.ID), "error", err)
	}
	return parcel, err
}
