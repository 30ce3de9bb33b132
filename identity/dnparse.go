package identity

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// dnParser reads the string form of RFC 4514, with the leniences that ParseDN
// documents.
type dnParser struct{ rest string }

// name reads parts up to the end of the text.
func (p *dnParser) name() ([]rdn, bool) {
	var out []rdn
	for {
		part, ok := p.part()
		if !ok || len(out) == maxRDN {
			return nil, false
		}
		out = append(out, part)
		if p.rest == "" {
			return out, true
		}
		p.rest = p.rest[1:] // the "," or ";" at which part stopped
	}
}

// part reads "type=value" or several joined by "+". It stops at the end or on a
// separator.
func (p *dnParser) part() (rdn, bool) {
	var out rdn
	for {
		typ, ok := p.attributeType()
		if !ok || len(out) == maxRDN {
			return nil, false
		}
		value, ok := p.value()
		if !ok {
			return nil, false
		}
		out = append(out, Attribute{Type: typ, Value: value})
		if !strings.HasPrefix(p.rest, "+") {
			return out, true
		}
		p.rest = p.rest[1:]
	}
}

// attributeType reads up to the "=" and folds the name.
func (p *dnParser) attributeType() (string, bool) {
	name, rest, found := strings.Cut(p.rest, "=")
	if !found {
		return "", false
	}
	p.rest = rest
	return foldType(strings.TrimSpace(name))
}

// value reads a value in one of its three forms and stops on a separator.
func (p *dnParser) value() (string, bool) {
	p.rest = strings.TrimLeft(p.rest, " ")
	switch {
	case strings.HasPrefix(p.rest, `"`):
		return p.quoted()
	case strings.HasPrefix(p.rest, "#"):
		return p.hexValue()
	}
	return p.plain()
}

// quoted reads a value between double quotes (RFC 2253 section 4).
func (p *dnParser) quoted() (string, bool) {
	var b strings.Builder
	s := p.rest[1:]
	for s != "" {
		switch s[0] {
		case '"':
			p.rest = strings.TrimLeft(s[1:], " ")
			return b.String(), p.atSeparator()
		case '\\':
			c, n := unescape(s)
			if n == 0 {
				return "", false
			}
			b.WriteByte(c)
			s = s[n:]
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	return "", false
}

// hexValue reads "#" and the hexadecimal BER of the value (RFC 4514 2.4). Only a
// string type is taken: nothing else can stand in a name that we compare.
func (p *dnParser) hexValue() (string, bool) {
	end := strings.IndexAny(p.rest, ",;+")
	if end < 0 {
		end = len(p.rest)
	}
	der, err := hex.DecodeString(strings.TrimRight(p.rest[1:end], " "))
	if err != nil {
		return "", false
	}
	p.rest = p.rest[end:]
	return berString(der)
}

// plain reads an unquoted value; escaped spaces at the edges stay.
func (p *dnParser) plain() (string, bool) {
	var b strings.Builder
	keep := 0 // length below which trailing spaces were escaped
	s := p.rest
scan:
	for s != "" {
		switch c := s[0]; c {
		case ',', ';', '+':
			break scan
		case '"', '<', '>':
			return "", false
		case '\\':
			c, n := unescape(s)
			if n == 0 {
				return "", false
			}
			b.WriteByte(c)
			s = s[n:]
			keep = b.Len()
		default:
			b.WriteByte(c)
			s = s[1:]
		}
	}
	p.rest = s
	v := b.String()
	return v[:keep] + strings.TrimRight(v[keep:], " "), true
}

// atSeparator reports whether the text ends here or a separator follows.
func (p *dnParser) atSeparator() bool {
	return p.rest == "" || strings.IndexByte(",;+", p.rest[0]) >= 0
}

// unescape reads one escape at the start of s: a backslash before a special
// character or two hexadecimal digits. It returns the octet and the length of
// the escape, 0 if it is none.
func unescape(s string) (byte, int) {
	if len(s) >= 2 && strings.IndexByte(` "#+,;<=>\`, s[1]) >= 0 {
		return s[1], 2
	}
	if len(s) >= 3 {
		if b, err := hex.DecodeString(s[1:3]); err == nil {
			return b[0], 3
		}
	}
	return 0, 0
}

// validValue reports whether v is text that may be shown and compared: UTF-8
// without control or format characters (a NUL or a bidirectional override in a
// name is an attack, never a name).
func validValue(v string) bool {
	if !utf8.ValidString(v) || strings.TrimSpace(v) == "" {
		return false
	}
	for _, r := range v {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return false
		}
	}
	return true
}

// foldType returns the one spelling of an attribute type: a short name in upper
// case, or a dotted OID that has no short name here.
func foldType(name string) (string, bool) {
	name = strings.ToUpper(name)
	name = strings.TrimPrefix(name, "OID.")
	if name == "" || len(name) > 64 {
		return "", false
	}
	switch name {
	case "S":
		return "ST", true
	case "E", "EMAIL":
		return "EMAILADDRESS", true
	case "GN":
		return "GIVENNAME", true
	case "SURNAME":
		return "SN", true
	case "USERID":
		return "UID", true
	}
	if name[0] >= '0' && name[0] <= '9' {
		return shortType(name), dottedOID(name)
	}
	if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		return "", false
	}
	return name, true
}

// dottedOID reports whether s looks like "2.5.4.3".
func dottedOID(s string) bool {
	for arc := range strings.SplitSeq(s, ".") {
		if arc == "" || strings.Trim(arc, "0123456789") != "" || len(arc) > 1 && arc[0] == '0' {
			return false
		}
	}
	return strings.Contains(s, ".")
}

// shortType returns the short name of an OID (RFC 4514 section 3, RFC 4519), or
// the OID itself.
func shortType(oid string) string {
	switch oid {
	case "2.5.4.3":
		return "CN"
	case "2.5.4.4":
		return "SN"
	case "2.5.4.5":
		return "SERIALNUMBER"
	case "2.5.4.6":
		return "C"
	case "2.5.4.7":
		return "L"
	case "2.5.4.8":
		return "ST"
	case "2.5.4.9":
		return "STREET"
	case "2.5.4.10":
		return "O"
	case "2.5.4.11":
		return "OU"
	case "2.5.4.12":
		return "TITLE"
	case "2.5.4.42":
		return "GIVENNAME"
	case "2.5.4.97":
		return "ORGANIZATIONIDENTIFIER"
	case "0.9.2342.19200300.100.1.1":
		return "UID"
	case "0.9.2342.19200300.100.1.25":
		return "DC"
	case "1.2.840.113549.1.9.1":
		return "EMAILADDRESS"
	}
	return oid
}
