package view

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
)

// needs says what of a letter a query must know, from cheap to dear.
type needs uint8

const (
	needRow     needs = iota // the view
	needFacts                // size and date: a row without its sealed matter
	needSummary              // opened summary
	needBody                 // opened body
)

// needs returns what a query must know at most.
func (q Query) needs() needs {
	switch q.key {
	case "SINCE", "BEFORE", "ON", "LARGER", "SMALLER":
		return needFacts
	case "BCC", "CC", "FROM", "SUBJECT", "TO", "SENTSINCE", "SENTBEFORE", "SENTON":
		return needSummary
	case "HEADER", "BODY", "TEXT":
		return needBody
	}
	n := needRow
	for _, s := range q.sub {
		n = max(n, s.needs())
	}
	return n
}

// split divides a query into what the view alone can judge, and the rest. Both
// are all-of; the operands of each are sorted from cheap to dear.
func (q Query) split() (cheap, dear Query) {
	all := []Query{q}
	if q.key == keyAnd {
		all = slices.Clone(q.sub)
	}
	slices.SortStableFunc(all, func(a, b Query) int { return int(a.needs()) - int(b.needs()) })
	at := slices.IndexFunc(all, func(q Query) bool { return q.needs() > needRow })
	if at < 0 {
		at = len(all)
	}
	return Query{key: keyAnd, sub: all[:at]}, Query{key: keyAnd, sub: all[at:]}
}

// candidate is a letter that a query is put to.
type candidate struct {
	row   mailbox.Row
	index int // in the view
	facts mailbox.Facts
	// open gives the letter with its summary; nil when only the row is known.
	open func() (*reading.Opened, error)
}

// Search puts queries to the letters of a folder.
type Search struct {
	Folder   *Folder
	Opener   *reading.Opener
	Keywords mailbox.Keywords
	// Limit is the number of octets that one query may decode.
	Limit int64
	// Noted is told of letters that could not be read: they are no hits.
	Noted func(error)
}

// matcher is one query under way.
type matcher struct {
	Search
	ctx context.Context // of the query
	// sets are the rows that each sequence set of the query names, found once.
	sets map[setKey][]Stretch
	// scanned counts octets decoded against the limit.
	scanned int64
}

// setKey is a sequence set as written.
type setKey struct {
	uid  bool
	text string
}

// match reports whether a letter is what the query asks for.
func (m *matcher) match(q Query, c *candidate) (bool, error) {
	switch q.key {
	case keyAnd:
		for _, s := range q.sub {
			if ok, err := m.match(s, c); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	case "OR":
		if ok, err := m.match(q.sub[0], c); ok || err != nil {
			return ok, err
		}
		return m.match(q.sub[1], c)
	case "NOT":
		ok, err := m.match(q.sub[0], c)
		return !ok, err
	}
	switch q.needs() {
	case needRow:
		return m.matchRow(q, c), nil
	case needFacts:
		return matchFacts(q, c.facts), nil
	}
	op, err := c.open()
	if err != nil {
		return false, err
	}
	if q.needs() == needSummary {
		return matchEnvelope(q, op.Summary.Structure.Root.Envelope), nil
	}
	return m.matchOctets(q, op)
}

// matchRow judges by flags and numbers.
func (m *matcher) matchRow(q Query, c *candidate) bool {
	switch q.key {
	case "ALL", "OLD": // no letter is \Recent
		return true
	case "RECENT", "NEW":
		return false
	case keyNumbers:
		return m.inSet(q, c.index)
	case "KEYWORD", "UNKEYWORD":
		bit, known := m.Keywords.Bit(q.text)
		return (known && c.row.Flags.Has(bit)) == (q.key == "KEYWORD")
	}
	name, negated := strings.CutPrefix(string(q.key), "UN")
	bit, known := mailbox.FlagByName(`\` + name)
	return known && c.row.Flags.Has(bit) != negated
}

// inSet reports whether a sequence set names the row.
func (m *matcher) inSet(q Query, index int) bool {
	if m.sets == nil {
		m.sets = map[setKey][]Stretch{}
	}
	key := setKey{q.set.UID, q.text}
	picked, known := m.sets[key]
	if !known {
		picked = m.Folder.Pick(q.set)
		m.sets[key] = picked
	}
	_, found := slices.BinarySearchFunc(picked, index, func(s Stretch, i int) int {
		switch {
		case s.To <= i:
			return -1
		case s.From > i:
			return 1
		}
		return 0
	})
	return found
}

// matchFacts judges by size and INTERNALDATE. Dates are compared as days, without
// time and zone (RFC 9051 6.4.4).
func matchFacts(q Query, f mailbox.Facts) bool {
	switch q.key {
	case "LARGER":
		return f.Size > q.size
	case "SMALLER":
		return f.Size < q.size
	}
	return onDay(q, f.Internal.UTC())
}

// onDay compares the day of t, in its own zone, with the query's.
func onDay(q Query, t time.Time) bool {
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	switch strings.TrimPrefix(string(q.key), "SENT") {
	case "SINCE":
		return !day.Before(q.day)
	case "BEFORE":
		return day.Before(q.day)
	}
	return day.Equal(q.day)
}

// matchEnvelope judges by what FETCH ENVELOPE shows, with encoded words decoded.
func matchEnvelope(q Query, e *letter.Envelope) bool {
	if e == nil {
		return false
	}
	switch q.key {
	case "SUBJECT":
		return holds(letter.DecodeWords(e.Subject), q.text)
	case "FROM":
		return holds(addressText(e.From), q.text)
	case "TO":
		return holds(addressText(e.To), q.text)
	case "CC":
		return holds(addressText(e.Cc), q.text)
	case "BCC":
		return holds(addressText(e.Bcc), q.text)
	}
	t, err := mail.ParseDate(e.Date)
	return err == nil && onDay(q, t)
}

// addressText is what FROM, TO, CC and BCC search: as a reader would see it.
func addressText(list []letter.Address) string {
	var b strings.Builder
	for _, a := range list {
		switch {
		case a.GroupEnd():
			b.WriteString("; ")
		case a.GroupStart():
			b.WriteString(letter.DecodeWords(a.Mailbox) + ": ")
		default:
			b.WriteString(letter.DecodeWords(a.Name) + " <" + a.Mailbox + "@" + a.Host + ">, ")
		}
	}
	return b.String()
}

// holds reports whether a text holds a needle, without regard to case.
func holds(text, needle string) bool {
	return needle == "" || strings.Contains(strings.ToLower(text), strings.ToLower(needle))
}
