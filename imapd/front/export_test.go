package front

import (
	"bufio"
	"errors"
	"io"
)

// What the tests of this package look at from outside.

// Line is a canonical command as the library would be given it.
type Line struct {
	Text    string
	Message int64 // size of an APPEND's message, -1 if there is none
}

// Lines reads commands as the front does, up to the end or a refusal that ends
// the connection. Messages are skipped.
func Lines(r io.Reader, late bool) ([]Line, error) {
	in := intake{br: bufio.NewReader(r), bounds: earlyBounds(), message: 1 << 20, invite: func() error { return nil }}
	if late {
		in.bounds = lateBounds()
	}
	var out []Line
	for {
		c, err := in.next()
		if refused, ok := asRefusal(err); ok {
			if refused.bye {
				return out, nil
			}
			continue
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		l := Line{Text: string(c.line), Message: -1}
		if c.message != nil {
			l.Message = c.message.size
			if in.drop(c.message.size) != nil {
				return append(out, l), nil
			}
			if lost, err := in.rest(); lost || err != nil {
				return append(out, l), nil
			}
		}
		out = append(out, l)
	}
}
