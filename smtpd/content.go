package smtpd

import (
	"errors"
	"io"
	"math"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
)

// content is one letter as it comes in, by DATA or by a series of BDAT: an
// io.Reader of its octets, without dot-stuffing, framing or final dot. It reads
// straight from the wire. Its errors are faults; they are final.
type content struct {
	d    *dialogue
	scan scanner

	chunked bool
	chunk       // the present one, if chunked
	chunks  int // so far

	size int64  // octets passed
	room int64  // octets that may pass
	tell string // the reason when more come

	took   int64         // octets received, as the minimum rate counts them
	waited time.Duration // for them
	end    time.Time     // of the transaction

	err    error  // nil while it goes on, io.EOF at the end
	reason string // of err, if not the end
}

// newContent returns the content that follows DATA (a nil first) or a BDAT command.
func (d *dialogue) newContent(first *chunk) *content {
	c := &content{d: d, room: d.server.options.MaxSize, tell: reasonTooLarge, end: d.end}
	if c.end.IsZero() {
		c.end = time.Now().Add(d.server.options.Deadlines.Transaction)
	}
	if first == nil {
		c.scan.stuffed = true
		return c
	}
	c.chunked = true
	c.begin(*first)
	return c
}

// Read reads the letter's octets. An error other than io.EOF means that nothing
// of it may be kept.
func (c *content) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for c.err == nil {
		if n := c.advance(p, len(p)); n > 0 {
			return n, nil
		}
	}
	return 0, c.err
}

// advance goes on by at most limit octets of content, copied to p, or by what
// stands between them; it returns the number of octets.
func (c *content) advance(p []byte, limit int) int {
	w := c.d.w
	b := w.buffered()
	if c.chunked {
		if c.left == 0 {
			c.nextChunk()
			return 0
		}
		b = b[:min(int64(len(b)), c.left)]
	}
	if len(b) == 0 {
		c.fill()
		return 0
	}
	n, st := c.scan.scan(b, limit)
	w.r += n
	c.size += int64(n)
	c.left -= int64(n)
	if c.size > c.room {
		c.fail(c.tell)
		return 0
	}
	copy(p, b[:n])
	switch st {
	case stepPass:
	case stepMore:
		if n == 0 {
			c.fill()
		}
	case stepSkip:
		w.r++
	case stepEnd:
		w.r += len(".\r\n")
		c.err = io.EOF
	default:
		c.fail(stepReason(st))
	}
	return n
}

// stepReason names the rule that a scan found broken.
func stepReason(st step) string {
	switch st {
	case stepNUL:
		return reasonContentNUL
	case stepDot:
		return reasonContentDot
	case stepFalseEnd:
		return reasonContentEnd
	default:
		return reasonContentLine
	}
}

// fill waits for more octets: no longer than the content deadline, the minimum
// rate and the transaction's budget allow.
func (c *content) fill() {
	deadlines := &c.d.server.options.Deadlines
	now := time.Now()
	by, reason := now.Add(deadlines.Content), reasonSilent
	// Only waiting counts: a letter that we are slow to take is not a slow letter.
	credit := deadlines.Grace + time.Duration(c.took/deadlines.Rate)*time.Second - c.waited
	if slow := now.Add(credit); slow.Before(by) {
		by, reason = slow, reasonSlow
	}
	if c.end.Before(by) {
		by, reason = c.end, reasonTransaction
	}
	w := c.d.w
	before := len(w.buffered())
	err := w.fill(by)
	c.waited += time.Since(now)
	c.took += int64(len(w.buffered()) - before)
	var stop *stopped
	if errors.As(err, &stop) {
		if stop.reason != reasonSilent {
			reason = stop.reason
		}
		c.fail(reason)
	}
}

// fail ends the content for a reason.
func (c *content) fail(reason string) {
	kind := fault.Invalid
	switch reason {
	case reasonSilent, reasonSlow, reasonTransaction, reasonGone, reasonDeaf, reasonClosing, reasonAborted:
		kind = fault.Transient
	}
	c.reason, c.err = reason, fault.New(kind, reason)
}

// failed reports whether the content ended otherwise than by its end.
func (c *content) failed() bool { return c.err != nil && c.reason != "" }

// drain reads on to nowhere when nobody wants the rest, so that it is not taken
// for commands: to the end of the letter, or of the present chunk, whose reply
// then says why. It is bounded: the peer may send as much again, and 64 MiB.
func (c *content) drain() {
	if c.err != nil && c.reason != reasonTooLarge {
		return
	}
	c.err, c.reason = nil, ""
	c.room, c.tell = 2*c.d.server.options.MaxSize+64<<20, reasonEndless
	if c.chunked {
		c.skipChunk()
		return
	}
	for c.err == nil {
		c.advance(nil, math.MaxInt)
	}
}
