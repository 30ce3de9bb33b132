package leaf

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// Kind says what octets are, by themselves: neither a file's name nor its declared
// type decides what a browser is given to show.
type Kind string

// The kinds. Only the first four are ever shown (spec mssante 7.12: pdf, jpg, png
// and txt); Other is for keeping.
const (
	PDF   Kind = "pdf"
	JPEG  Kind = "jpeg"
	PNG   Kind = "png"
	Text  Kind = "txt"
	Other Kind = "other"
)

// Shown reports whether a page may show octets of this kind.
func (k Kind) Shown() bool { return k != Other && k != "" }

// Image reports whether k is a picture.
func (k Kind) Image() bool { return k == JPEG || k == PNG }

// MIME returns the type under which the octets are served.
func (k Kind) MIME() string {
	switch k {
	case PDF:
		return "application/pdf"
	case JPEG:
		return "image/jpeg"
	case PNG:
		return "image/png"
	case Text:
		return "text/plain; charset=utf-8"
	case Other:
	}
	return "application/octet-stream"
}

// Extension returns the ending of a file's name, with its dot; empty for Other.
func (k Kind) Extension() string {
	switch k {
	case PDF, PNG, Text:
		return "." + string(k)
	case JPEG:
		return ".jpg"
	case Other:
	}
	return ""
}

// sniffed is how much of a text is looked at. Our choice: what comes after is served
// as text all the same, and a browser runs nothing in it.
const sniffed = 64 << 10

// Sniff looks at the first octets. Text is UTF-8 without control characters other
// than white space; an empty file is of no kind. A reader that fails is of no kind
// either: its error comes back when it is shown.
func Sniff(r io.ReaderAt) Kind {
	head := make([]byte, sniffed)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Other
	}
	return SniffOctets(head[:n], errors.Is(err, io.EOF))
}

// SniffOctets is Sniff for the beginning of a file; whole says that this is all of it.
func SniffOctets(head []byte, whole bool) Kind {
	switch {
	case bytes.HasPrefix(head, []byte("%PDF-")): // ISO 32000-1 7.5.2
		return PDF
	case bytes.HasPrefix(head, []byte{0xFF, 0xD8, 0xFF}): // ITU-T T.81 B.1.1.3: SOI, then a marker
		return JPEG
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")): // ISO/IEC 15948 5.2
		return PNG
	case len(head) > 0 && plain(head, whole):
		return Text
	}
	return Other
}

// plain reports whether octets are text that can be shown.
func plain(b []byte, whole bool) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return !whole && !utf8.FullRune(b) // cut within a character
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' || r >= 0x7F && r < 0xA0 {
			return false
		}
		b = b[n:]
	}
	return true
}
