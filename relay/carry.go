package relay

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/custody"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
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
}

// New returns a relay.
func New(p Parts, o Options) *Relay {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Relay{p, o}
}

// result is what became of one recipient in this try.
type result struct {
	to  delivery.ParcelRecipient
	err error // nil: taken by the next hop
}

// Jobs is how a queue worker runs relay jobs.
func (r *Relay) Jobs() queue.Kind {
	return queue.Kind{Handle: r.carry, Expire: r.giveUp, Concurrency: concurrency, PerGroup: perDomain, Limit: jobLimit}
}

// Bounds of one node's relay.
const (
	concurrency = 16
	perDomain   = 4
	jobLimit    = dialTimeout + 2*commandTimeout + finalTimeout
)

// carry tries one job.
func (r *Relay) carry(ctx context.Context, job queue.Job) queue.Result {
	parcel, err := r.open(job)
	if err != nil {
		return queue.Retry(fault.Reason(err))
	}
	results := r.try(ctx, identity.Domain(job.Group), parcel)
	if ctx.Err() != nil {
		return queue.Retry("node-stopping")
	}
	return r.settle(ctx, job, parcel, results)
}

// giveUp ends a job that was tried for as long as a letter is (spec mssante 6.12).
func (r *Relay) giveUp(ctx context.Context, job queue.Job) queue.Result {
	parcel, err := r.open(job)
	if err != nil {
		return queue.Retry(fault.Reason(err))
	}
	results := make([]result, len(parcel.To))
	for i, to := range parcel.To {
		results[i] = result{to, fault.New(fault.OverQuota, "letter-expired")}
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

// try speaks with the domain's hosts until one has answered for every recipient.
func (r *Relay) try(ctx context.Context, domain identity.Domain, p *delivery.Parcel) []result {
	all := func(err error) []result {
		results := make([]result, len(p.To))
		for i, to := range p.To {
			results[i] = result{to, err}
		}
		return results
	}
	// The list may have changed since submission: nobody outside, at send either.
	if space := r.Trust(); space == nil {
		return all(fault.New(fault.Transient, "whitelist-unavailable"))
	} else if !space.Contains(domain) {
		return all(fault.New(fault.Denied, "recipient-outside-trust-space"))
	}
	key, err := r.sessionKey(ctx, p)
	if err != nil {
		return all(fault.Wrap(fault.Transient, "transit-key", err))
	}
	defer key.Zero()
	hops, err := r.opts.Route(ctx, domain)
	if err != nil {
		return all(err)
	}
	last := error(fault.New(fault.Transient, "route-unknown"))
	for _, hop := range hops {
		results, err := r.visit(ctx, hop, domain, p, key)
		if err == nil {
			return results
		}
		last = err
		r.Log.Warn("relay.hop.failed", "component", "relay", "domain", string(domain), "reason", fault.Reason(err), "error", err)
		if fault.Is(err, fault.Denied) {
			break
		}
	}
	return all(last)
}

// sessionKey opens the letter's key with the transit key of its day.
func (r *Relay) sessionKey(ctx context.Context, p *delivery.Parcel) (key seal.SessionKey, err error) {
	var transit *seal.TransitKey
	err = r.DB.Read(ctx, func(tx *store.Tx) (err error) {
		transit, err = custody.TransitKey(tx, r.Platform, p.Day)
		return err
	})
	if err != nil {
		return key, fmt.Errorf("transit key of %s: %w", p.Day, err)
	}
	defer transit.Zero()
	return transit.Unwrap(p.Key, string(p.Body))
}

// visit hands a parcel to one host. An error means that nothing can be said of
// any recipient.
func (r *Relay) visit(ctx context.Context, hop Hop, domain identity.Domain, p *delivery.Parcel, key seal.SessionKey) ([]result, error) {
	client, err := r.dial(ctx, hop, domain)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	stop := context.AfterFunc(ctx, func() { client.Close() })
	defer stop()
	if err := client.Mail(p.From, mailOptions(client, p)); err != nil {
		return nil, replyFault(err)
	}
	results := make([]result, len(p.To))
	taken := 0
	for i, to := range p.To {
		results[i] = result{to, replyFault(client.Rcpt(to.Address, rcptOptions(client, to)))}
		if results[i].err == nil {
			taken++
		}
	}
	if taken == 0 {
		return results, nil
	}
	if err := r.send(ctx, client, p, key); err != nil {
		for i := range results {
			if results[i].err == nil {
				results[i].err = replyFault(err)
			}
		}
		return results, nil
	}
	_ = client.Quit() // the letter is taken: a broken goodbye changes nothing
	return results, nil
}

// send streams head and body. The stored bytes are CRLF throughout, so the
// client's dot-stuffing is all that changes on the wire.
func (r *Relay) send(ctx context.Context, client *smtp.Client, p *delivery.Parcel, key seal.SessionKey) error {
	body, err := r.Office.Original(ctx, p.Body, key)
	if err != nil {
		return err
	}
	defer body.Close()
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, io.MultiReader(bytes.NewReader(p.Head), body)); err != nil {
		return err // without the final dot: the next hop keeps nothing
	}
	return w.Close()
}

// mailOptions passes on what the next hop understands.
func mailOptions(c *smtp.Client, p *delivery.Parcel) *smtp.MailOptions {
	o := &smtp.MailOptions{UTF8: p.UTF8}
	if ok, _ := c.Extension("SIZE"); ok {
		o.Size = p.Size()
	}
	if ok, _ := c.Extension("DSN"); ok {
		o.Return, o.EnvelopeID = smtp.DSNReturn(p.Ret), p.EnvelopeID
	}
	return o
}

func rcptOptions(c *smtp.Client, to delivery.ParcelRecipient) *smtp.RcptOptions {
	o := &smtp.RcptOptions{}
	if ok, _ := c.Extension("DSN"); !ok {
		return o
	}
	for _, n := range to.Notify {
		o.Notify = append(o.Notify, smtp.DSNNotify(n))
	}
	if to.Original != "" {
		o.OriginalRecipientType, o.OriginalRecipient = smtp.DSNAddressType(to.OriginalType), to.Original
	}
	return o
}
