package delivery

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/store"
)

// visitor is what the visits of both counters share: the transaction, the last
// letter's replay hashes, the refusals.
type visitor struct {
	office  *Office
	caller  Caller
	hello   string
	by      identity.Principal
	env     *envelope
	unheard []window // of letters whose 250 may not have been read
	refused map[string]int
}

// Bounds of what one visit holds: different reasons in its leaf, and windows of
// letters that were answered while the caller went on talking.
const (
	maxReasons = 16
	maxUnheard = 1024
)

// Hello implements Visit.
func (v *visitor) Hello(name string) { v.hello = name }

// Reset implements Visit.
func (v *visitor) Reset() { v.env = nil }

// Heard implements Visit.
func (v *visitor) Heard() {
	if len(v.unheard) > 0 {
		v.office.answered.add(v.unheard)
		v.unheard = nil
	}
}

// Refused implements Visit.
func (v *visitor) Refused(reason string) {
	if v.refused == nil {
		v.refused = make(map[string]int)
	}
	if _, known := v.refused[reason]; known || len(v.refused) < maxReasons {
		v.refused[reason]++
	}
}

// refuse notes a refusal of ours and passes it on. What broke off the letter's
// reader is no refusal of ours.
func (v *visitor) refuse(err error) error {
	if gone, ok := errors.AsType[brokenOff](err); ok {
		return gone.error
	}
	if err != nil {
		v.Refused(fault.Reason(err))
	}
	return err
}

// Close implements Visit: one audit leaf tells what was refused.
func (v *visitor) Close() { v.office.auditRefusals(v.caller, v.by, v.refused) }

// AuditRefusals writes the leaf of a connection that never became a visit.
func (o *Office) AuditRefusals(c Caller, reasons map[string]int) {
	o.auditRefusals(c, identity.Principal{}, reasons)
}

// auditRefusals writes the one leaf of a visit in which something was refused. It
// names the most frequent reason; the log has all of them.
func (o *Office) auditRefusals(c Caller, by identity.Principal, refused map[string]int) {
	if len(refused) == 0 {
		return
	}
	reasons := make([]string, 0, len(refused))
	for reason := range refused {
		reasons = append(reasons, reason)
	}
	slices.SortFunc(reasons, func(a, b string) int {
		if d := refused[b] - refused[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	// The caller is gone, and no context of its is left; the leaf is still owed.
	ctx, cancel := context.WithTimeout(context.Background(), leafTimeout)
	defer cancel()
	err := o.DB.Write(ctx, func(tx *store.Tx) error {
		return audit.Append(tx, audit.Leaf{
			Actor: by.Pseudonym, Role: by.Role, Act: "smtp.refused", Object: "conn:" + c.Conn,
			Result: audit.Refused, Reason: reasons[0], Peer: audit.Network(c.Remote.Addr()),
		})
	})
	if err != nil {
		o.Log.Error("audit.refusals.lost", "component", "delivery", "conn", c.Conn, "error", err)
		return
	}
	o.Log.Info("smtp.refused", "component", "delivery", "conn", c.Conn, "reasons", reasons)
}

// leafTimeout bounds how long the end of a visit waits for its leaf.
const leafTimeout = 30 * time.Second

// begin opens a transaction.
func (v *visitor) begin(from identity.Address, opts MailOptions) error {
	v.env = nil
	if err := v.office.sizeAllowed(opts.Size); err != nil {
		return err
	}
	v.env = &envelope{from: from, opts: opts}
	return nil
}

// add adds a recipient, local when box is set; a second RCPT for the same box
// changes nothing.
func (v *visitor) add(r recipient) error {
	for _, have := range v.env.to {
		if have.address.Equal(r.address) {
			return nil
		}
	}
	if len(v.env.to) >= MaxRecipients {
		return fault.New(fault.OverQuota, "too-many-recipients")
	}
	r.number = len(v.env.to)
	v.env.to = append(v.env.to, r)
	return nil
}

// hop is the trace field of this visit.
func (v *visitor) hop(protocol string) letter.Hop {
	if v.env.opts.UTF8 {
		protocol = "UTF8SMTP" + strings.TrimPrefix(protocol, "ESMTP")
	}
	return letter.Hop{
		Hello: v.hello, Remote: v.caller.Remote.Addr(), By: string(v.office.opts.Host), Protocol: protocol,
	}
}

// deliver commits a letter, returns its id and remembers its windows until the
// caller is heard: also those that it found open, since a repetition has a 250 of
// its own.
func (v *visitor) deliver(ctx context.Context, in *intake, from origin) (string, error) {
	d, err := v.office.prepare(ctx, in, *v.env, from)
	if err != nil {
		return "", err
	}
	if err := v.office.commit(ctx, d); err != nil {
		return "", err
	}
	v.unheard = append(v.unheard, d.windows()...)
	if more := len(v.unheard) - maxUnheard; more > 0 {
		v.unheard = slices.Delete(v.unheard, 0, more) // these stay open; the rounds end them
	}
	return d.id, nil
}
