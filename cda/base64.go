package cda

import (
	"encoding/base64"
	"errors"
	"io"

	"github.com/vaguemestre/vaguemestre/fault"
)

// newBase64 decodes base64 as documents have it: white space anywhere, the last
// padding perhaps missing.
func newBase64(r io.Reader) io.Reader {
	return &decoded{base64.NewDecoder(base64.StdEncoding, &compact{r: r})}
}

// decoded gives the decoder's errors a reason.
type decoded struct{ r io.Reader }

// Read reads decoded octets.
func (d *decoded) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	var corrupt base64.CorruptInputError
	if errors.As(err, &corrupt) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fault.Wrap(fault.Invalid, reasonBody, err)
	}
	return n, err
}

// compact drops white space and pads at the end.
type compact struct {
	r    io.Reader
	read int
	err  error
	// padding is what is still to come after the end.
	padding string
}

// Read reads the letters of base64.
func (c *compact) Read(p []byte) (int, error) {
	for len(p) > 0 {
		if c.err != nil {
			n := copy(p, c.padding)
			c.padding = c.padding[n:]
			if n > 0 {
				return n, nil
			}
			return 0, c.err
		}
		n, err := c.r.Read(p)
		kept := p[:0]
		for _, b := range p[:n] {
			if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
				kept = append(kept, b)
			}
		}
		c.read += len(kept)
		if c.err = err; errors.Is(err, io.EOF) {
			c.padding = [4]string{"", "", "==", "="}[c.read%4]
		}
		if len(kept) > 0 {
			return len(kept), nil
		}
	}
	return 0, nil
}
