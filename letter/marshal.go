package letter

import (
	"encoding/binary"
	"slices"
)

// structureVersion is the first octet of a marshalled Structure.
const structureVersion = 1

// Marshal returns s in a compact form: the version octet 1, then numbers as
// unsigned varints and texts as their length and their octets.
//
//	structure = version size messageID received flags *reason part
//	flags     = 1 if EightBit, 2 if HeaderEightBit
//	*x        = count, then each
//	part      = gap headerSize bodySize type subtype *param id description md5
//	            encoding disposition *param *language location lines
//	            message [envelope] *part
//	gap       = octets from the start of the parent's body, or from the end of the
//	            part before, to the header
//	envelope  = date subject from to cc bcc inReplyTo messageID shared
//	            [sender] [replyTo]
//	shared    = 1 if Sender is From, 2 if ReplyTo is; what is shared is left out
//	address   = name mailbox host
//
// Names that nearly every part has are written as one octet: see commonWord.
func (s *Structure) Marshal() []byte {
	e := encoder{b: make([]byte, 0, 512)}
	e.b = append(e.b, structureVersion)
	e.number(s.Size)
	e.text(s.MessageID)
	e.number(int64(s.Received))
	flags := int64(0)
	if s.EightBit {
		flags |= 1
	}
	if s.HeaderEightBit {
		flags |= 2
	}
	e.number(flags)
	e.texts(s.Ambiguities)
	e.part(&s.Root, 0)
	return e.b
}

// encoder appends the parts of a structure.
type encoder struct{ b []byte }

// number writes a number that is not negative.
func (e *encoder) number(n int64) { e.b = binary.AppendUvarint(e.b, uint64(n)) }

// text writes 0 and the index of a common word, or the length plus one and the octets.
func (e *encoder) text(s string) {
	if i := commonIndex(s); i >= 0 {
		e.b = append(e.b, 0, byte(i))
		return
	}
	e.number(int64(len(s)) + 1)
	e.b = append(e.b, s...)
}

// texts, params and addresses write a count and each entry.
func (e *encoder) texts(list []string) {
	e.number(int64(len(list)))
	for _, s := range list {
		e.text(s)
	}
}

func (e *encoder) params(p Params) {
	e.number(int64(len(p)))
	for _, q := range p {
		e.text(q.Name)
		e.text(q.Value)
	}
}

func (e *encoder) addresses(list []Address) {
	e.number(int64(len(list)))
	for _, a := range list {
		e.text(a.Name)
		e.text(a.Mailbox)
		e.text(a.Host)
	}
}

// part writes p, whose header lies at or after that offset.
func (e *encoder) part(p *Part, after int64) {
	e.number(p.Header.Start - after)
	e.number(p.Header.Size())
	e.number(p.Body.Size())
	e.text(p.Type)
	e.text(p.Subtype)
	e.params(p.Params)
	e.text(p.ID)
	e.text(p.Description)
	e.text(p.MD5)
	e.text(p.Encoding)
	e.text(p.Disposition)
	e.params(p.DispositionParams)
	e.texts(p.Language)
	e.text(p.Location)
	e.number(p.Lines)
	if p.Envelope == nil {
		e.number(0)
	} else {
		e.number(1)
		e.envelope(p.Envelope)
	}
	e.number(int64(len(p.Children)))
	after = p.Body.Start
	for i := range p.Children {
		e.part(&p.Children[i], after)
		after = p.Children[i].Body.End
	}
}

// envelope writes v; what RFC 3501 makes equal is written once.
func (e *encoder) envelope(v *Envelope) {
	e.text(v.Date)
	e.text(v.Subject)
	for _, list := range [][]Address{v.From, v.To, v.Cc, v.Bcc} {
		e.addresses(list)
	}
	e.text(v.InReplyTo)
	e.text(v.MessageID)
	sender, replyTo := slices.Equal(v.Sender, v.From), slices.Equal(v.ReplyTo, v.From)
	shared := int64(0)
	if sender {
		shared |= 1
	}
	if replyTo {
		shared |= 2
	}
	e.number(shared)
	if !sender {
		e.addresses(v.Sender)
	}
	if !replyTo {
		e.addresses(v.ReplyTo)
	}
}
