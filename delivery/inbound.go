package delivery

import (
	"context"
	"io"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/trust"
)

// maxHops is where a letter is believed to go round in circles (RFC 5321 6.3
// asks for at least 100; spec security 2.1: 60 within a trust space).
const maxHops = 60

// Operators returns the counter of the trust-space MX: callers are other
// operators, identified by their certificate.
func (o *Office) Operators() Counter { return operators{o} }

type operators struct{ office *Office }

// Arrive implements Counter.
func (c operators) Arrive(ctx context.Context, caller Caller) (Visit, error) {
	peer, err := c.office.Desk.Peer(ctx, caller)
	if err != nil {
		return nil, err // the door sums up what it refuses to a connection without a visit
	}
	return &inbound{visitor: visitor{office: c.office, caller: caller, by: peer.By}, peer: peer}, nil
}

// inbound is a visit of another operator.
type inbound struct {
	visitor
	peer Peer
}

// Login implements Visit: operators are known by their certificate alone.
func (v *inbound) Login(context.Context, Credentials) error {
	return v.refuse(fault.New(fault.Denied, "login-not-here"))
}

// Mail implements Visit: the sender's domain must be one of the peer's
// (spec mssante 1.12).
func (v *inbound) Mail(_ context.Context, from identity.Address, opts MailOptions) error {
	if err := trust.SenderAllowed(v.office.Trust(), v.peer.DN, from); err != nil {
		return v.refuse(err)
	}
	return v.refuse(v.begin(from, opts))
}

// Rcpt implements Visit: the box must be ours, open, and have room.
func (v *inbound) Rcpt(ctx context.Context, to identity.Address, opts RcptOptions) error {
	switch {
	case v.env == nil:
		return v.refuse(fault.New(fault.Conflict, "sender-missing"))
	case !v.office.Hosts(to.Domain()):
		return v.refuse(fault.New(fault.Denied, "relay-denied"))
	case v.office.isDepot(to):
		return v.refuse(v.add(recipient{address: to, opts: opts, depot: true}))
	}
	box, err := v.office.box(ctx, to, v.env.opts.Size)
	if err != nil {
		return v.refuse(err)
	}
	return v.refuse(v.add(recipient{address: to, opts: opts, box: &box}))
}

// Data implements Visit.
func (v *inbound) Data(ctx context.Context, r io.Reader) error {
	if v.env == nil || len(v.env.to) == 0 {
		return v.refuse(fault.New(fault.Conflict, "recipient-missing"))
	}
	in, err := v.office.takeIn(ctx, r)
	if err != nil {
		return v.refuse(err)
	}
	defer in.drop()
	if err := v.admit(in); err != nil {
		return v.refuse(err)
	}
	_, err = v.deliver(ctx, in, origin{
		by: v.by, act: "letter.receive", peer: audit.Network(v.caller.Remote.Addr()),
		replay: v.peer.DN.String(), hop: v.hop("ESMTPS"),
	})
	return v.refuse(err)
}

// admit decides on a letter whose content has come.
func (v *inbound) admit(in *intake) error {
	if in.structure.Received >= maxHops {
		return fault.New(fault.Denied, "too-many-hops")
	}
	author, err := in.walker.Author()
	if err != nil {
		return err
	}
	return trust.Admit(v.office.Trust(), trust.Facts{
		Peer: v.peer.DN, Sender: v.env.from, From: author, Report: in.report(),
	})
}

// report reports whether the letter is a delivery or disposition report.
func (in *intake) report() bool {
	return in.structure.Root.Type == "multipart" && in.structure.Root.Subtype == "report"
}
