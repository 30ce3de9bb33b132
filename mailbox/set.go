package mailbox

import (
	"fmt"
	"slices"
	"strings"
)

// Range is the UIDs from Lo to Hi, both included.
type Range struct{ Lo, Hi UID }

// Set is a set of UIDs: ranges in ascending order that neither touch nor overlap.
// The UIDs need not exist. The zero Set is empty.
type Set []Range

// All holds every UID. A door that keeps a view passes the ranges it has shown
// instead, so that it never acts on letters it has not announced.
func All() Set { return Set{{1, lastUID}} }

// SetOf returns the set of the UIDs given, in any order.
func SetOf(uids ...UID) Set {
	sorted := slices.Clone(uids)
	slices.Sort(sorted)
	var s Set
	for _, u := range sorted {
		switch n := len(s); {
		case n > 0 && u <= s[n-1].Hi:
		case n > 0 && u == s[n-1].Hi+1:
			s[n-1].Hi = u
		default:
			s = append(s, Range{u, u})
		}
	}
	return s
}

// Ranges returns the set of the ranges given, in any order, ends in any order.
// Zero is no UID and is left out.
func Ranges(ranges ...Range) Set {
	sorted := make([]Range, 0, len(ranges))
	for _, r := range ranges {
		if r.Lo > r.Hi {
			r.Lo, r.Hi = r.Hi, r.Lo
		}
		if r.Hi > 0 {
			sorted = append(sorted, Range{max(r.Lo, 1), r.Hi})
		}
	}
	slices.SortFunc(sorted, func(a, b Range) int { return int(int64(a.Lo) - int64(b.Lo)) })
	var s Set
	for _, r := range sorted {
		if n := len(s); n > 0 && uint64(r.Lo) <= uint64(s[n-1].Hi)+1 {
			s[n-1].Hi = max(s[n-1].Hi, r.Hi)
			continue
		}
		s = append(s, r)
	}
	return s
}

// Contains reports whether u is in s.
func (s Set) Contains(u UID) bool {
	_, found := slices.BinarySearchFunc(s, u, func(r Range, u UID) int {
		switch {
		case r.Hi < u:
			return -1
		case r.Lo > u:
			return 1
		}
		return 0
	})
	return found
}

// Bounds of one statement: ranges of at most expand UIDs join an IN list, lists
// have at most maxList entries. SQLite allows 32,766 parameters, PostgreSQL 65,535.
const (
	expand  = 16
	maxList = 512
)

// chunk is a condition on the column uid for one statement.
type chunk struct {
	where string // "uid BETWEEN $n AND $m" or "uid IN ($n, …)"
	args  []any
}

// chunks splits s into conditions in ascending order of UID. The first parameter
// of each is $first. Lists are padded with their last UID to the next power of
// two, so that few texts have to be prepared.
func (s Set) chunks(first int) []chunk {
	var out []chunk
	var list []int64
	flush := func() {
		if len(list) > 0 {
			out = append(out, chunk{"uid IN " + placeholders(first, padded(len(list))), padArgs(list)})
			list = list[:0]
		}
	}
	for _, r := range s {
		if r.Hi-r.Lo >= expand {
			flush()
			out = append(out, chunk{fmt.Sprintf("uid BETWEEN $%d AND $%d", first, first+1), []any{int64(r.Lo), int64(r.Hi)}})
			continue
		}
		for u := int64(r.Lo); u <= int64(r.Hi); u++ {
			if list = append(list, u); len(list) == maxList {
				flush()
			}
		}
	}
	flush()
	return out
}

// padded returns the least power of two that is not below n.
func padded(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

// padArgs returns list as arguments, its last entry repeated to the padded length.
func padArgs[T any](list []T) []any {
	args := make([]any, padded(len(list)))
	for i := range args {
		args[i] = list[min(i, len(list)-1)]
	}
	return args
}

// placeholders returns "($first, …)" with n entries.
func placeholders(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i == 0 {
			fmt.Fprintf(&b, "($%d", first)
			continue
		}
		fmt.Fprintf(&b, ", $%d", first+i)
	}
	b.WriteByte(')')
	return b.String()
}
