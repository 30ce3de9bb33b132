package letter

import "bytes"

// embedded finds files that are written into a text in the ways that came before
// MIME: some readers show them as attachments, others as text.
type embedded struct {
	// began says that the last line was a uuencode header.
	began bool
}

// line looks at one line, or at the beginning of one that is very long.
func (e *embedded) line(text []byte) (d doubts) {
	if e.began {
		e.began = false
		if uuLine(text) {
			d.add(doubtUuencode)
		}
	}
	if len(text) == 0 {
		return d
	}
	switch text[0] {
	case 'b':
		e.began = uuHeader(text)
	case '(':
		if bytes.HasPrefix(text, []byte("(This file must be converted with BinHex")) {
			d.add(doubtBinHex)
		}
	case '=':
		if bytes.HasPrefix(text, []byte("=ybegin ")) {
			d.add(doubtYEnc)
		}
	}
	return d
}

// uuHeader reports whether text is "begin MODE NAME".
func uuHeader(text []byte) bool {
	rest, found := bytes.CutPrefix(text, []byte("begin "))
	if !found {
		return false
	}
	mode, name, _ := bytes.Cut(rest, []byte(" "))
	if len(mode) < 3 || len(mode) > 4 || len(name) == 0 {
		return false
	}
	for _, c := range mode {
		if c < '0' || c > '7' {
			return false
		}
	}
	return true
}

// uuLine reports whether text has the length that its first octet announces.
// Trailing spaces may be lost on the way, and a checksum may follow.
func uuLine(text []byte) bool {
	if len(text) < 2 || text[0] < ' ' || text[0] > '`' {
		return false
	}
	octets := (int(text[0]) - ' ') & 63
	symbols := (octets + 2) / 3 * 4
	return octets > 0 && len(text)-1 >= symbols-2 && len(text)-1 <= symbols+1
}
