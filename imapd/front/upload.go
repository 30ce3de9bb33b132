package front

import (
	"bytes"
	"errors"
	"io"
	"time"
)

// minRate is the slowest upload, in octets per second, beyond the time that a
// silence inside a command may last. Our choice: a 25 MiB letter in 53 minutes.
const minRate = 8 << 10

// Upload is the message of an APPEND. Its octets never pass through the library:
// whatever the library thinks of the command, they cannot become the next one.
type Upload struct {
	conn    *Conn
	lit     *announced
	left    int64
	reached bool // the session took it: the library now waits for the tail
	invited bool // the client is sending
	ended   bool // the tail was read, and right
	err     error
}

// errTail is an APPEND that goes on after its message (MULTIAPPEND, CATENATE).
var errTail = errors.New("an APPEND goes on after its message")

// Size is the announced size in octets.
func (u *Upload) Size() int64 { return u.lit.size }

// Read gives the octets of the message, and io.EOF only when the command ended
// where it must: what is filed is what the client meant to send.
func (u *Upload) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	if !u.invited {
		if u.err = u.start(); u.err != nil {
			return 0, u.err
		}
	}
	if u.left == 0 {
		u.err = u.tail()
		return 0, u.err
	}
	if int64(len(p)) > u.left {
		p = p[:u.left]
	}
	n, err := u.conn.in.br.Read(p)
	if u.left -= int64(n); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		u.err = err
	}
	return n, err
}

// start invites a client that waits for it, and sets the pace.
func (u *Upload) start() error {
	u.invited = true
	if !u.lit.nonSync {
		if err := u.conn.invite(); err != nil {
			return err
		}
	}
	patience := u.conn.gate.bounds.Command
	total := patience + time.Duration(u.lit.size/minRate)*time.Second
	u.conn.guard.expect(patience, time.Now().Add(total))
	return nil
}

// tail reads what must follow the octets.
func (u *Upload) tail() error {
	if u.ended {
		return io.EOF
	}
	line, err := u.conn.in.br.Peek(len(u.lit.tail))
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if !bytes.Equal(line, []byte(u.lit.tail)) {
		return errTail
	}
	_, _ = u.conn.in.br.Discard(len(u.lit.tail))
	u.ended = true
	return io.EOF
}

// finish throws away what the session left of the message and of its command. Its
// error ends the connection.
func (u *Upload) finish() error {
	in := &u.conn.in
	if u.ended {
		return nil
	}
	if !u.invited && !u.lit.nonSync {
		if in.br.Buffered() > 0 {
			return &refusal{reply: "BYE Wait for the invitation", bye: true}
		}
		return nil
	}
	if !u.invited {
		u.invited = true
		u.conn.guard.expect(u.conn.gate.bounds.Command, time.Now().Add(u.conn.gate.bounds.Command))
	}
	if err := in.drop(u.left); err != nil {
		return err
	}
	lost, err := in.rest()
	if err != nil {
		return err
	}
	if lost {
		return &refusal{reply: "BYE The command has no end", bye: true}
	}
	return nil
}
