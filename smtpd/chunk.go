package smtpd

import (
	"bytes"
	"io"
	"strconv"
)

// chunk is one BDAT command (RFC 3030 2).
type chunk struct {
	left int64 // octets not yet consumed
	last bool
}

// parseChunk parses the arguments of BDAT: decimal digits, then perhaps LAST.
func parseChunk(arg []byte) (chunk, bool) {
	size, mark, marked := bytes.Cut(arg, []byte(" "))
	if marked && !bytes.EqualFold(mark, []byte("LAST")) {
		return chunk{}, false
	}
	// RFC 3030 2: chunk-size is 1*DIGIT; a sign, a base prefix or 2^63 is none.
	for _, c := range size {
		if c < '0' || c > '9' {
			return chunk{}, false
		}
	}
	n, err := strconv.ParseInt(string(size), 10, 64)
	return chunk{left: n, last: marked}, err == nil
}

// maxChunks bounds the chunks of one letter: senders use 4 KiB and more, and each
// costs a command and a reply.
func maxChunks(maxSize int64) int { return 1000 + int(maxSize>>12) }

// bdat handles a BDAT command that begins a letter, or is refused.
func (d *dialogue) bdat(arg []byte) {
	first, ok := parseChunk(arg)
	if !ok {
		// How many octets follow is unknown: nothing that comes can be trusted.
		d.stop(reasonChunk)
		return
	}
	if !d.open || d.recipients == 0 {
		// RFC 3030 2: the octets of a refused chunk are consumed.
		c := d.newContent(&first)
		c.drain()
		if c.failed() {
			d.stop(c.reason)
			return
		}
		d.refuse(reasonOrder)
		return
	}
	d.first = &first
	d.pass("BDAT", []byte("DATA"))
}

// begin takes up a chunk.
func (c *content) begin(next chunk) {
	c.chunk = next
	c.chunks++
	if c.chunks > maxChunks(c.d.server.options.MaxSize) {
		c.fail(reasonChunks)
		return
	}
	if next.left > c.room-c.size {
		c.fail(c.tell)
	}
}

// nextChunk acknowledges the chunk that is used up and waits for the next one;
// after the last it ends the content.
func (c *content) nextChunk() {
	if c.last {
		if st := c.scan.finish(); st != stepPass {
			c.fail(stepReason(st))
			return
		}
		c.err = io.EOF
		return
	}
	c.d.say(reply(250, 0, 0, "Chunk taken"))
	for c.err == nil && c.left == 0 && !c.last {
		c.between()
	}
}

// between handles one command inside a BDAT series: the next chunk, or what ends
// the series (RFC 3030 3), or what has no place there.
func (c *content) between() {
	d := c.d
	line, err := d.w.line(maxLine, d.by())
	if err != nil {
		c.fail(d.reasonOf(err))
		return
	}
	verb, arg := cutCommand(line)
	switch verb {
	case "BDAT":
		next, ok := parseChunk(arg)
		if !ok {
			c.fail(reasonChunk)
			return
		}
		c.begin(next)
		if next.left == 0 && !next.last {
			d.say(reply(250, 0, 0, "Chunk taken"))
		}
	case "RSET", "EHLO", "HELO", "QUIT":
		d.replay = bytes.Clone(line)
		c.fail(reasonAborted)
	case "NOOP":
		d.say(reply(250, 0, 0, "OK"))
		d.chat()
	default:
		d.refuse(reasonOrder)
	}
	if d.over {
		c.fail(reasonAborted)
	}
}

// skipChunk consumes the rest of the present chunk, unless it is absurdly long.
func (c *content) skipChunk() {
	if c.left > c.room-c.size {
		c.fail(reasonEndless)
	}
	w := c.d.w
	for !c.failed() && c.left > 0 {
		n := int64(len(w.buffered()))
		if n == 0 {
			c.fill()
			continue
		}
		n = min(n, c.left)
		w.r += int(n)
		c.size += n
		c.left -= n
	}
}
