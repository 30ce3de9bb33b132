package smtpd

import "bytes"

// step is why a scan ended.
type step uint8

const (
	// stepPass: the window is clean as far as it goes.
	stepPass step = iota
	// stepMore: a dot begins a line at the end of the window; its meaning needs more input.
	stepMore
	// stepSkip: the next octet is a stuffed dot, to be dropped (RFC 5321 4.5.2).
	stepSkip
	// stepEnd: the next three octets are the final dot and its CRLF.
	stepEnd
	// stepLine: a CR or LF stands alone.
	stepLine
	// stepNUL: there is a NUL.
	stepNUL
	// stepDot: a line begins with a dot that is neither stuffed nor the end.
	stepDot
	// stepFalseEnd: a dot stands where other software may see a line of its own.
	stepFalseEnd
)

// scanner judges the octets of a letter as they come, in windows of any size. Its
// zero value stands at the beginning of a line; stuffed says that lines are
// dot-stuffed (DATA), and not (BDAT).
//
// The rules are those that no conforming sender breaks and that smuggling needs
// (spec security 2.1): servers have disagreed on each of them about where a
// letter ends.
type scanner struct {
	stuffed bool

	inLine bool // octets of the present line have passed
	cr     bool // the last octet that passed was a CR
	tail   [lookback]byte
	kept   int // octets in tail: the last ones of the present line, up to lookback
}

// lookback is how much of a line's end is looked at: a dot behind a separator of
// at most three octets.
const lookback = 4

// scan judges b and returns how many of its first octets, at most limit, are
// content to pass on, and why it stopped there. Octets that were passed are not
// to be shown again.
func (s *scanner) scan(b []byte, limit int) (int, step) {
	n, end := 0, min(len(b), limit)
	for n < end {
		if s.cr {
			if b[n] != '\n' {
				return n, stepLine
			}
			if falseEnd(s.tail[:s.kept]) {
				return n, stepFalseEnd
			}
			s.newLine()
			n++
			continue
		}
		if b[n] == '.' && s.stuffed && !s.inLine {
			return n, s.dot(b[n:])
		}
		passed, st := s.line(b[n:end])
		n += passed
		if st != stepPass {
			return n, st
		}
	}
	return n, stepPass
}

// line judges b up to the end of its first line, or to its own end.
func (s *scanner) line(b []byte) (int, step) {
	lf := bytes.IndexByte(b, '\n')
	part := b
	if lf >= 0 {
		part = b[:lf]
	}
	if bytes.IndexByte(part, 0) >= 0 {
		return 0, stepNUL
	}
	cr := bytes.IndexByte(part, '\r')
	if cr >= 0 && cr != len(part)-1 || lf >= 0 && cr < 0 {
		return 0, stepLine
	}
	if cr >= 0 {
		part = part[:cr]
	}
	if lf < 0 {
		s.keep(part)
		s.cr = cr >= 0
		return len(b), stepPass
	}
	if len(part) < lookback && s.kept > 0 {
		s.keep(part)
		part = s.tail[:s.kept]
	}
	if falseEnd(part) {
		return 0, stepFalseEnd
	}
	s.newLine()
	return lf + 1, stepPass
}

// dot says what a dot at the beginning of a stuffed line means.
func (s *scanner) dot(b []byte) step {
	switch {
	case len(b) > 1 && b[1] == '.':
		s.inLine = true // the second dot is content
		return stepSkip
	case len(b) > 2 && b[1] == '\r' && b[2] == '\n':
		return stepEnd
	case len(b) == 1 || len(b) == 2 && b[1] == '\r':
		return stepMore
	case b[1] == '\r' || b[1] == '\n':
		return stepLine
	default:
		return stepDot
	}
}

// finish judges the end of the content: it may not fall inside a line end.
func (s *scanner) finish() step {
	if s.cr {
		return stepLine
	}
	return stepPass
}

// keep remembers the last octets of an unfinished line.
func (s *scanner) keep(part []byte) {
	s.inLine = true
	if len(part) >= lookback {
		s.kept = copy(s.tail[:], part[len(part)-lookback:])
		return
	}
	old := min(s.kept, lookback-len(part))
	copy(s.tail[:], s.tail[s.kept-old:s.kept])
	s.kept = old + copy(s.tail[old:], part)
}

// newLine stands at the beginning of a line.
func (s *scanner) newLine() {
	s.inLine, s.cr, s.kept = false, false, 0
}

// falseEnd reports whether a line (without its CRLF) ends in a dot behind
// something that some software takes for a line end: VT, FF, FS to US, or NEL,
// LS and PS in UTF-8 (Unicode 5.8, UAX 14).
func falseEnd(line []byte) bool {
	dot := len(line) - 1
	if dot < 1 || line[dot] != '.' {
		return false
	}
	before := line[:dot]
	switch c := before[dot-1]; {
	case c == '\v', c == '\f', 0x1c <= c && c <= 0x1f:
		return true
	case c == 0x85:
		return bytes.HasSuffix(before, []byte("\u0085"))
	case c == 0xa8, c == 0xa9:
		return bytes.HasSuffix(before, []byte("\u2028")) || bytes.HasSuffix(before, []byte("\u2029"))
	}
	return false
}
