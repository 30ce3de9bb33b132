package view

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
)

// matchOctets judges by the letter's own octets: HEADER, BODY and TEXT.
func (m *matcher) matchOctets(q Query, op *reading.Opened) (bool, error) {
	l, err := m.Opener.Body(m.ctx, op)
	if err != nil {
		return false, err
	}
	if q.key == "HEADER" || q.key == "TEXT" {
		header, err := octets(l, l.Header())
		if err != nil {
			return false, err
		}
		field := q.field
		if q.key == "TEXT" {
			field = ""
		}
		if hit := matchHeader(header, field, q.text); hit || q.key == "HEADER" {
			return hit, nil
		}
	}
	return m.matchPart(l, &l.Structure().Root, strings.ToLower(q.text))
}

// matchHeader looks for the needle in the fields of a name, or in all.
func matchHeader(header []byte, name, needle string) bool {
	for f := range letter.FieldsOf(header) {
		switch {
		case name == "" && holds(f.Name+": "+f.Text(), needle):
			return true
		case name != "" && f.Is(name) && holds(f.Text(), needle):
			return true
		}
	}
	return false
}

// matchPart looks for the needle in the texts of a part and of those in it, and in
// the headers of enclosed letters.
func (m *matcher) matchPart(l *mailbox.Letter, p *letter.Part, needle string) (bool, error) {
	if enclosed := p.Message(); enclosed != nil {
		r := letter.Range{Start: l.Part(p).Start, End: l.Part(enclosed).Start}
		header, err := octets(l, r)
		if err != nil || matchHeader(header, "", needle) {
			return err == nil, err
		}
	}
	for i := range p.Children {
		if ok, err := m.matchPart(l, &p.Children[i], needle); ok || err != nil {
			return ok, err
		}
	}
	if p.Type != "text" || len(p.Children) > 0 {
		return false, nil
	}
	return m.matchText(l, p, needle)
}

// matchText decodes a text part piece by piece and looks for the needle.
func (m *matcher) matchText(l *mailbox.Letter, p *letter.Part, needle string) (bool, error) {
	if err := m.ctx.Err(); err != nil {
		return false, err
	}
	if m.scanned += l.Part(p).Size(); m.scanned > m.Limit {
		return false, fault.New(fault.OverQuota, "search-limit")
	}
	charset, _ := p.Params.Get("charset")
	return contains(decoded(p.Decoder(l.Reader(l.Part(p))), charset), p.Size(), needle)
}

// decoded turns text of a charset into UTF-8; an unknown one is read as it is.
func decoded(r io.Reader, charset string) io.Reader {
	if charset == "" {
		return r
	}
	e, err := htmlindex.Get(strings.ToLower(charset))
	if err != nil || e == encoding.Nop {
		return r
	}
	return e.NewDecoder().Reader(r)
}

// contains looks for a needle in lower case in a stream of UTF-8 of any length; it
// is told about how much to expect. It holds one piece and what may be the
// beginning of a needle.
func contains(r io.Reader, expect int64, needle string) (bool, error) {
	piece := int(min(expect+64, 32<<10))
	buf := make([]byte, 0, piece+4*len(needle)+8)
	for {
		n, err := io.ReadFull(r, buf[len(buf):len(buf)+piece])
		buf = buf[:len(buf)+n]
		if bytes.Contains(bytes.ToLower(buf), []byte(needle)) {
			return true, nil
		}
		if err != nil {
			// A broken encoding ends the text; a broken body is our failure.
			if _, ours := errors.AsType[*fault.Error](err); ours {
				return false, err
			}
			return false, nil
		}
		// Lower case may be shorter or longer than upper: keep more than enough.
		keep := min(len(buf), 4*len(needle)+4)
		buf = buf[:copy(buf, buf[len(buf)-keep:])]
	}
}
