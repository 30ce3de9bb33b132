package letter

import (
	"net/url"
	"strings"
)

// Param is one parameter of Content-Type or Content-Disposition.
//
// The pieces of RFC 2231 (name*0, name*1*) are joined, but nothing is decoded:
// IMAP clients decode themselves, and this is what Dovecot gives them. Where a
// piece was percent-encoded, Name ends with "*" and Value is charset'language'text.
type Param struct {
	// Name is in lower case.
	Name string
	// Value is unquoted.
	Value string
}

// Params are the parameters in the order in which they were written, repeats included.
type Params []Param

// Get returns the raw value of the first parameter with that name, given in lower case.
func (p Params) Get(name string) (string, bool) {
	for _, q := range p {
		if q.Name == name {
			return q.Value, true
		}
	}
	return "", false
}

// Text returns the value of a parameter for people: the extended form of RFC 2231
// if there is one, else the plain form with its encoded words decoded, which RFC
// 2047 forbids there and many send.
func (p Params) Text(name string) (string, bool) {
	if v, found := p.Get(name + "*"); found {
		return printable(extended(v)), true
	}
	v, found := p.Get(name)
	if !found {
		return "", false
	}
	return DecodeWords(decodedRaw(v)), true
}

// decodedRaw reads 8-bit text of no declared charset.
func decodedRaw(v string) string {
	for i := range len(v) {
		if v[i] >= 0x80 {
			return decodeText("", []byte(v))
		}
	}
	return v
}

// extended decodes charset'language'text (RFC 2231 4).
func extended(v string) string {
	charset, rest, found := strings.Cut(v, "'")
	if !found {
		charset, rest = "", v
	} else if _, text, two := strings.Cut(rest, "'"); two {
		rest = text
	}
	return decodeText(charset, percentDecode(rest))
}

// percentDecode resolves %XX and leaves everything else.
func percentDecode(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return out
}

// unhex returns the value of a hexadecimal digit, -1 if c is none.
func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// percentEncode writes s as the text of an extended parameter.
func percentEncode(s string) string { return url.PathEscape(s) }

// FileName returns the name that the sender gave to the part, for showing: the
// last element of any path, without controls and characters that turn the reading
// direction, at most 255 octets; empty if there is none. It is never a place to
// store anything, and two parts may share one.
func (p *Part) FileName() string {
	name, found := p.DispositionParams.Text("filename")
	if !found {
		name, _ = p.Params.Text("name")
	}
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	return clip(strings.TrimSpace(shown(name)), 255)
}
