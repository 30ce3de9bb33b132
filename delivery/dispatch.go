package delivery

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// envelope is an SMTP transaction between MAIL and the final dot.
type envelope struct {
	from identity.Address // zero: the null sender
	opts MailOptions
	to   []recipient
}

// recipient is one RCPT. A box here is local, else the address is another operator's.
type recipient struct {
	number  int
	address identity.Address
	opts    RcptOptions
	box     *mailbox.Box
}

// origin is who brought a letter and how.
type origin struct {
	by     identity.Principal
	act    string // audit: "letter.receive", "letter.submit", "letter.report"
	peer   string // audit: the network it came from
	replay string // what stands for the caller in replay hashes
	box    mailbox.BoxID
	hop    letter.Hop
	added  []byte // header fields that submission added (RFC 6409 8)
}

// dispatch is a letter ready to be placed: all that is costly is done, so that
// place may run more than once.
type dispatch struct {
	office   *Office
	id       string // names the letter in audit, jobs and outcomes
	in       *intake
	env      envelope
	origin   origin
	at       time.Time
	local    []stop // ascending by box
	jobs     []queue.Job
	outcomes []outcome.Recipient // by recipient number; of submitted letters only
	opening  outcome.Opening
}

// stop is one local recipient.
type stop struct {
	recipient recipient
	delivery  mailbox.Delivery
}

// prepare seals what each recipient gets.
func (o *Office) prepare(ctx context.Context, in *intake, env envelope, from origin) (*dispatch, error) {
	d := &dispatch{office: o, id: identity.NewID(), in: in, env: env, origin: from, at: o.opts.Clock()}
	for _, r := range env.to {
		if r.box == nil {
			continue
		}
		s, err := d.seal(r)
		if err != nil {
			return nil, err
		}
		d.local = append(d.local, s)
	}
	slices.SortFunc(d.local, func(a, b stop) int { return cmp.Compare(a.delivery.Box, b.delivery.Box) })
	if err := d.forward(ctx); err != nil {
		return nil, err
	}
	return d, d.sealOutcomes()
}

// sealOutcomes seals what the sender will be told of each recipient.
func (d *dispatch) sealOutcomes() (err error) {
	if len(d.outcomes) > 0 {
		d.opening, err = outcome.NewBook(d.office.Works).Prepare(outcome.Letter{
			ID: outcome.LetterID(d.id), Sender: string(d.origin.box),
			MessageID: d.in.structure.MessageID, Recipients: d.outcomes,
		})
	}
	return err
}

// head returns the trace fields of one recipient (RFC 5321 4.4).
func (d *dispatch) head(to identity.Address) []byte {
	hop := d.origin.hop
	hop.ID, hop.For, hop.At = d.id, to, d.at
	head := append([]byte(letter.ReturnPath(d.env.from)), letter.Received(hop)...)
	return append(head, d.origin.added...)
}

// seal makes the row of one local recipient: its key wrapped to the box, its
// summary sealed.
func (d *dispatch) seal(r recipient) (stop, error) {
	o, in := d.office, d.in
	public, err := seal.ParsePublicKey(r.box.LettersKey)
	if err != nil {
		return stop{}, fmt.Errorf("public key of box %s: %w", r.box.ID, err)
	}
	wrapped, err := public.Wrap(in.key, string(in.id))
	if err != nil {
		return stop{}, fmt.Errorf("wrap for box %s: %w", r.box.ID, err)
	}
	id := mailbox.MessageID(identity.NewID())
	head := d.head(r.address)
	record, err := mailbox.SealSummary(in.key, id, in.summary(head))
	if err != nil {
		return stop{}, fmt.Errorf("summary for box %s: %w", r.box.ID, err)
	}
	m := mailbox.Delivery{
		ID: id, Box: r.box.ID, Body: in.id, Size: int64(len(head)) + in.size(),
		Key: wrapped, KeyForm: mailbox.ToLetters, Record: record, Internal: d.at, Outcome: string(outcome.Delivered),
	}
	if d.origin.replay != "" {
		digest := in.digest.Sum(nil)
		m.Replay = o.Works.MAC("replay", []byte(d.origin.replay), []byte(in.structure.MessageID), digest, []byte(r.address.Key()))
	}
	if r.box.Kind == mailbox.Patient && !d.env.from.IsZero() {
		m.Correspondent, err = mailbox.NewCorrespondent(o.Works, r.box.ID, d.env.from, in.authorName(), true)
		if err != nil {
			return stop{}, err
		}
	}
	return stop{recipient: r, delivery: m}, nil
}

