package view

import (
	"context"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/reading"
)

// Letters of one read transaction: rows are small, sealed ones are not.
const (
	factsAtOnce   = 1024
	lettersAtOnce = 128
)

// Find returns the places of the letters that a query asks for, ascending. What
// the folder alone can judge is judged first; the rest is put, batch by batch, to
// those letters that are left. It fails with fault.OverQuota "search-limit".
func (s Search) Find(ctx context.Context, q Query) ([]int, error) {
	m := &matcher{Search: s, ctx: ctx}
	cheap, dear := q.split()
	var left []Stretch
	for i, r := range s.Folder.Rows {
		if ok, err := m.match(cheap, &candidate{row: r, index: i}); err != nil {
			return nil, err
		} else if ok {
			left = append(left, Stretch{i, i + 1})
		}
	}
	left = union(left)
	switch {
	case len(dear.sub) == 0:
		return places(left), nil
	case dear.needs() == needFacts:
		return m.byFacts(dear, left)
	}
	return m.byLetter(dear, left)
}

// places returns the rows of stretches one by one.
func places(picked []Stretch) []int {
	var out []int
	for _, p := range picked {
		for i := p.From; i < p.To; i++ {
			out = append(out, i)
		}
	}
	return out
}

// byFacts judges by sizes and dates.
func (m *matcher) byFacts(q Query, left []Stretch) ([]int, error) {
	var hits []int
	for _, piece := range Chunks(left, factsAtOnce) {
		all, err := m.Opener.Facts(m.ctx, m.Folder.ID, m.Folder.Set(piece))
		if err != nil {
			return nil, err
		}
		for _, f := range all {
			i, known := m.Folder.Index(f.UID)
			if !known {
				continue
			}
			ok, err := m.match(q, &candidate{row: m.Folder.Rows[i], index: i, facts: f})
			if err != nil {
				return nil, err
			}
			if ok {
				hits = append(hits, i)
			}
		}
	}
	return hits, nil
}

// byLetter opens letters.
func (m *matcher) byLetter(q Query, left []Stretch) ([]int, error) {
	var hits []int
	for _, piece := range Chunks(left, lettersAtOnce) {
		for set := m.Folder.Set(piece); len(set) > 0; {
			batch, rest, err := m.Opener.Batch(m.ctx, m.Folder.ID, set, q.needs() == needBody)
			if err != nil {
				return nil, err
			}
			set = rest
			for _, l := range batch {
				i, known := m.Folder.Index(l.UID)
				if !known {
					continue
				}
				ok, err := m.judge(q, i, l)
				if err != nil {
					return nil, err
				}
				if ok {
					hits = append(hits, i)
				}
			}
		}
	}
	return hits, nil
}

// judge puts a query to one letter, which is opened when a key asks for it. One
// broken letter does not end the search.
func (m *matcher) judge(q Query, index int, l reading.Sealed) (bool, error) {
	var op *reading.Opened
	c := &candidate{row: m.Folder.Rows[index], index: index, facts: l.Facts}
	c.open = func() (_ *reading.Opened, err error) {
		if op == nil {
			op, err = m.Opener.Open(l)
		}
		return op, err
	}
	defer func() {
		if op != nil {
			op.Done()
		}
	}()
	ok, err := m.match(q, c)
	switch {
	case err == nil, fault.Is(err, fault.OverQuota), m.ctx.Err() != nil:
		return ok, err
	case !fault.Is(err, fault.NotFound): // else expunged meanwhile
		m.Noted(err)
	}
	return false, nil
}
