package markup

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// source reads octets with a look ahead and counts them. Its methods check that
// what passes is UTF-8 without control characters.
type source struct {
	br *bufio.Reader
	// off is the offset of the next octet in the original.
	off int64
	// ascii says that the declaration promised US-ASCII.
	ascii bool
}

// ahead is the size of the look ahead: the most text that passes at once.
const ahead = 16 << 10

func newSource(r io.Reader) *source {
	return &source{br: bufio.NewReaderSize(&sticky{r: r}, ahead)}
}

// sticky repeats the first error of a reader: a look ahead may meet it first, and
// what comes after it must not be taken for the next octets.
type sticky struct {
	r   io.Reader
	err error
}

// Read reads until the first error.
func (s *sticky) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	s.err = err
	return n, err
}

// skip passes over n octets that were peeked.
func (s *source) skip(n int) {
	s.off += int64(n)
	_, _ = s.br.Discard(n) // they are in the buffer: it cannot fail
}

// longestOpening is the octets that tell what begins at a <.
const longestOpening = len("<![CDATA[")

// has reports whether the next octets are prefix. At the end of the input, or when
// the source fails, they are not; the error comes with the next read.
func (s *source) has(prefix string) bool {
	b, _ := s.br.Peek(len(prefix))
	return string(b) == prefix
}

// window returns at least want octets of look ahead, and as many more as are
// buffered. It returns io.EOF when fewer than want are left, with those left.
func (s *source) window(want int) ([]byte, error) {
	if _, err := s.br.Peek(want); err != nil {
		b, _ := s.br.Peek(s.br.Buffered())
		return b, err
	}
	return s.br.Peek(s.br.Buffered())
}

// octet reads one octet. The end of the input is a truncated document.
func (s *source) octet() (byte, error) {
	b, err := s.br.ReadByte()
	if err != nil {
		return 0, cutShort(err)
	}
	s.off++
	return b, nil
}

// cutShort turns the end of the input into the refusal of a truncated document.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return malformed("the document ends early")
	}
	return err
}

// run returns the buffered octets up to the first of the stop octets, at most
// ahead of them, checked; they are not yet consumed. It is empty at a stop octet and
// at the end of the input (io.EOF).
func (s *source) run(stops string) ([]byte, error) {
	for want := 1; ; want++ {
		b, err := s.window(want)
		if err != nil && (len(b) == 0 || !errors.Is(err, io.EOF)) {
			return nil, err
		}
		stopped := false
		if i := bytes.IndexAny(b, stops); i >= 0 {
			b, stopped = b[:i], true
		}
		whole := b
		if !stopped && err == nil {
			whole = b[:len(b)-unfinished(b)]
		}
		if len(whole) > 0 || stopped {
			return whole, s.check(whole)
		}
		if err != nil {
			return nil, refuse(reasonEncoding) // the input ends inside a character
		}
	}
}

// unfinished returns how many octets at the end of b begin a character of UTF-8
// that is not whole.
func unfinished(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

// check refuses octets that are no characters of XML (XML 1.0, 2.2).
func (s *source) check(b []byte) error {
	high := false
	for _, c := range b {
		switch {
		case c >= utf8.RuneSelf:
			high = true
		case c >= ' ', c == '\t', c == '\n', c == '\r':
		case c == 0:
			return refuse(reasonEncoding)
		default:
			return malformed("a control character")
		}
	}
	switch {
	case !high:
		return nil
	case s.ascii, !utf8.Valid(b):
		return refuse(reasonEncoding)
	case bytes.Contains(b, []byte("\uFFFE")), bytes.Contains(b, []byte("\uFFFF")):
		return malformed("no character")
	}
	return nil
}

// until passes over everything up to and including end, whose first octet occurs
// nowhere else in it or begins each of its suffixes ("-->", "?>", "]]>").
func (s *source) until(end string) error {
	for {
		if err := s.before(end[0]); err != nil {
			return err
		}
		if s.has(end) {
			s.skip(len(end))
			return nil
		}
		if _, err := s.octet(); err != nil {
			return err
		}
	}
}

// before passes over checked octets up to the first stop.
func (s *source) before(stop byte) error {
	for {
		b, err := s.run(string(stop))
		if err != nil {
			return cutShort(err)
		}
		if len(b) == 0 {
			return nil
		}
		s.skip(len(b))
	}
}

// comment passes over a comment; "--" inside is malformed (XML 1.0, 2.5).
func (s *source) comment() error {
	s.skip(len("<!--"))
	if err := s.until("--"); err != nil {
		return err
	}
	if b, err := s.octet(); err != nil || b != '>' {
		return errors.Join(err, malformed("-- in a comment"))
	}
	return nil
}

// instruction passes over a processing instruction. A declaration is none: it
// stands first or not at all.
func (s *source) instruction() error {
	s.skip(len("<?"))
	target, err := s.window(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if len(target) < 4 || !nameStart(target[0]) {
		return malformed("an instruction without a target")
	}
	if bytes.EqualFold(target[:3], []byte("xml")) && !nameByte(target[3]) {
		return malformed("a declaration that is not first")
	}
	return s.until("?>")
}

// nameStart reports whether a name may begin with an octet, as far as one octet
// tells; encoding/xml checks the characters.
func nameStart(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= utf8.RuneSelf
}

// nameByte reports whether an octet may stand in a name.
func nameByte(c byte) bool {
	return nameStart(c) || c >= '0' && c <= '9' || c == '-' || c == '.' || c == ':'
}
