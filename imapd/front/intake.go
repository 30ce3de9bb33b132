package front

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// bounds are what one command may cost.
type bounds struct {
	line     int   // octets of one line, and of all lines and literals together
	literal  int64 // octets of one literal that is held in memory
	literals int   // number of literals
	depth    int   // nesting of parentheses
	discard  int64 // octets that are read and thrown away before we rather close
}

// Before login: spec security 2.5, line 8 KiB and literal 4 KiB. After it: the
// library reads 50 KiB of a command and then mistakes the rest for the next one,
// so 48 KiB; LITERAL- allows 4096 octets (RFC 7888 5); nesting 32 (spec security 2.5).
func earlyBounds() bounds { return bounds{8 << 10, 4 << 10, 8, 4, 64 << 10} }
func lateBounds() bounds  { return bounds{48 << 10, 4 << 10, 256, 32, 1 << 20} }

// intake reads a client's commands: lines end in CRLF, literals are exactly as
// long as announced, and what is refused is consumed or ends the connection.
// Nothing that a client sends as data is ever read as a command.
type intake struct {
	br *bufio.Reader
	bounds
	// message is the largest message that APPEND may announce.
	message int64
	// invite sends a continuation request and flushes it.
	invite func() error
}

// errLong is a line over its bound; it has been read to its end or not.
var errLong = errors.New("line too long")

// next reads a command to its end, or to the message of an APPEND. Its error is
// a *refusal, or what reading failed with.
func (in *intake) next() (command, error) {
	line, err := in.line(in.bounds.line)
	if errors.Is(err, errLong) {
		return command{}, &refusal{tag: tagOf(line), reply: "BAD [TOOBIG] The command is too long", bye: true}
	} else if err != nil {
		return command{}, err
	}
	c, args, err := splitName(line)
	if err != nil {
		return command{}, in.refuse(line, err)
	}
	v, known := verbOf(c.name)
	switch {
	case !known:
		return c, in.refuse(line, &refusal{tag: c.tag, reply: "BAD Unknown command"})
	case v.args == bare && args < len(line):
		return c, in.refuse(line, &refusal{tag: c.tag, reply: "BAD This command has no arguments"})
	case v.args == bare:
		c.line = append(line, crlf...)
		return c, nil
	}
	return c, in.arguments(&c, line, args)
}

// arguments follows the command through its literals.
func (in *intake) arguments(c *command, line []byte, args int) error {
	var s scan
	for count := 0; ; count++ {
		at, lit, err := s.line(line)
		if err != nil {
			return badSyntax(c.tag, line, err)
		}
		c.line = append(c.line, line[:at]...)
		if s.deepest > in.depth {
			return in.refuse(line, &refusal{tag: c.tag, reply: "BAD [LIMIT] Too many parentheses"})
		}
		if lit == nil {
			c.line = append(c.line, crlf...)
			return in.whole(c)
		}
		if c.name == "APPEND" && len(c.line) > args+1 {
			return in.announce(c, lit, s.depth)
		}
		if line, err = in.literal(c, lit, count); err != nil {
			return err
		}
	}
}

// whole refuses a command that has grown too long with its literals.
func (in *intake) whole(c *command) error {
	if len(c.line) > in.bounds.line {
		return &refusal{tag: c.tag, reply: "BAD [TOOBIG] The command is too long"}
	}
	return nil
}

// announce ends the line of an APPEND before its message. The library is shown an
// empty literal; the session reads the octets from the front itself.
func (in *intake) announce(c *command, lit *announced, depth int) error {
	if lit.size > in.message {
		return in.skip(lit, &refusal{tag: c.tag, reply: "NO [TOOBIG] The message is too large"})
	}
	if lit.nonSync && lit.size > in.bounds.literal {
		// RFC 7888 5: with LITERAL- such a literal is refused, with this code.
		return in.skip(lit, &refusal{tag: c.tag, reply: "BAD [TOOBIG] Wait for the invitation"})
	}
	if depth > 0 {
		lit.tail = ")" + crlf
	}
	c.message = lit
	c.line = append(c.line, "{0+}\r\n"...)
	return in.whole(c)
}

