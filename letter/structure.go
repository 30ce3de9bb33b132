package letter

// Range is a span of octets of the letter's body stream: [Start, End).
type Range struct {
	Start, End int64
}

// Size returns the number of octets.
func (r Range) Size() int64 { return r.End - r.Start }

// Structure is the offset map of a letter: where each part lies, and what IMAP
// needs to describe it. Offsets count from the first octet given to the Walker.
type Structure struct {
	// Size is the number of octets of the letter.
	Size int64
	// HeaderSize is the size of the top header block through its empty line.
	HeaderSize int64
	// Root is the letter itself.
	Root Part
	// Ambiguities are the reason ids of what two readers may read differently,
	// in the order of the table in the package documentation, without repeats.
	Ambiguities []string
	// MessageID is the first Message-ID without white space, angle brackets
	// included; empty if there is none.
	MessageID string
	// Received counts the Received fields of the top header (RFC 5321 6.3: loops).
	Received int
	// EightBit says that an octet over 127 occurs anywhere: sending it on needs
	// 8BITMIME (RFC 6152).
	EightBit bool
	// HeaderEightBit says that one occurs in the top header: sending it on needs
	// SMTPUTF8 (RFC 6531).
	HeaderEightBit bool
}

// Part is one body part. Types, parameter names, encodings and dispositions are
// in lower case; everything else is as it was written, unfolded.
type Part struct {
	// Header spans the header block with its empty line; Body follows it. The line
	// end before a boundary belongs to the boundary, not to the body (RFC 2046 5.1.1).
	Header, Body Range
	// Type and Subtype are never empty: "text" and "plain" by default, "message"
	// and "rfc822" in a multipart/digest.
	Type, Subtype string
	// Params are those of Content-Type.
	Params Params
	// ID, Description and MD5 are Content-ID, Content-Description and Content-MD5.
	ID, Description, MD5 string
	// Encoding is the first token of Content-Transfer-Encoding, "7bit" by default.
	Encoding string
	// Disposition is the first token of Content-Disposition, empty if there is none.
	Disposition       string
	DispositionParams Params
	// Language holds the tags of Content-Language (RFC 3282).
	Language []string
	// Location is Content-Location (RFC 2557).
	Location string
	// Lines counts the line feeds of the body.
	Lines int64
	// Envelope is set on the root of a message: Structure.Root, and the one child
	// of a message/rfc822 part.
	Envelope *Envelope
	// Children are the parts of a multipart in order (there may be none), or the
	// one enclosed message of a message/rfc822 or message/global part.
	Children []Part
}

// Size returns the number of octets of the body as transferred.
func (p *Part) Size() int64 { return p.Body.Size() }

// Multipart reports whether p has type multipart.
func (p *Part) Multipart() bool { return p.Type == "multipart" }

// Message returns the root of the message that p encloses, nil if p is not a
// message/rfc822 or message/global part that could be read.
func (p *Part) Message() *Part {
	if p.Type != "message" || len(p.Children) != 1 {
		return nil
	}
	return &p.Children[0]
}

// Find returns the part with that IMAP part number (RFC 3501 6.4.5); the empty
// path is the letter itself. The root of a message that is no multipart is its
// own part 1.
func (s *Structure) Find(path []int) (*Part, bool) {
	p, message := &s.Root, true
	for _, n := range path {
		if !message {
			if m := p.Message(); m != nil {
				p, message = m, true
			}
		}
		switch {
		case p.Multipart() && n >= 1 && n <= len(p.Children):
			p = &p.Children[n-1]
		case message && !p.Multipart() && n == 1:
		default:
			return nil, false
		}
		message = false
	}
	return p, true
}

// Section names what of a part is wanted (RFC 3501 6.4.5, FETCH BODY[...]).
type Section uint8

// The sections. Whole of the empty path is the entire letter; Header and Text
// exist for the letter and for enclosed messages only; MIME for numbered parts only.
const (
	Whole Section = iota
	Header
	Text
	MIME
)

// Section returns the octets of a section; false if there is no such section.
func (s *Structure) Section(path []int, want Section) (Range, bool) {
	p, found := s.Find(path)
	if !found {
		return Range{}, false
	}
	top := len(path) == 0
	switch want {
	case Whole:
		if top {
			return Range{0, s.Size}, true
		}
		return p.Body, true
	case MIME:
		return p.Header, !top
	case Header, Text:
		if !top {
			if p = p.Message(); p == nil {
				return Range{}, false
			}
		}
		if want == Header {
			return p.Header, true
		}
		return p.Body, true
	}
	return Range{}, false
}
