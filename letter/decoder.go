package letter

import "io"

// Decoder returns the content of p, given its body, decoded from its transfer
// encoding as [Decode] does.
func (p *Part) Decoder(r io.Reader) io.Reader { return Decode(r, p.Encoding) }

// Text returns the first limit octets of the content of a text part, given its
// body, in UTF-8. Without a charset that is known, what is no UTF-8 is read as
// windows-1252. It fails only as r fails.
func (p *Part) Text(r io.Reader, limit int) (string, error) {
	b, err := io.ReadAll(io.LimitReader(p.Decoder(r), int64(limit)))
	if err != nil {
		return "", err
	}
	charset, _ := p.Params.Get("charset")
	return decodeText(charset, b), nil
}

// decoder reads r through a decoding that never makes more octets than it takes,
// the few that it held back aside.
type decoder struct {
	r      io.Reader
	decode func(dst, src []byte, last bool) []byte
	in     [4 << 10]byte
	out    []byte // decoded, not read yet
	buf    []byte
	err    error
}

// Read implements io.Reader.
func (d *decoder) Read(p []byte) (int, error) {
	for len(d.out) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		n, err := d.r.Read(d.in[:])
		d.err = err
		d.buf = d.decode(d.buf[:0], d.in[:n], err == io.EOF)
		d.out = d.buf
	}
	n := copy(p, d.out)
	d.out = d.out[n:]
	return n, nil
}

// base64Decoder decodes base64 (RFC 2045 6.8).
type base64Decoder struct {
	bits  uint32
	count int // symbols in bits
}

// decode appends what src decodes to.
func (d *base64Decoder) decode(dst, src []byte, last bool) []byte {
	for _, b := range src {
		v := base64Values[b]
		if v == base64Padding {
			dst = d.flush(dst)
		}
		if v >= base64White {
			continue
		}
		d.bits = d.bits<<6 | uint32(v)
		if d.count++; d.count == 4 {
			dst = append(dst, byte(d.bits>>16), byte(d.bits>>8), byte(d.bits))
			d.bits, d.count = 0, 0
		}
	}
	if last {
		dst = d.flush(dst)
	}
	return dst
}

// flush appends what an incomplete group holds.
func (d *base64Decoder) flush(dst []byte) []byte {
	switch d.count {
	case 2:
		dst = append(dst, byte(d.bits>>4))
	case 3:
		dst = append(dst, byte(d.bits>>10), byte(d.bits>>2))
	}
	d.bits, d.count = 0, 0
	return dst
}

// quotedDecoder decodes quoted-printable (RFC 2045 6.7).
type quotedDecoder struct {
	held [3]byte // an equals sign and what follows it, while it may be an escape
	n    int
}

// decode appends what src decodes to.
func (d *quotedDecoder) decode(dst, src []byte, last bool) []byte {
	for _, b := range src {
		dst = d.octet(dst, b)
	}
	if last && d.n > 0 {
		dst = append(dst, d.held[:d.n]...)
		d.n = 0
	}
	return dst
}

// octet takes one octet.
func (d *quotedDecoder) octet(dst []byte, b byte) []byte {
	switch {
	case d.n == 0 && b != '=':
		return append(dst, b)
	case d.n == 0:
		d.held[0], d.n = b, 1
		return dst
	case d.n == 1 && b == '\n', d.n == 2 && d.held[1] == '\r' && b == '\n':
		d.n = 0 // a soft line break
		return dst
	case d.n == 1 && (b == '\r' || unhex(b) >= 0):
		d.held[1], d.n = b, 2
		return dst
	case d.n == 1 && (b == ' ' || b == '\t'):
		return dst // white space before a soft line break
	case d.n == 2 && unhex(d.held[1]) >= 0 && unhex(b) >= 0:
		d.n = 0
		return append(dst, byte(unhex(d.held[1])<<4|unhex(b)))
	}
	dst = append(dst, d.held[:d.n]...)
	d.n = 0
	return d.octet(dst, b)
}