// literal reads a literal that is part of a command and adds it to the line as a
// quoted string; it returns the line that follows.
func (in *intake) literal(c *command, lit *announced, count int) ([]byte, error) {
	switch {
	case count >= in.literals:
		return nil, in.skip(lit, &refusal{tag: c.tag, reply: "BAD [LIMIT] Too many literals"})
	case lit.size > in.bounds.literal, len(c.line)+int(lit.size) > in.bounds.line:
		return nil, in.skip(lit, &refusal{tag: c.tag, reply: "BAD [TOOBIG] The literal is too large"})
	}
	if !lit.nonSync {
		if err := in.invite(); err != nil {
			return nil, err
		}
	}
	octets := make([]byte, lit.size)
	if _, err := io.ReadFull(in.br, octets); err != nil {
		return nil, err
	}
	if bytes.ContainsAny(octets, "\x00\r\n") {
		lost, err := in.rest()
		if err != nil {
			return nil, err
		}
		return nil, &refusal{tag: c.tag, reply: "NO [CANNOT] A NUL or a line end inside an argument", bye: lost}
	}
	c.line = appendQuoted(c.line, octets)
	line, err := in.line(in.bounds.line)
	if errors.Is(err, errLong) {
		return nil, &refusal{tag: c.tag, reply: "BAD [TOOBIG] The command is too long", bye: true}
	}
	return line, err
}

// refuse answers a line that will not be run; a literal that it announces is
// skipped with all that follows it.
func (in *intake) refuse(line []byte, because error) error {
	r, ok := asRefusal(because)
	if !ok {
		return because
	}
	var s scan
	_, lit, err := s.line(line)
	if err != nil {
		r.bye = r.bye || maybeLiteral(line, err)
	}
	if lit == nil {
		return r
	}
	return in.skip(lit, r)
}

// skip throws a literal and the rest of its command away, if the client is
// sending them unasked; too much of it ends the connection (RFC 7888 4).
func (in *intake) skip(lit *announced, r *refusal) error {
	switch {
	case !lit.nonSync:
		// A client that waits for our invitation has sent nothing more; one
		// that did not wait is not to be believed any longer.
		r.bye = r.bye || in.br.Buffered() > 0
		return r
	case lit.size > in.discard:
		r.bye = true
		return r
	}
	if err := in.drop(lit.size); err != nil {
		return err
	}
	lost, err := in.rest()
	if err != nil {
		return err
	}
	r.bye = r.bye || lost
	return r
}

// rest throws away what is left of a command after one of its literals. It
// reports whether it lost track of where the next command begins.
func (in *intake) rest() (lost bool, err error) {
	left := in.discard
	for {
		line, err := in.line(in.bounds.line)
		if _, refused := asRefusal(err); refused || errors.Is(err, errLong) {
			return true, nil
		} else if err != nil {
			return true, err
		}
		var s scan
		_, lit, err := s.line(line)
		switch {
		case err != nil:
			return maybeLiteral(line, err), nil
		case lit == nil:
			return false, nil
		case !lit.nonSync:
			return in.br.Buffered() > 0, nil
		}
		if left -= lit.size; left < 0 {
			return true, nil
		}
		if err := in.drop(lit.size); err != nil {
			return true, err
		}
	}
}

// drop reads n octets and forgets them.
func (in *intake) drop(n int64) error {
	_, err := io.CopyN(io.Discard, in.br, n)
	return err
}

// line reads one line and returns it without its CRLF, which it must have. A
// line of over max octets is errLong; its beginning is returned.
func (in *intake) line(max int) ([]byte, error) {
	var line []byte
	for {
		piece, err := in.br.ReadSlice('\n')
		if len(line)+len(piece) > max+len(crlf) {
			return append(line, piece...), errLong
		}
		line = append(line, piece...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return nil, err
		}
		whole, ok := bytes.CutSuffix(line, []byte(crlf))
		if !ok {
			return nil, &refusal{tag: tagOf(line), reply: "BAD Lines end in CRLF", bye: true}
		}
		return whole, nil
	}
}

// tagOf returns the tag of a line that was not understood, if it has one.
func tagOf(line []byte) string {
	c, _, _ := splitName(line)
	return c.tag
}
