package delivery

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/trust"
)

// People returns the counter of submission: callers are holders of our boxes.
func (o *Office) People() Counter { return people{o} }

type people struct{ office *Office }

// Arrive implements Counter: who it is shows at AUTH.
func (c people) Arrive(_ context.Context, caller Caller) (Visit, error) {
	return &outbound{visitor: visitor{office: c.office, caller: caller}}, nil
}

// outbound is a visit of somebody who submits.
type outbound struct {
	visitor
	sender *Sender
}

// Login implements Visit.
func (v *outbound) Login(ctx context.Context, creds Credentials) error {
	sender, err := v.office.Desk.Sender(ctx, v.caller, creds)
	if err != nil {
		return v.refuse(err)
	}
	v.sender, v.by = &sender, sender.By
	return nil
}

// Mail implements Visit: one's own address, or the null sender for a report.
func (v *outbound) Mail(_ context.Context, from identity.Address, opts MailOptions) error {
	switch {
	case v.sender == nil:
		return v.refuse(fault.New(fault.Denied, "login-first"))
	case !from.IsZero() && !from.Equal(v.sender.Box.Address):
		return v.refuse(fault.New(fault.Denied, "sender-not-of-this-box"))
	}
	return v.refuse(v.begin(from, opts))
}

// Rcpt implements Visit: nobody outside the trust space; a patient writes only to
// professionals who wrote to them and did not close the exchange
// (spec mssante 7.4 to 7.6).
func (v *outbound) Rcpt(ctx context.Context, to identity.Address, opts RcptOptions) error {
	if v.sender == nil || v.env == nil {
		return v.refuse(fault.New(fault.Conflict, "sender-missing"))
	}
	if err := trust.RecipientInside(v.office.Trust(), to); err != nil {
		return v.refuse(err)
	}
	if err := v.mayWrite(ctx, to); err != nil {
		return v.refuse(err)
	}
	r := recipient{address: to, opts: opts, depot: v.office.isDepot(to)}
	if !r.depot && v.office.Hosts(to.Domain()) {
		box, err := v.office.box(ctx, to, v.env.opts.Size)
		if err != nil {
			return v.refuse(err)
		}
		r.box = &box
	}
	return v.refuse(v.add(r))
}

// mayWrite holds a patient to the people who wrote to them.
func (v *outbound) mayWrite(ctx context.Context, to identity.Address) error {
	box := v.sender.Box
	if box.Kind != mailbox.Patient {
		return nil
	}
	if to.Domain() == box.Address.Domain() {
		return fault.New(fault.Denied, "patient-to-patient")
	}
	return v.office.DB.Read(ctx, func(tx *store.Tx) error {
		return mailbox.MayAnswer(tx, v.office.Works, box.ID, to)
	})
}

// Data implements Visit.
func (v *outbound) Data(ctx context.Context, r io.Reader) error {
	_, err := v.submit(ctx, r, "ESMTPSA", nil)
	return v.refuse(err)
}

// submit takes a letter for the recipients of the transaction and returns its id.
func (v *outbound) submit(ctx context.Context, r io.Reader, protocol string, keep *keepsake) (string, error) {
	if v.sender == nil || v.env == nil || len(v.env.to) == 0 {
		return "", fault.New(fault.Conflict, "recipient-missing")
	}
	in, err := v.office.takeIn(ctx, withoutBcc(r, v.office.opts.Limits.Header))
	if err != nil {
		return "", err
	}
	defer in.drop()
	added, err := v.admit(ctx, in)
	if err != nil {
		return "", err
	}
	from := origin{
		by: v.by, act: "letter.submit", peer: audit.Network(v.caller.Remote.Addr()), box: v.sender.Box.ID,
		replay: string(v.sender.Box.ID), hop: v.hop(protocol), added: added, keep: keep,
	}
	if keep != nil {
		from.replay = "" // who sends on a page sees the answer
	}
	return v.deliver(ctx, in, from)
}

// admit decides on a letter whose content has come, and returns the fields that
// it lacks (RFC 6409 8.1 to 8.3). The recipients are decided on again: a door may
// be slow, and rights change.
func (v *outbound) admit(ctx context.Context, in *intake) (addition, error) {
	author, err := in.walker.Author()
	if err != nil {
		return addition{}, err
	}
	space := v.office.Trust()
	err = trust.Admit(space, trust.Facts{
		Box: v.sender.Box.Address, Sender: v.env.from, From: author, Report: in.report(),
	})
	if err != nil {
		return addition{}, err
	}
	for _, r := range v.env.to {
		if err := trust.RecipientInside(space, r.address); err != nil {
			return addition{}, err
		}
		if err := v.mayWrite(ctx, r.address); err != nil {
			return addition{}, err
		}
	}
	return v.missing(in), nil
}

// addition is what submission puts before a letter (RFC 6409 8).
type addition struct {
	fields    []byte
	messageID string // among them, empty if the letter has its own
}

// missing returns Date and Message-ID where the client left them out.
func (v *outbound) missing(in *intake) (add addition) {
	header := slices.Collect(letter.FieldsOf(in.walker.Header()))
	has := func(name string) bool {
		return slices.ContainsFunc(header, func(f letter.Field) bool { return f.Is(name) })
	}
	if !has("Date") {
		add.fields = append(add.fields, "Date: "+v.office.opts.Clock().Format(time.RFC1123Z)+"\r\n"...)
	}
	if !has("Message-ID") {
		add.messageID = "<" + identity.NewID() + "@" + string(v.office.opts.Host) + ">"
		add.fields = append(add.fields, "Message-ID: "+add.messageID+"\r\n"...)
	}
	return add
}
