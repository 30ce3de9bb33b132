package xdm

import (
	"bufio"
	"bytes"
	"io"
)

// ampersands repairs the one mistake that hand-written metadata make: an identity
// "123^^^&1.2.250&ISO^NH" with its ampersands not escaped. An ampersand is text when
// what follows could be no reference for any reader: a character that starts no name,
// or a name without a semicolon. All others pass, for package markup to judge.
type ampersands struct {
	src      *bufio.Reader
	pending  []byte
	tail     []byte // the last octets, to see where a CDATA section or a comment ends
	until    string // what ends the section that we are in, "" outside
	repaired bool
}

func newAmpersands(r io.Reader) *ampersands {
	return &ampersands{src: bufio.NewReaderSize(r, 4<<10)}
}

// referenceMax is the longest name that is looked at; one that is longer passes.
const referenceMax = 64

func (a *ampersands) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(a.pending) > 0 {
			p[n], a.pending = a.pending[0], a.pending[1:]
			n++
			continue
		}
		c, err := a.src.ReadByte()
		if err != nil {
			if n > 0 {
				return n, nil // the error stays in the source and comes again
			}
			return 0, err
		}
		p[n] = c
		n++
		a.track(c)
		if c == '&' && a.until == "" && a.bare() {
			a.pending, a.repaired = []byte("amp;"), true
		}
	}
	return n, nil
}

// track follows sections in which an ampersand is no markup.
func (a *ampersands) track(c byte) {
	const longest = len("<![CDATA[")
	if len(a.tail) == longest {
		copy(a.tail, a.tail[1:])
		a.tail = a.tail[:longest-1]
	}
	a.tail = append(a.tail, c)
	if a.until != "" {
		if bytes.HasSuffix(a.tail, []byte(a.until)) {
			a.until, a.tail = "", a.tail[:0]
		}
		return
	}
	for _, section := range [][2]string{{"<![CDATA[", "]]>"}, {"<!--", "-->"}, {"<?", "?>"}} {
		if bytes.HasSuffix(a.tail, []byte(section[0])) {
			a.until, a.tail = section[1], a.tail[:0]
		}
	}
}

// bare reports whether the ampersand just read begins no reference.
func (a *ampersands) bare() bool {
	next, _ := a.src.Peek(referenceMax)
	if len(next) == 0 || next[0] == '#' {
		return false
	}
	for i, c := range next {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == ':' || c >= 0x80
		later := c >= '0' && c <= '9' || c == '-' || c == '.'
		switch {
		case letter, later && i > 0:
		default:
			return c != ';' || i == 0
		}
	}
	return len(next) < referenceMax
}
