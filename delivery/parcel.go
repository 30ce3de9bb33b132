package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/queue"
)

// RelayKind is the kind of the jobs that carry parcels out.
const RelayKind = "relay"

// Parcel is a letter on its way to the recipients of one domain. It is the
// payload of a relay job, sealed under the works key; the job holds one reference
// to the body and, in Key, the only wrap that opens it for a worker, so that
// completing the job ends both.
type Parcel struct {
	Letter     string            `json:"letter"`
	Box        mailbox.BoxID     `json:"box,omitempty"` // the sender's, empty for reports
	From       string            `json:"from,omitempty"`
	To         []ParcelRecipient `json:"to"`
	Body       mailbox.BodyID    `json:"body"`
	Plain      int64             `json:"plain"`
	Head       []byte            `json:"head"`
	Day        string            `json:"day"` // of the transit key
	Key        []byte            `json:"key"`
	Ret        string            `json:"ret,omitempty"`
	EnvelopeID string            `json:"envid,omitempty"`
	MessageID  string            `json:"mid,omitempty"` // of the letter, for reports
	EightBit   bool              `json:"8bit,omitempty"`
	UTF8       bool              `json:"utf8,omitempty"`
	Arrival    time.Time         `json:"arrival"`
}

// ParcelRecipient is one recipient of a parcel.
type ParcelRecipient struct {
	Number       int      `json:"n"` // in the letter's outcome
	Address      string   `json:"a"`
	Notify       []string `json:"notify,omitempty"`
	OriginalType string   `json:"ot,omitempty"`
	Original     string   `json:"o,omitempty"`
}

// WantsFailure reports whether the sender wants to know if the letter fails.
func (r ParcelRecipient) WantsFailure() bool { return wantsFailure(r.Notify) }

// Size returns the octets that go on the wire.
func (p *Parcel) Size() int64 { return int64(len(p.Head)) + p.Plain }

// Sender returns the envelope sender, zero for the null sender.
func (p *Parcel) Sender() identity.Address {
	a, err := identity.ParseAddress(p.From)
	if err != nil {
		return identity.Address{}
	}
	return a
}

// parcel begins a parcel of the letter: its session key wrapped for workers.
func (d *dispatch) parcel(ctx context.Context) (*Parcel, error) {
	day, key, err := d.forWorkers(ctx)
	if err != nil {
		return nil, err
	}
	p := &Parcel{
		Letter: d.id, Box: d.origin.box, Body: d.in.id, Plain: d.in.size(), Day: day, Key: key,
		Head: d.trace(identity.Address{}), MessageID: d.messageID(), Ret: d.env.opts.Ret, EnvelopeID: d.env.opts.EnvelopeID,
		EightBit: d.in.structure.EightBit, UTF8: d.env.opts.UTF8, Arrival: d.at,
	}
	if !d.env.from.IsZero() {
		p.From = d.env.from.String()
	}
	return p, nil
}

// job seals a parcel into a job of its domain.
func (o *Office) job(domain identity.Domain, p *Parcel, due time.Time) (queue.Job, error) {
	id := queue.ID(identity.NewID())
	payload, err := o.SealParcel(id, p)
	return queue.Job{ID: id, Kind: RelayKind, Group: string(domain), Due: due, Payload: payload}, err
}

// SealParcel makes the payload of a job.
func (o *Office) SealParcel(id queue.ID, p *Parcel) ([]byte, error) {
	payload, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	sealed, err := o.Works.Seal(RelayKind, string(id), payload)
	if err != nil {
		return nil, fmt.Errorf("seal a parcel: %w", err)
	}
	return sealed, nil
}

// OpenParcel opens the payload of a relay job.
func (o *Office) OpenParcel(job queue.Job) (*Parcel, error) {
	payload, err := o.Works.Open(RelayKind, string(job.ID), job.Payload)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "parcel-broken", err)
	}
	p := new(Parcel)
	if err := json.Unmarshal(payload, p); err != nil {
		return nil, fault.Wrap(fault.Internal, "parcel-broken", err)
	}
	return p, nil
}
