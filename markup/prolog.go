package markup

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// maxDeclaration is the octets of an XML declaration.
const maxDeclaration = 256

// prolog passes over the byte order mark and the XML declaration, and refuses every
// encoding but UTF-8 and its subset US-ASCII: another reader could see another text.
func (s *source) prolog() error {
	const mark = "\xEF\xBB\xBF"
	if s.has(mark) {
		s.skip(len(mark))
		if s.has(mark) {
			return refuse(reasonEncoding)
		}
	}
	b, err := s.window(len("<?xml "))
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case len(b) == 0:
		return malformed("an empty document")
	case b[0] != '<' && !space(b[0]):
		// Octets of another encoding, EBCDIC and UTF-16 with its mark among them.
		return refuse(reasonEncoding)
	case bytes.IndexByte(b, 0) >= 0: // UTF-16 or UTF-32 without a mark
		return refuse(reasonEncoding)
	case len(b) < 6 || string(b[:5]) != "<?xml" || !space(b[5]):
		return nil
	}
	b, err = s.window(maxDeclaration)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	end := bytes.Index(b[:min(len(b), maxDeclaration)], []byte("?>"))
	if end < 0 {
		return malformed("an unfinished declaration")
	}
	if err := s.declaration(string(b[5:end])); err != nil {
		return err
	}
	s.skip(end + 2)
	return nil
}

// declaration reads the inside of an XML declaration (XML 1.0, 2.8).
func (s *source) declaration(text string) error {
	for n := 0; ; n++ {
		rest := strings.TrimLeft(text, " \t\r\n")
		if rest == "" {
			if n == 0 {
				return malformed("a declaration without a version")
			}
			return nil
		}
		if rest == text {
			return malformed("a declaration without spaces")
		}
		name, value, after, ok := pseudo(rest)
		switch {
		case !ok:
			return malformed("a declaration that cannot be read")
		case n == 0 && name != "version", n > 0 && name == "version":
			return malformed("a declaration whose version is not first")
		case name == "version" && value != "1.0":
			return refuse(reasonEncoding)
		case name == "encoding" && strings.EqualFold(value, "us-ascii"):
			s.ascii = true
		case name == "encoding" && !strings.EqualFold(value, "utf-8"):
			return refuse(reasonEncoding)
		case name != "version" && name != "encoding" && name != "standalone":
			return malformed("a declaration with an unknown part")
		}
		text = after
	}
}

// pseudo cuts one name="value" of a declaration.
func pseudo(s string) (name, value, rest string, ok bool) {
	name, s, ok = strings.Cut(s, "=")
	if !ok {
		return "", "", "", false
	}
	s = strings.TrimLeft(s, " \t\r\n")
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return "", "", "", false
	}
	value, rest, ok = strings.Cut(s[1:], s[:1])
	return strings.TrimRight(name, " \t\r\n"), value, rest, ok
}

// space reports whether an octet is XML's white space.
func space(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
