package view

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Query is the tree of a SEARCH (RFC 9051 6.4.4).
type Query struct {
	key key
	// text is the needle of a text key, the value of HEADER, the name of a
	// keyword, or a sequence set as written; field is the field name of HEADER.
	text, field string
	// set is the argument of UID and of a sequence set.
	set Numbers
	// day is the argument of the date keys, midnight UTC.
	day time.Time
	// size is the argument of LARGER and SMALLER, in octets.
	size int64
	// sub holds the operands of and, or, not.
	sub []Query
}

// key is a search key.
type key string

// Keys that are not spelled as in the protocol.
const (
	keyAnd     key = "(" // all of sub
	keyNumbers key = "#" // a sequence set
)

// A query is refused beyond these: nesting of spec security 2.5; the number of
// keys is our choice.
const (
	maxQueryDepth = 32
	maxQueryKeys  = 500
)

// What is wrong with a query.
var (
	ErrMalformed = errors.New("the search is malformed")
	ErrTooDeep   = errors.New("the search is too deep or too long")
)

// ParseQuery reads the arguments of a SEARCH from its canonical line: after
// RETURN options and CHARSET, which the library judges.
func ParseQuery(args string) (Query, error) {
	p := queryParser{rest: strings.TrimSpace(args)}
	if p.word("RETURN") {
		_, after, ok := strings.Cut(p.rest, ")")
		if !ok {
			return Query{}, ErrMalformed
		}
		p.rest = strings.TrimLeft(after, " ")
	}
	if p.word("CHARSET") {
		if _, err := p.astring(); err != nil {
			return Query{}, err
		}
	}
	q, err := p.all(0)
	if err == nil && p.rest != "" {
		err = ErrMalformed
	}
	return q, err
}

// queryParser reads keys from a text without line ends and literals.
type queryParser struct {
	rest string
	keys int
}

// all reads keys until the text or its parenthesis ends.
func (p *queryParser) all(depth int) (Query, error) {
	and := Query{key: keyAnd}
	for {
		q, err := p.one(depth + 1)
		if err != nil {
			return Query{}, err
		}
		and.sub = append(and.sub, q)
		if p.rest == "" || p.rest[0] == ')' {
			return and, nil
		}
	}
}

// one reads one key with its arguments.
func (p *queryParser) one(depth int) (Query, error) {
	if p.keys++; p.keys > maxQueryKeys || depth > maxQueryDepth {
		return Query{}, ErrTooDeep
	}
	if strings.HasPrefix(p.rest, "(") {
		p.rest = strings.TrimLeft(p.rest[1:], " ")
		q, err := p.all(depth)
		if err == nil && !strings.HasPrefix(p.rest, ")") {
			err = ErrMalformed
		}
		if err == nil {
			p.rest = strings.TrimLeft(p.rest[1:], " ")
		}
		return q, err
	}
	word := p.atom()
	if word == "" {
		return Query{}, ErrMalformed
	}
	q := Query{key: key(strings.ToUpper(word))}
	return p.arguments(q, word, depth)
}

// arguments reads what follows a key.
func (p *queryParser) arguments(q Query, word string, depth int) (Query, error) {
	var err error
	switch q.key {
	case "ALL", "ANSWERED", "DELETED", "DRAFT", "FLAGGED", "RECENT", "SEEN", "NEW", "OLD",
		"UNANSWERED", "UNDELETED", "UNDRAFT", "UNFLAGGED", "UNSEEN":
	case "KEYWORD", "UNKEYWORD":
		if q.text = p.atom(); q.text == "" {
			err = ErrMalformed
		}
	case "BCC", "CC", "FROM", "SUBJECT", "TO", "BODY", "TEXT":
		q.text, err = p.astring()
	case "HEADER":
		if q.field, err = p.astring(); err == nil {
			q.text, err = p.astring()
		}
	case "SINCE", "BEFORE", "ON", "SENTSINCE", "SENTBEFORE", "SENTON":
		q.day, err = p.date()
	case "LARGER", "SMALLER":
		q.size, err = strconv.ParseInt(p.atom(), 10, 64)
	case "UID":
		q.key, q.text = keyNumbers, p.atom()
		q.set, err = parseNumbers(q.text, true)
	case "NOT", "OR":
		q.sub = make([]Query, map[key]int{"NOT": 1, "OR": 2}[q.key])
		for i := range q.sub {
			if q.sub[i], err = p.one(depth + 1); err != nil {
				return Query{}, err
			}
		}
	default:
		q.key, q.text = keyNumbers, word
		q.set, err = parseNumbers(word, false)
	}
	if err != nil && !errors.Is(err, ErrTooDeep) {
		err = ErrMalformed
	}
	return q, err
}

// word takes a word away if it is next.
func (p *queryParser) word(w string) bool {
	before := p.rest
	if strings.EqualFold(p.atom(), w) {
		return true
	}
	p.rest = before
	return false
}

// atom takes the octets up to a space or a parenthesis.
func (p *queryParser) atom() string {
	end := strings.IndexAny(p.rest, " ()\"")
	if end < 0 {
		end = len(p.rest)
	}
	a := p.rest[:end]
	p.rest = strings.TrimLeft(p.rest[end:], " ")
	return a
}

// astring takes a quoted string or an atom.
func (p *queryParser) astring() (string, error) {
	if !strings.HasPrefix(p.rest, `"`) {
		if a := p.atom(); a != "" {
			return a, nil
		}
		return "", ErrMalformed
	}
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\\' && i+1 < len(p.rest):
			i++
			b.WriteByte(p.rest[i])
		case c == '"':
			p.rest = strings.TrimLeft(p.rest[i+1:], " ")
			return b.String(), nil
		default:
			b.WriteByte(c)
		}
	}
	return "", ErrMalformed
}

// date takes "1-Feb-1994", quoted or not.
func (p *queryParser) date() (time.Time, error) {
	s, err := p.astring()
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse("2-Jan-2006", s)
}

// parseNumbers reads a sequence set (RFC 9051: nz-number, "*", ranges, commas).
func parseNumbers(s string, uid bool) (Numbers, error) {
	n := Numbers{UID: uid}
	for part := range strings.SplitSeq(s, ",") {
		lo, hi, ranged := strings.Cut(part, ":")
		if !ranged {
			hi = lo
		}
		a, errA := parseNumber(lo)
		b, errB := parseNumber(hi)
		if errA != nil || errB != nil {
			return Numbers{}, ErrMalformed
		}
		n.Spans = append(n.Spans, Span{a, b})
	}
	return n, nil
}

// parseNumber reads one number; "*" is 0.
func parseNumber(s string) (uint32, error) {
	if s == "*" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 0 || s[0] == '+' {
		return 0, ErrMalformed
	}
	return uint32(n), nil
}
