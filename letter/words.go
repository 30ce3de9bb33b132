package letter

import (
	"fmt"
	"io"
	"mime"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
)

// maxWords is the longest header value in octets that is decoded; the rest of a
// longer one is left out. Nothing shown or searched needs more.
const maxWords = 64 << 10

// DecodeWords returns a header value for people and for search: the encoded words
// of RFC 2047 are decoded, in every charset that the web knows; those that cannot
// be decoded stay as they are. The result is valid UTF-8 without control
// characters, since an encoded word may hold line ends.
func DecodeWords(s string) string {
	if len(s) > maxWords {
		s = s[:maxWords]
	}
	if strings.Contains(s, "=?") {
		d := mime.WordDecoder{CharsetReader: charsetReader}
		if text, err := d.DecodeHeader(s); err == nil {
			s = text
		}
	}
	return printable(s)
}

// charsetReader decodes input for mime.WordDecoder. An unknown charset is read as
// it is: one odd word shall not keep the others from being read.
func charsetReader(charset string, input io.Reader) (io.Reader, error) {
	e := charsetOf(charset)
	if e == nil {
		return input, nil
	}
	return e.NewDecoder().Reader(input), nil
}

// charsetOf returns the encoding of that name, nil if there is none.
func charsetOf(name string) encoding.Encoding {
	name, _, _ = strings.Cut(name, "*") // RFC 2231 5: a language may follow
	if e, err := htmlindex.Get(name); err == nil {
		return e
	}
	if e, err := ianaindex.MIME.Encoding(name); err == nil {
		return e
	}
	return nil
}

// decodeText returns b as UTF-8. Without a charset that is known, what is no UTF-8
// is read as windows-1252, which is what mail without a charset mostly holds.
func decodeText(charset string, b []byte) string {
	e := charsetOf(charset)
	if e == nil {
		if s := string(b); strings.ToValidUTF8(s, "") == s {
			return s
		}
		e = charsetOf("windows-1252")
	}
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return string(b)
	}
	return string(out)
}

// encodeWords returns text as a header value in US-ASCII (RFC 2047), folded so
// that no line passes 76 columns when it starts at column start.
func encodeWords(text string, start int) string {
	clean := printable(text)
	encoded := mime.QEncoding.Encode("utf-8", clean)
	if encoded == clean {
		return fold(clean, start)
	}
	return fold(encoded, start)
}

// fold breaks a value at spaces so that lines stay within 76 columns where they
// can (RFC 5322 2.1.1 asks for at most 78).
func fold(value string, start int) string {
	var b strings.Builder
	column := start
	for i, word := range strings.Split(value, " ") {
		if i > 0 {
			if column+1+len(word) > 76 {
				b.WriteString("\r\n")
				column = 0
			}
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

// quoteWord returns s as a quoted string (RFC 5322 3.2.4) of printable US-ASCII.
func quoteWord(s string) string {
	return fmt.Sprintf("%q", ascii(s))
}
