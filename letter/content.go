package letter

// content looks at the body of the innermost part for what readers decode
// differently. It sees octets in whatever pieces they come.
type content struct {
	kind   contentKind
	ext    string
	doubts doubts
	mail   embedded

	symbols int64  // base64: symbols of the alphabet
	padding int64  // base64: padding octets
	bits    uint32 // base64: the last symbols
	escape  escape // quoted-printable: where in an escape
	digit   byte   // quoted-printable: its first digit

	first []byte // the first decoded octets, at most sniffed
}

// contentKind is how a body is encoded.
type contentKind uint8

const (
	contentPlain contentKind = iota
	contentBase64
	contentQuoted
	contentOther
)

// begin makes c ready for the body of p.
func (c *content) begin(p *Part) {
	*c = content{kind: contentOther}
	switch {
	case p.Encoding == "base64":
		c.kind = contentBase64
	case p.Encoding == "quoted-printable":
		c.kind = contentQuoted
	case identity7(p.Encoding):
		c.kind = contentPlain
	}
	c.ext = extension(p.FileName())
	c.first = make([]byte, 0, sniffed)
}

// start looks at the beginning of a line, or at all of it: text has no line end.
func (c *content) start(text []byte) {
	if c.kind == contentPlain || c.kind == contentQuoted {
		c.doubts.merge(c.mail.line(text))
	}
}

// octets takes octets of the body, line ends included.
func (c *content) octets(p []byte) {
	switch c.kind {
	case contentBase64:
		c.base64(p)
	case contentQuoted:
		c.quoted(p)
	default:
		c.sniff(p)
	}
}

// end returns the verdicts on the body.
func (c *content) end() doubts {
	if c.kind == contentBase64 && (c.symbols+c.padding)%4 != 0 {
		c.doubts.add(doubtBase64Length)
	}
	if contradicts(c.ext, c.first) {
		c.doubts.add(doubtNameContent)
	}
	return c.doubts
}

// sniff keeps the first decoded octets.
func (c *content) sniff(p []byte) {
	if n := min(sniffed-len(c.first), len(p)); n > 0 {
		c.first = append(c.first, p[:n]...)
	}
}
