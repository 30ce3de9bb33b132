package letter

import (
	"net/netip"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
)

// dateLayout is the date-time of RFC 5322 3.3.
const dateLayout = "Mon, 2 Jan 2006 15:04:05 -0700"

// Hop is what a Received field tells of one acceptance (RFC 5321 4.4).
type Hop struct {
	// Hello is the name in HELO or EHLO, as the peer said it: anything that is no
	// domain and no address literal is written as "unknown".
	Hello string
	// Remote is the peer's address.
	Remote netip.Addr
	// By is our own host name.
	By string
	// Protocol is the keyword of RFC 3848 or RFC 6531 4.3: "ESMTPS", "ESMTPSA", "UTF8SMTPS".
	Protocol string
	// TLS describes the session, such as "TLS1.3 TLS_AES_128_GCM_SHA256"; empty for none.
	TLS string
	// ID is our own id of the transaction; empty for none.
	ID string
	// For is the one recipient whose copy this is; zero for none. An address that is
	// not US-ASCII is left out, so that the field never needs SMTPUTF8.
	For identity.Address
	// At is when the letter was taken.
	At time.Time
}

// Received returns the trace field of h, folded, with its line end. Nothing of what
// a peer said can end a line or a comment.
func Received(h Hop) string {
	var b strings.Builder
	b.WriteString("Received: from " + hostName(h.Hello))
	if h.Remote.IsValid() {
		b.WriteString(" (" + literal(h.Remote) + ")")
	}
	b.WriteString("\r\n by " + hostName(h.By) + " with " + atomText(h.Protocol))
	if h.TLS != "" {
		b.WriteString("\r\n (" + commentText(h.TLS) + ")")
	}
	if h.ID != "" {
		b.WriteString("\r\n id " + atomText(h.ID))
	}
	if to := h.For.String(); !h.For.IsZero() && ascii(to) == to {
		b.WriteString("\r\n for <" + to + ">")
	}
	b.WriteString(";\r\n " + h.At.Format(dateLayout) + "\r\n")
	return b.String()
}

// ReturnPath returns the field that final delivery adds (RFC 5321 4.4), with its
// line end. A zero address is the null sender. An address that is not US-ASCII is
// written in UTF-8 (RFC 6532).
func ReturnPath(from identity.Address) string {
	if from.IsZero() {
		return "Return-Path: <>\r\n"
	}
	return "Return-Path: <" + from.String() + ">\r\n"
}

// literal returns an address literal (RFC 5321 4.1.3).
func literal(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return "[" + a.String() + "]"
	}
	return "[IPv6:" + a.String() + "]"
}

// hostName returns s if it is a domain or an address literal of at most 255
// octets, else "unknown".
func hostName(s string) string {
	name := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	bracketed := len(name)+2 == len(s)
	if name == "" || len(s) > 255 || len(name) != len(s) && !bracketed {
		return "unknown"
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
		case c == ':' && bracketed:
		default:
			return "unknown"
		}
	}
	return s
}

// atomText returns s with everything that may not stand in an atom replaced by "-".
func atomText(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || strings.ContainsRune("()<>[]:;@\\,\"", r) {
			return '-'
		}
		return r
	}, s)
}

// commentText returns s without what may not stand in a comment, and without the
// semicolon that readers of the field look for.
func commentText(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '(' || r == ')' || r == '\\' || r == ';' {
			return -1
		}
		return r
	}, ascii(s))
}
