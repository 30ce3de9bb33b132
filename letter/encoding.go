package letter

import "bytes"

// base64Values gives the value of each octet in a base64 body (RFC 2045 6.8): 0 to
// 63 for a symbol, else one of the classes below.
const base64Values = "" +
	"\x42\x42\x42\x42\x42\x42\x42\x42\x42\x40\x40\x42\x42\x40\x42\x42" +
	"\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42" +
	"\x40\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x3e\x42\x42\x42\x3f" +
	"\x34\x35\x36\x37\x38\x39\x3a\x3b\x3c\x3d\x42\x42\x42\x41\x42\x42" +
	"\x42\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e" +
	"\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x42\x42\x42\x42\x42" +
	"\x42\x1a\x1b\x1c\x1d\x1e\x1f\x20\x21\x22\x23\x24\x25\x26\x27\x28" +
	"\x29\x2a\x2b\x2c\x2d\x2e\x2f\x30\x31\x32\x33\x42\x42\x42\x42\x42" +
	"\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42" +
	"\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42" +
	"\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42" +
	"\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42" +
	"\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42" +
	"\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42" +
	"\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42" +
	"\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42\x42"

// The classes of octets that are no symbol.
const (
	base64White   = 0x40
	base64Padding = 0x41
	base64Junk    = 0x42
)

// base64 counts the symbols of a base64 body, and notes what else stands there.
func (c *content) base64(p []byte) {
	if c.padding == 0 && len(c.first) == sniffed {
		if text, _ := cutEnd(p); allSymbols(text) {
			c.symbols += int64(len(text))
			return
		}
	}
	for _, b := range p {
		switch v := base64Values[b]; v {
		case base64White:
		case base64Padding:
			c.padding++
		case base64Junk:
			c.doubts.add(doubtBase64Junk)
		default:
			if c.padding > 0 {
				c.doubts.add(doubtBase64Padding)
			}
			c.bits = c.bits<<6 | uint32(v)
			if c.symbols++; c.symbols%4 == 0 {
				c.sniff([]byte{byte(c.bits >> 16), byte(c.bits >> 8), byte(c.bits)})
			}
		}
	}
}

// allSymbols reports whether p is nothing but symbols: eight at a time, since most
// of the octets that a delivery sees pass here.
func allSymbols(p []byte) bool {
	all := byte(0)
	for len(p) >= 8 {
		q := p[:8]
		all |= base64Values[q[0]] | base64Values[q[1]] | base64Values[q[2]] | base64Values[q[3]] |
			base64Values[q[4]] | base64Values[q[5]] | base64Values[q[6]] | base64Values[q[7]]
		p = p[8:]
	}
	for _, b := range p {
		all |= base64Values[b]
	}
	return all < base64White
}

// escape is a place in a quoted-printable escape (RFC 2045 6.7).
type escape uint8

const (
	escapeNone  escape = iota
	escapeEqual        // after the equals sign
	escapeDigit        // after its first digit
	escapeBreak        // in the white space of a soft line break
)

// quoted notes the escapes of a quoted-printable body that readers resolve in
// different ways.
func (c *content) quoted(p []byte) {
	for len(p) > 0 {
		if c.escape == escapeNone {
			i := bytes.IndexByte(p, '=')
			if i < 0 {
				c.sniff(p)
				return
			}
			c.sniff(p[:i])
			c.escape = escapeEqual
			p = p[i+1:]
			continue
		}
		if c.unescape(p[0]) {
			p = p[1:]
		}
	}
}

// unescape takes the next octet of an escape, and reports whether it belongs to it.
func (c *content) unescape(b byte) bool {
	at := c.escape
	c.escape = escapeNone
	switch {
	case b == '\n' && at != escapeDigit:
		return true
	case (b == ' ' || b == '\t' || b == '\r') && at != escapeDigit:
		c.escape = escapeBreak
		return true
	case at == escapeEqual && unhex(b) >= 0:
		c.escape, c.digit = escapeDigit, b
		return true
	case at == escapeDigit && unhex(b) >= 0:
		if b >= 'a' || c.digit >= 'a' {
			c.doubts.add(doubtQuotedLower)
		}
		c.sniff([]byte{byte(unhex(c.digit)<<4 | unhex(b))})
		return true
	}
	c.doubts.add(doubtQuotedJunk)
	return false
}
