package letter

import (
	"slices"
	"strconv"
	"strings"
)

// piece is one RFC 2231 piece of a parameter: base*number or base*number*.
type piece struct {
	base     string
	number   int
	extended bool
	value    string
	order    int // where it was written, among the parameters
}

// cutPiece splits the name of a piece; false if name is an ordinary one, as
// "filename*" is.
func cutPiece(name string) (piece, bool) {
	base, rest, found := strings.Cut(name, "*")
	if !found || rest == "" {
		return piece{}, false
	}
	digits, ext := strings.CutSuffix(rest, "*")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || base == "" {
		return piece{}, false
	}
	return piece{base: base, number: n, extended: ext}, true
}

// joinPieces joins the pieces of each base name, in the order of their numbers up
// to the first gap, and reports whether each name's pieces were complete and
// different. The result stands where its first piece was written.
func joinPieces(pieces []piece) (joined []Param, order []int, sound bool) {
	sound = true
	slices.SortStableFunc(pieces, func(a, b piece) int {
		if c := strings.Compare(a.base, b.base); c != 0 {
			return c
		}
		return a.number - b.number
	})
	for len(pieces) > 0 {
		n := 1
		for n < len(pieces) && pieces[n].base == pieces[0].base {
			n++
		}
		p, at, ok := joinOne(pieces[:n])
		joined, order = append(joined, p), append(order, at)
		sound = sound && ok
		pieces = pieces[n:]
	}
	return joined, order, sound
}

// joinOne joins the sorted pieces of one name.
func joinOne(pieces []piece) (Param, int, bool) {
	first, ext := pieces[0].order, false
	for _, p := range pieces {
		first = min(first, p.order)
		ext = ext || p.extended
	}
	var value strings.Builder
	sound, want := true, 0
	for _, p := range pieces {
		if p.number != want {
			sound = false
			if p.number > want {
				break
			}
			continue // a repeat: the first one counts
		}
		want++
		if ext && !p.extended {
			value.WriteString(percentEncode(p.value))
		} else {
			value.WriteString(p.value)
		}
	}
	name := pieces[0].base
	if ext {
		name += "*"
	}
	return Param{Name: name, Value: value.String()}, first, sound
}
