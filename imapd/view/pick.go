package view

import (
	"slices"
	"sort"

	"github.com/vaguemestre/vaguemestre/mailbox"
)

// Numbers is a sequence set of IMAP: of UIDs, or of sequence numbers.
type Numbers struct {
	UID   bool
	Spans []Span
}

// Span is one range of a sequence set, ends in any order; zero stands for "*".
type Span struct{ Lo, Hi uint32 }

// Stretch is Rows[From:To] of a folder.
type Stretch struct{ From, To int }

// Pick returns the rows that a sequence set names: ascending, without overlaps.
// Numbers that name nothing are passed over, as RFC 9051 6.4.9 asks for UIDs.
func (v *Folder) Pick(n Numbers) []Stretch {
	if len(v.Rows) == 0 {
		return nil
	}
	var out []Stretch
	for _, s := range n.Spans {
		if p := v.stretch(n.UID, s); p.From < p.To {
			out = append(out, p)
		}
	}
	return union(out)
}

// stretch returns the rows that one range names.
func (v *Folder) stretch(uid bool, s Span) Stretch {
	last := uint32(len(v.Rows))
	if uid {
		last = uint32(v.Rows[len(v.Rows)-1].UID)
	}
	if s.Lo == 0 {
		s.Lo = last
	}
	if s.Hi == 0 {
		s.Hi = last
	}
	lo, hi := min(s.Lo, s.Hi), max(s.Lo, s.Hi)
	if !uid {
		return Stretch{int(lo) - 1, int(min(hi, last))}
	}
	after := sort.Search(len(v.Rows), func(i int) bool { return uint32(v.Rows[i].UID) > hi })
	from, _ := v.Index(mailbox.UID(lo))
	return Stretch{from, after}
}

// union sorts stretches and joins those that touch.
func union(in []Stretch) []Stretch {
	slices.SortFunc(in, func(a, b Stretch) int { return a.From - b.From })
	var out []Stretch
	for _, s := range in {
		if n := len(out); n > 0 && s.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}

// Whole returns all rows.
func (v *Folder) Whole() []Stretch {
	if len(v.Rows) == 0 {
		return nil
	}
	return []Stretch{{0, len(v.Rows)}}
}

// Set returns the UIDs of the rows. A range may span UIDs without a row: they are
// below the last one that the client knows, so they are gone for ever.
func (v *Folder) Set(picked []Stretch) mailbox.Set {
	ranges := make([]mailbox.Range, len(picked))
	for i, p := range picked {
		ranges[i] = mailbox.Range{Lo: v.Rows[p.From].UID, Hi: v.Rows[p.To-1].UID}
	}
	return mailbox.Ranges(ranges...)
}

// Chunks cuts what was picked into pieces of at most n rows.
func Chunks(picked []Stretch, n int) [][]Stretch {
	var out [][]Stretch
	var piece []Stretch
	room := n
	for _, p := range picked {
		for p.From < p.To {
			take := min(room, p.To-p.From)
			piece = append(piece, Stretch{p.From, p.From + take})
			p.From += take
			if room -= take; room == 0 {
				out = append(out, piece)
				piece, room = nil, n
			}
		}
	}
	if len(piece) > 0 {
		out = append(out, piece)
	}
	return out
}