// forward makes one relay job per domain of other operators, and the outcomes of
// a submitted letter.
func (d *dispatch) forward(ctx context.Context) error {
	parcels := map[identity.Domain]*Parcel{}
	var domains []identity.Domain
	for _, r := range d.env.to {
		if d.origin.box != "" {
			d.outcomes = append(d.outcomes, d.outcome(r))
		}
		if r.box != nil {
			continue
		}
		p := parcels[r.address.Domain()]
		if p == nil {
			var err error
			if p, err = d.parcel(ctx); err != nil {
				return err
			}
			parcels[r.address.Domain()] = p
			domains = append(domains, r.address.Domain())
		}
		p.To = append(p.To, ParcelRecipient{
			Number: r.number, Address: r.address.String(),
			Notify: r.opts.Notify, OriginalType: r.opts.OriginalType, Original: r.opts.Original,
		})
	}
	for _, domain := range domains {
		job, err := d.office.job(domain, parcels[domain], d.at)
		if err != nil {
			return err
		}
		d.jobs = append(d.jobs, job)
	}
	return nil
}

// outcome is what the sender can know of one recipient at acceptance.
func (d *dispatch) outcome(r recipient) outcome.Recipient {
	facts := []outcome.Fact{{At: d.at, What: outcome.Accepted}}
	if r.box != nil {
		facts = append(facts, outcome.Fact{At: d.at, What: outcome.Delivered})
	}
	return outcome.Recipient{Address: r.address, Facts: facts}
}

// failure is a local recipient that could not be served at commit.
type failure struct {
	box mailbox.BoxID
	to  recipient
	err error // nil: the letter was there already
}

// retry tells the caller of place which recipients have to be left out.
type retry struct{ failed []failure }

func (r *retry) Error() string {
	return fmt.Sprintf("%d recipients could not be served", len(r.failed))
}

// place writes everything in tx: letters, body, jobs, outcomes and one audit
// leaf. If a recipient cannot be served it fails with *retry, naming all of them.
func (d *dispatch) place(tx *store.Tx) error {
	var failed []failure
	for _, s := range d.local {
		placed, err := mailbox.Deliver(tx, s.delivery)
		switch {
		case fault.KindOf(err) == fault.Internal && err != nil:
			return err
		case err != nil || placed.Replayed:
			failed = append(failed, failure{box: s.delivery.Box, to: s.recipient, err: err})
		}
	}
	if len(failed) > 0 {
		return &retry{failed}
	}
	if err := mailbox.AddBody(tx, d.in.body(int64(len(d.local)+len(d.jobs)))); err != nil {
		return err
	}
	for _, job := range d.jobs {
		if err := queue.Add(tx, job); err != nil {
			return err
		}
	}
	if len(d.outcomes) > 0 {
		if err := outcome.Begin(tx, d.opening); err != nil {
			return err
		}
	}
	return audit.Append(tx, audit.Leaf{
		Actor: d.origin.by.Pseudonym, Role: d.origin.by.Role, Act: d.origin.act,
		Object: "letter:" + d.id, Result: audit.Done, Peer: d.origin.peer,
	})
}

// without leaves out the recipients that failed, and notes it in their outcome.
func (d *dispatch) without(failed []failure) error {
	d.local = slices.DeleteFunc(d.local, func(s stop) bool {
		return slices.ContainsFunc(failed, func(f failure) bool { return f.box == s.delivery.Box })
	})
	for _, f := range failed {
		if f.err != nil && f.to.number < len(d.outcomes) {
			d.outcomes[f.to.number].Facts = []outcome.Fact{
				{At: d.at, What: outcome.Accepted},
				{At: d.at, What: outcome.Refused, Code: statusOf(f.err), Evidence: outcome.Evidence{Source: "self", Text: fault.Reason(f.err)}},
			}
		}
	}
	return d.sealOutcomes()
}

// empty reports whether nobody is left to serve.
func (d *dispatch) empty() bool { return len(d.local)+len(d.jobs) == 0 }
