package markup

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

// maxReference is the octets of a reference, & and ; included: &#x0010FFFF; with room.
const maxReference = 32

// reference returns the reference at the source's &, not yet consumed, and the
// character it stands for: one of XML's own five or a number (XML 1.0, 4.1, 4.6).
// Any other entity would need a definition, and nothing here can define one.
func (s *source) reference() (raw []byte, char rune, err error) {
	b, err := s.window(maxReference)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	end := bytes.IndexByte(b[:min(len(b), maxReference)], ';')
	if end < 0 {
		return nil, 0, malformed("an unfinished reference")
	}
	char, ok := character(string(b[1:end]))
	if !ok {
		return nil, 0, malformed("an unknown reference")
	}
	return b[:end+1], char, nil
}

// character returns what a reference's inside stands for.
func character(name string) (rune, bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	return rune(n), err == nil && isChar(rune(n))
}

// isChar reports whether XML allows a character (XML 1.0, 2.2).
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}
