package delivery

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/store"
)

// unserved is place's error when some recipients have to be left out.
type unserved struct{ failed []failure }

// Error implements error.
func (u *unserved) Error() string {
	return fmt.Sprintf("%d recipients cannot be served", len(u.failed))
}

// place writes dispatches in tx: letters, bodies, jobs, outcomes and one audit
// leaf each. If recipients cannot be served it fails with *unserved, naming all of
// them. A failure that may pass fails the whole: the caller is told to come back.
func place(tx *store.Tx, all ...*dispatch) error {
	type visit struct {
		of *dispatch
		stop
		own bool // the sender's copy
	}
	var visits []visit
	for _, d := range all {
		for _, s := range d.local {
			visits = append(visits, visit{d, s, false})
		}
		if d.copy != nil {
			visits = append(visits, visit{d, stop{delivery: *d.copy}, true})
		}
	}
	// Lock order: boxes ascending, whatever letter they get.
	slices.SortStableFunc(visits, func(a, b visit) int { return cmp.Compare(a.delivery.Box, b.delivery.Box) })
	var failed []failure
	for _, v := range visits {
		placed, err := mailbox.Deliver(tx, v.delivery)
		switch {
		case fault.Is(err, fault.Internal), fault.Is(err, fault.Transient), err != nil && v.own:
			return err
		case err != nil, placed.Replayed:
			failed = append(failed, failure{v.of, v.recipient, err})
		}
	}
	if len(failed) > 0 {
		return &unserved{failed}
	}
	for _, d := range all {
		if err := d.finish(tx); err != nil {
			return err
		}
	}
	return nil
}

// finish writes what comes after the letters.
func (d *dispatch) finish(tx *store.Tx) error {
	if d.empty() {
		return nil
	}
	jobs := slices.Concat(d.jobs, d.depot)
	for _, s := range d.local {
		if s.errand != nil {
			jobs = append(jobs, *s.errand)
		}
	}
	refs := len(d.local) + len(jobs)
	if d.copy != nil {
		refs++
	}
	if err := mailbox.AddBody(tx, d.in.body(int64(refs))); err != nil {
		return err
	}
	for _, job := range jobs {
		if err := queue.Add(tx, job); err != nil {
			return err
		}
	}
	if also := d.also(); also != nil {
		if err := also(tx, d.id); err != nil {
			return err
		}
	}
	if d.origin.box != "" {
		if err := outcome.Begin(tx, d.story); err != nil {
			return err
		}
	}
	return audit.Append(tx, audit.Leaf{
		Actor: d.origin.by.Pseudonym, Role: d.origin.by.Role, Act: d.origin.act,
		Object: "letter:" + d.id, Result: audit.Done, Peer: d.origin.peer,
	})
}

// without leaves out recipients that cannot be served.
func (d *dispatch) without(failed []failure) error {
	for _, f := range failed {
		if f.of != d {
			continue
		}
		d.lost = append(d.lost, f)
		d.local = slices.DeleteFunc(d.local, func(s stop) bool { return s.recipient.number == f.to.number })
	}
	return d.tell()
}

// empty reports whether nobody is left to serve.
func (d *dispatch) empty() bool { return len(d.local)+len(d.jobs)+len(d.depot) == 0 }

// repeated reports whether somebody has the letter from an earlier visit.
func (d *dispatch) repeated() bool {
	return slices.ContainsFunc(d.lost, func(f failure) bool { return f.err == nil })
}

// refusal is the fact that a box of ours did not take a letter.
func refusal(at time.Time, err error) outcome.Fact {
	return outcome.Fact{
		At: at, What: outcome.Refused, Code: statusOf(err),
		Evidence: outcome.Evidence{Source: "self", Text: fault.Reason(err)},
	}
}

// statusOf returns the enhanced status code of a refusal at a box (RFC 3463).
func statusOf(err error) string {
	switch fault.Reason(err) {
	case "box-unknown":
		return "5.1.1"
	case "box-full", "letters-limit", "folder-full":
		return "5.2.2"
	case "letter-too-large":
		return "5.3.4"
	}
	return "5.2.1"
}
