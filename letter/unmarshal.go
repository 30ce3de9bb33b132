package letter

import (
	"encoding/binary"
	"math"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Unmarshal reads what Marshal wrote. It fails with fault.Internal
// "structure-damaged" on anything else: the octets are our own, so damage is no
// fault of a peer.
func Unmarshal(b []byte) (*Structure, error) {
	if len(b) == 0 || b[0] != structureVersion {
		return nil, fault.New(fault.Internal, "structure-damaged")
	}
	d := parser{b: b[1:]}
	s := &Structure{}
	s.Size = d.number()
	s.MessageID = d.text()
	s.Received = int(d.number() & math.MaxInt32)
	flags := d.number()
	s.EightBit, s.HeaderEightBit = flags&1 != 0, flags&2 != 0
	s.Ambiguities = d.texts()
	s.Root = d.part(0, s.Size, 0)
	s.HeaderSize = s.Root.Header.End
	if d.bad || len(d.b) > 0 {
		return nil, fault.New(fault.Internal, "structure-damaged")
	}
	return s, nil
}

// maxNesting bounds the recursion of Unmarshal, well above Limits.Depth.
const maxNesting = 256

// parser reads from a marshalled structure. After the first error it returns zero
// values.
type parser struct {
	b   []byte
	bad bool
}

// fail ends the reading.
func (d *parser) fail() {
	d.bad = true
	d.b = nil
}

// number reads a number.
func (d *parser) number() int64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > math.MaxInt64 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return int64(v)
}

// count reads the length of a list whose entries take at least size octets each:
// no more memory is asked for than the input stands for.
func (d *parser) count(size int) int {
	n := d.number()
	if n > int64(len(d.b)/size) {
		d.fail()
		return 0
	}
	return int(n)
}

// text reads a common word or a text.
func (d *parser) text() string {
	n := d.number()
	if n == 0 {
		i := d.number()
		s, found := commonWord(i)
		if !found {
			d.fail()
		}
		return s
	}
	n--
	if n > int64(len(d.b)) {
		d.fail()
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

// texts, params and addresses read lists; an empty one is nil.
func (d *parser) texts() []string {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.text()
	}
	return list
}

func (d *parser) params() Params {
	n := d.count(2)
	if n == 0 {
		return nil
	}
	list := make(Params, n)
	for i := range list {
		list[i] = Param{Name: d.text(), Value: d.text()}
	}
	return list
}

func (d *parser) addresses() []Address {
	n := d.count(3)
	if n == 0 {
		return nil
	}
	list := make([]Address, n)
	for i := range list {
		list[i] = Address{Name: d.text(), Mailbox: d.text(), Host: d.text()}
	}
	return list
}

// span reads the size of a range that begins at start and ends by limit.
func (d *parser) span(start, limit int64) Range {
	n := d.number()
	if n > limit-start {
		d.fail()
		return Range{start, start}
	}
	return Range{start, start + n}
}

// part reads a part that lies between two offsets.
func (d *parser) part(after, limit int64, depth int) Part {
	var p Part
	gap := d.span(after, limit)
	p.Header = d.span(gap.End, limit)
	p.Body = d.span(p.Header.End, limit)
	p.Type, p.Subtype = d.text(), d.text()
	p.Params = d.params()
	p.ID, p.Description, p.MD5 = d.text(), d.text(), d.text()
	p.Encoding, p.Disposition = d.text(), d.text()
	p.DispositionParams = d.params()
	p.Language = d.texts()
	p.Location = d.text()
	p.Lines = d.number()
	if d.number() == 1 {
		p.Envelope = d.envelope()
	}
	n := d.count(17)
	if depth >= maxNesting && n > 0 {
		d.fail()
		return p
	}
	after = p.Body.Start
	for range n {
		if d.bad {
			break
		}
		child := d.part(after, p.Body.End, depth+1)
		p.Children = append(p.Children, child)
		after = child.Body.End
	}
	return p
}

// envelope reads an envelope.
func (d *parser) envelope() *Envelope {
	e := &Envelope{Date: d.text(), Subject: d.text()}
	for _, list := range []*[]Address{&e.From, &e.To, &e.Cc, &e.Bcc} {
		*list = d.addresses()
	}
	e.InReplyTo, e.MessageID = d.text(), d.text()
	shared := d.number()
	e.Sender, e.ReplyTo = e.From, e.From
	if shared&1 == 0 {
		e.Sender = d.addresses()
	}
	if shared&2 == 0 {
		e.ReplyTo = d.addresses()
	}
	return e
}
