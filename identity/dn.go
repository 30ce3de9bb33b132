package identity

import (
	"slices"
	"strings"
)

// maxDN bounds the text of a distinguished name and maxRDN the number of its
// parts, so that a hostile list or certificate costs nothing (ours).
const (
	maxDN  = 4096
	maxRDN = 32
)

// Attribute is one "type=value" of a distinguished name. Type is the short name
// of RFC 4514 section 3 in upper case ("CN", "OU", "ST"), or a dotted OID when it
// has none; Value is the text without escapes.
type Attribute struct{ Type, Value string }

// rdn is one relative distinguished name: nearly always one attribute.
type rdn []Attribute

// DN is a distinguished name: the subject of a certificate, or the text of the
// signed whitelist that names it. Both are parsed into attributes and compared
// as such; their texts are never compared (spec mssante 1.6: the same name is
// written with quotes, with spaces, with "&amp;" and in both directions).
//
// A DN is immutable. It has no use for ==: compare with Equal, index by Key.
type DN struct {
	rdns []rdn // most specific first, as in RFC 4514 and in the whitelist: CN … C
	key  string
}

// ParseDN parses the text of a distinguished name in RFC 4514 form, most
// specific part first ("CN=smtp.chu.example,OU=1750048886,O=CHU,ST=Paris (75),C=FR").
// As the whitelist needs, it also takes values in double quotes (RFC 2253
// section 4), spaces around separators and ";" as a separator; a name written
// from the country down is turned round. It fails with the reason "dn-malformed"
// (package fault reads it as fault.Invalid).
func ParseDN(s string) (DN, error) {
	if len(s) > maxDN {
		return DN{}, Malformed("dn-malformed")
	}
	p := dnParser{rest: s}
	rdns, ok := p.name()
	if !ok {
		return DN{}, Malformed("dn-malformed")
	}
	return newDN(rdns)
}

// newDN checks the parts, turns a name written from the country down, and
// computes the key.
func newDN(rdns []rdn) (DN, error) {
	if len(rdns) == 0 || len(rdns) > maxRDN {
		return DN{}, Malformed("dn-malformed")
	}
	for _, part := range rdns {
		for _, a := range part {
			if a.Value == "" || a.Type == "" || !validValue(a.Value) {
				return DN{}, Malformed("dn-malformed")
			}
		}
	}
	if rdns[0][0].Type == "C" && rdns[len(rdns)-1][0].Type != "C" {
		slices.Reverse(rdns)
	}
	return DN{rdns: rdns, key: dnKey(rdns)}, nil
}

// IsZero reports whether d names nothing.
func (d DN) IsZero() bool { return len(d.rdns) == 0 }

// Key returns the form that is compared: types in upper case, values folded as
// RFC 5280 section 7.1 folds them (case, outer and repeated spaces), the
// attributes of one part sorted. It is the same for both directions of writing.
// It serves as a map key; it is not a text for people.
func (d DN) Key() string { return d.key }

// Equal reports whether both name the same subject. A zero DN equals nothing,
// not even itself: an absent name never matches.
func (d DN) Equal(o DN) bool { return d.key != "" && d.key == o.key }

// Attribute returns the value of the first attribute of that type ("CN"), most
// specific part first.
func (d DN) Attribute(typ string) (string, bool) {
	for _, part := range d.rdns {
		for _, a := range part {
			if a.Type == typ {
				return a.Value, true
			}
		}
	}
	return "", false
}

// Attributes returns all attributes, most specific part first.
func (d DN) Attributes() []Attribute {
	out := make([]Attribute, 0, len(d.rdns))
	for _, part := range d.rdns {
		out = append(out, part...)
	}
	return out
}

// String returns the name in RFC 4514 form, most specific part first. Parsing it
// gives an equal DN.
func (d DN) String() string {
	var b strings.Builder
	for i, part := range d.rdns {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, a := range part {
			if j > 0 {
				b.WriteByte('+')
			}
			b.WriteString(a.Type)
			b.WriteByte('=')
			escapeDN(&b, a.Value)
		}
	}
	return b.String()
}

// escapeDN writes a value with the escapes of RFC 4514 2.4.
func escapeDN(b *strings.Builder, v string) {
	for i := range len(v) {
		c := v[i]
		edge := i == 0 && (c == ' ' || c == '#') || i == len(v)-1 && c == ' '
		if edge || strings.IndexByte(`,+"\<>;=`, c) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
}

// dnKey is the canonical key of the parts. Both directions give the same key:
// the smaller of the two texts.
func dnKey(rdns []rdn) string {
	parts := make([]string, len(rdns))
	for i, part := range rdns {
		attrs := make([]string, len(part))
		for j, a := range part {
			attrs[j] = a.Type + "=" + foldValue(a.Value)
		}
		slices.Sort(attrs)
		parts[i] = strings.Join(attrs, "\x01")
	}
	forth := strings.Join(parts, "\x00")
	slices.Reverse(parts)
	return min(forth, strings.Join(parts, "\x00"))
}

// foldValue folds case and spaces: RFC 5280 section 7.1, by the rules of
// caseIgnoreMatch (RFC 4517 4.2.11).
func foldValue(v string) string {
	return strings.Join(strings.Fields(strings.ToLower(v)), " ")
}
