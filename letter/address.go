package letter

import (
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
)

// ParseAddressList reads the value of an address field (RFC 5322 3.4), folded or
// not, as leniently as a mail client must: whatever is there, something is
// returned, and text without an address becomes a Mailbox without a domain. Source
// routes are dropped. It fails only with fault.Invalid
// "letter-too-many-addresses" when there are more than max entries, group markers
// included; those that fit are returned with the error.
func ParseAddressList(raw string, max int) ([]Address, error) {
	if strings.ContainsAny(raw, "\r\n\x00") {
		raw = unfold([]byte(raw))
	}
	p := addressParser{lexer: lexer{s: raw}, max: max}
	for !p.end() && !p.full {
		p.item()
	}
	if p.group {
		p.emit(Address{})
	}
	if p.full {
		return p.list, fault.New(fault.Invalid, reasonAddresses)
	}
	return p.list, nil
}

// addressParser holds the state of ParseAddressList.
type addressParser struct {
	lexer
	list  []Address
	max   int
	full  bool // an entry found no room
	group bool // inside a group
	tail  bool // after an address in angle brackets: words here are nobody
}

// emit adds an entry.
func (p *addressParser) emit(a Address) {
	if len(p.list) >= p.max {
		p.full = true
		return
	}
	p.list = append(p.list, a)
}

// item reads up to the next address, or separator.
func (p *addressParser) item() {
	start := p.i
	for !p.end() {
		switch c := p.peek(); {
		case c == '"':
			p.quoted()
		case c == '(':
			p.i = commentEnd(p.s, p.i)
		case c == '<':
			name := phrase(p.s[start:p.i])
			p.i++
			p.angle(name)
			p.tail = true
			return
		case c == ':' && !p.group:
			name := phrase(p.s[start:p.i])
			p.i++
			if name != "" {
				p.group = true
				p.emit(Address{Mailbox: name})
			}
			return
		case c == ',', c == ';':
			p.bare(p.s[start:p.i])
			p.tail = false
			p.i++
			if c == ';' && p.group {
				p.group = false
				p.emit(Address{})
			}
			return
		default:
			p.i++
		}
	}
	p.bare(p.s[start:p.i])
}

// angle reads an address after its "<", through its ">".
func (p *addressParser) angle(name string) {
	start := p.i
	for !p.end() && p.peek() != '>' && p.peek() != '<' {
		switch p.peek() {
		case '"':
			p.quoted()
		case '(':
			p.i = commentEnd(p.s, p.i)
		default:
			p.i++
		}
	}
	spec := p.s[start:p.i]
	if p.peek() == '>' {
		p.i++
	}
	if strings.HasPrefix(strings.TrimLeft(spec, " \t"), "@") { // RFC 5322 4.4: a route
		if i := strings.IndexByte(spec, ':'); i >= 0 {
			spec = spec[i+1:]
		}
	}
	mailbox, host := splitSpec(spec)
	if mailbox == "" && host == "" && name == "" {
		return
	}
	p.single(name, mailbox, host)
}

// bare reads text without angle brackets: an address, perhaps with its name in a
// comment, or words alone.
func (p *addressParser) bare(text string) {
	mailbox, host := splitSpec(text)
	if p.tail || mailbox == "" && host == "" {
		return
	}
	p.single(lastComment(text), mailbox, host)
}

// single adds one address and fills what is missing as Dovecot does.
func (p *addressParser) single(name, mailbox, host string) {
	if mailbox == "" {
		mailbox = "MISSING_MAILBOX"
	}
	if host == "" {
		host = "MISSING_DOMAIN"
	}
	p.emit(Address{Name: name, Mailbox: mailbox, Host: host})
}
