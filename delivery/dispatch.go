package delivery

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/seal"
)

// envelope is an SMTP transaction between MAIL and the final dot.
type envelope struct {
	from identity.Address // zero: the null sender
	opts MailOptions
	to   []recipient
}

// recipient is one RCPT. A box here is local, the depot is ours and has no box;
// else the address is another operator's.
type recipient struct {
	number  int // its place in the envelope, and in the letter's outcome
	address identity.Address
	opts    RcptOptions
	box     *mailbox.Box
	depot   bool
}

// here reports whether the recipient is served by this operator.
func (r recipient) here() bool { return r.box != nil || r.depot }

// origin is who brought a letter and how.
type origin struct {
	by     identity.Principal
	act    string // audit: "letter.receive", "letter.submit", "letter.report"
	peer   string // audit: the network it came from
	replay string // what stands for the caller in replay hashes; empty: no repetition is looked for
	box    mailbox.BoxID
	hop    letter.Hop
	added  addition
	keep   *keepsake // the sender's own copy; nil for none
}

// dispatch is a letter ready to be placed: all that is costly is done, so that
// placing may run more than once.
type dispatch struct {
	office *Office
	id     string // names the letter in audit, jobs and outcomes
	in     *intake
	env    envelope
	origin origin
	at     time.Time
	local  []stop // ascending by box
	jobs   []queue.Job
	depot  []queue.Job     // what came for the depot
	story  outcome.Opening // of a submitted letter
	lost   []failure       // recipients that local does not hold any more
	copy   *mailbox.Delivery

	transitDay string // of transitKey
	transitKey []byte // the letter's key wrapped for workers, made when first needed
}

// stop is one local recipient.
type stop struct {
	recipient recipient
	delivery  mailbox.Delivery
	errand    *queue.Job // what its letter brings wants filing; nil for nothing
}

// failure is a local recipient that could not be served at commit.
type failure struct {
	of  *dispatch
	to  recipient
	err error // nil: the letter was there already
}

// prepare seals what each recipient gets.
func (o *Office) prepare(ctx context.Context, in *intake, env envelope, from origin) (*dispatch, error) {
	d := &dispatch{office: o, id: identity.NewID(), in: in, env: env, origin: from, at: o.opts.Clock()}
	for _, r := range env.to {
		if r.depot {
			job, err := d.errand(ctx, r, "")
			if err != nil {
				return nil, err
			}
			d.depot = append(d.depot, *job)
		}
		if r.box == nil {
			continue
		}
		s, err := d.seal(ctx, r)
		if err != nil {
			return nil, err
		}
		d.local = append(d.local, s)
	}
	if err := d.sealCopy(); err != nil {
		return nil, err
	}
	slices.SortFunc(d.local, func(a, b stop) int { return cmp.Compare(a.delivery.Box, b.delivery.Box) })
	if err := d.forward(ctx); err != nil {
		return nil, err
	}
	return d, d.tell()
}

// trace returns our Received field: for one recipient, or naming none when it
// goes on to another operator with several.
func (d *dispatch) trace(to identity.Address) []byte {
	hop := d.origin.hop
	hop.ID, hop.For, hop.At = d.id, to, d.at
	return append([]byte(letter.Received(hop)), d.origin.added.fields...)
}

// head returns what stands before the body in one box (RFC 5321 4.4).
func (d *dispatch) head(to identity.Address) []byte {
	return append([]byte(letter.ReturnPath(d.env.from)), d.trace(to)...)
}

// seal makes the row of one local recipient: its key wrapped to the box, its
// summary sealed.
func (d *dispatch) seal(ctx context.Context, r recipient) (stop, error) {
	in := d.in
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
		Replay: d.replay(r.address),
	}
	if r.box.Kind == mailbox.Patient && !d.env.from.IsZero() {
		if m.Correspondent, err = d.correspondent(r.box.ID); err != nil {
			return stop{}, err
		}
	}
	job, err := d.errand(ctx, r, id)
	return stop{recipient: r, delivery: m, errand: job}, err
}

// replay is the keyed hash that a repetition of this letter for this recipient
// would have again (DESIGN section 2). It covers what came, not what we added.
func (d *dispatch) replay(to identity.Address) []byte {
	if d.origin.replay == "" {
		return nil
	}
	return d.office.Works.MAC("replay", []byte(d.origin.replay), []byte(d.in.structure.MessageID),
		d.in.digest.Sum(nil), []byte(to.Key()))
}

// windows are the replay windows that this letter opens, or finds open.
func (d *dispatch) windows() []window {
	all := make([]window, 0, len(d.env.to))
	for _, r := range d.env.to {
		if hash := d.replay(r.address); r.box != nil && hash != nil {
			all = append(all, window{r.box.ID, hash})
		}
	}
	return all
}

// forward makes one relay job per domain of other operators.
func (d *dispatch) forward(ctx context.Context) error {
	parcels := map[identity.Domain]*Parcel{}
	var domains []identity.Domain
	for _, r := range d.env.to {
		if r.here() {
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

// tell prepares the outcome of a submitted letter: what its sender can know of
// each recipient when it is accepted.
func (d *dispatch) tell() (err error) {
	if d.origin.box == "" {
		return nil
	}
	story := outcome.Letter{ID: outcome.LetterID(d.id), Sender: string(d.origin.box), MessageID: d.messageID()}
	for _, r := range d.env.to {
		self := outcome.Evidence{Source: "self"}
		facts := []outcome.Fact{{At: d.at, What: outcome.Accepted, Evidence: self}}
		if r.here() {
			fact := outcome.Fact{At: d.at, What: outcome.Delivered, Evidence: self}
			if i := slices.IndexFunc(d.lost, func(f failure) bool { return f.err != nil && f.to.number == r.number }); i >= 0 {
				fact = refusal(d.at, d.lost[i].err)
			}
			facts = append(facts, fact)
		}
		story.Recipients = append(story.Recipients, outcome.Recipient{Address: r.address, Facts: facts})
	}
	d.story, err = d.office.book.Prepare(story)
	return err
}

// messageID is the letter's own Message-ID, or the one that submission added.
func (d *dispatch) messageID() string {
	return cmp.Or(d.in.structure.MessageID, d.origin.added.messageID)
}
