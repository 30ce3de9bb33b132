package cda

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/vaguemestre/vaguemestre/fault"
)

// sniffed is how many octets tell what a file is.
const sniffed = 4 << 10

// maxPlain is the largest text/plain body that is rendered, in octets.
const maxPlain = 256 << 10

// settle looks into the embedded files, and keeps a body that is a short plain text.
// Only errors of r are returned: a file that cannot be read is of an unknown type.
func (d *Document) settle(r io.ReaderAt) error {
	for i := range d.embedded {
		em := &d.embedded[i]
		head, err := d.head(r, em, sniffed)
		if err != nil {
			return err
		}
		em.MediaType = kind(head, em.Declared)
		if em.MediaType == Unknown && em.encoding == "TXT" && !strings.HasPrefix(em.Declared, "text/") {
			// A sender that forgets representation="B64".
			coded := *em
			coded.encoding = "B64"
			if head, err = d.head(r, &coded, sniffed); err != nil {
				return err
			}
			if coded.MediaType = kind(head, em.Declared); coded.MediaType != Unknown {
				*em = coded
			}
		}
		if !em.Body {
			continue
		}
		if err := d.settleBody(r, em); err != nil {
			return err
		}
	}
	return nil
}

// settleBody keeps a plain text, and warns of a body that cannot be shown.
func (d *Document) settleBody(r io.ReaderAt, em *Embedded) error {
	switch {
	case em.compressed:
		d.warn("body-compressed")
	case em.MediaType == Unknown:
		d.warn("body-unknown")
	case em.MediaType == "text/plain":
		text, err := d.head(r, em, maxPlain+1)
		if err != nil || len(text) > maxPlain {
			return err
		}
		d.plain = characters(text)
	}
	return nil
}

// head returns the first octets of an embedded file, as far as it can be decoded.
func (d *Document) head(r io.ReaderAt, em *Embedded, n int64) ([]byte, error) {
	opened := *em
	opened.source = r
	file, err := opened.Open()
	if err != nil {
		return nil, nil // compressed
	}
	defer file.Close()
	head, err := io.ReadAll(io.LimitReader(file, n))
	if err != nil && !fault.Is(err, fault.Invalid) {
		return nil, err
	}
	return head, nil
}

// kind tells a file by its first octets. A text is one only if it is declared so: HTML
// and SVG are texts too.
func kind(head []byte, declared string) string {
	switch {
	case bytes.HasPrefix(head, []byte("%PDF-")):
		return "application/pdf"
	case bytes.HasPrefix(head, []byte("\xFF\xD8\xFF")):
		return "image/jpeg"
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1A\n")):
		return "image/png"
	case declared == "text/plain" && len(head) > 0 && !bytes.ContainsFunc(head, control):
		return "text/plain"
	}
	return Unknown
}

// control reports whether a character does not occur in a text.
func control(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\r\f", r) || r == 0x7F }

// characters reads octets as UTF-8, or else as ISO 8859-1, in which every octet is a
// character.
func characters(b []byte) string {
	if b = bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF")); utf8.Valid(b) {
		return string(b)
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}
