package agenda

import (
	"bytes"

	"github.com/vaguemestre/vaguemestre/fault"
)

// said is what a letter says about an event, as far as order needs it.
type said struct {
	uid, instance, organizer []byte
	sequence, stamp          int64
	cancels                  bool
}

// fact is a row, as far as order needs it.
type fact struct {
	row                 EventID
	instance, organizer []byte
	sequence, stamp     int64
	status              Status
}

// plan is what to write.
type plan struct {
	result Result
	// row is the row to write over, empty for a new one; status is its status.
	row    EventID
	status Status
	// instances are changed instances that follow the series, and their new status.
	instances      []EventID
	instanceStatus Status
}

// newer reports whether the letter was said after the fact: by SEQUENCE, then by
// DTSTAMP (RFC 5546 2.1.5). At a tie a cancellation wins, so that the outcome does
// not depend on which letter came first.
func (in said) newer(than fact) bool {
	switch {
	case in.sequence != than.sequence:
		return in.sequence > than.sequence
	case in.stamp != than.stamp:
		return in.stamp > than.stamp
	}
	return in.cancels && than.status != Cancelled && than.status != Void
}

// decide says what a letter changes, given all that is known under its UID. It fails
// with fault.Denied "invite-other-organizer".
func decide(rows []fact, in said) (plan, error) {
	var self, series *fact
	var live int
	for i := range rows {
		f := &rows[i]
		other := !bytes.Equal(f.organizer, in.organizer)
		if other && f.status != Void {
			// RFC 5546 6.1.1: an event belongs to its organizer.
			return plan{}, fault.New(fault.Denied, "invite-other-organizer")
		}
		if bytes.Equal(f.instance, in.instance) {
			self = f
		}
		if len(f.instance) == 0 && !other {
			series = f
		}
		if f.status != Void && f.status != Cancelled {
			live++
		}
	}
	if in.old(self) || in.behind(series) {
		return plan{result: Stale}, nil
	}
	p := plan{}
	if self != nil {
		p.row = self.row
	}
	if in.cancels {
		return p.cancel(rows, in, self, series, live), nil
	}
	return p.request(rows, in, self), nil
}

// old reports whether a letter says nothing new. What is only remembered of one
// organizer does not bind another, who cannot make it forgotten either.
func (in said) old(self *fact) bool {
	switch {
	case self == nil:
		return false
	case bytes.Equal(self.organizer, in.organizer):
		return !in.newer(*self)
	}
	return in.cancels
}

// behind reports whether a letter about one instance is older than the series: the
// organizer has said what the whole series is since.
func (in said) behind(series *fact) bool {
	if series == nil || len(in.instance) == 0 {
		return false
	}
	if series.status == Cancelled || series.status == Void {
		return !in.newer(*series)
	}
	return in.sequence < series.sequence
}

// cancel takes an event, a series or an instance away.
func (p plan) cancel(rows []fact, in said, self, series *fact, live int) plan {
	whole := len(in.instance) == 0
	known := self != nil && self.status != Void
	ofSeries := !whole && series != nil && series.status != Void && series.status != Cancelled
	if whole {
		p.instanceStatus = Cancelled
		for _, f := range rows {
			if len(f.instance) > 0 && f.status != Void && f.status != Cancelled && in.newer(f) {
				p.instances = append(p.instances, f.row)
			}
		}
	}
	switch {
	case known || ofSeries:
		p.status, p.result = Cancelled, Withdrawn
	case whole && live > 0 && len(p.instances) > 0: // invited to some instances only
		p.status, p.result = Void, Withdrawn
	default:
		p.status, p.result = Void, Remembered
	}
	return p
}

// request adds or changes.
func (p plan) request(rows []fact, in said, self *fact) plan {
	p.status, p.result = NeedsAction, Added
	if self != nil && self.status != Void && self.status != Cancelled {
		p.result = Updated
		if self.sequence == in.sequence {
			p.status = self.status
		}
	}
	if len(in.instance) > 0 {
		return p
	}
	// RFC 5546 3.2.2.1: a rescheduled series replaces what was said of its instances.
	p.instanceStatus = Void
	for _, f := range rows {
		if len(f.instance) > 0 && f.status != Void && f.sequence < in.sequence {
			p.instances = append(p.instances, f.row)
		}
	}
	return p
}
