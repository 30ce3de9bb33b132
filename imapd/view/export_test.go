package view

import "github.com/vaguemestre/vaguemestre/mailbox"

// What the tests of this package look at from outside.

// Measure counts the keys of a query and how deep they are.
func (q Query) Measure() (keys, depth int) {
	keys, depth = 1, 1
	for _, s := range q.sub {
		k, d := s.Measure()
		keys, depth = keys+k, max(depth, d+1)
	}
	return keys, depth
}

// ModSeq is up to where the folder was read.
func (v *Folder) ModSeq() mailbox.ModSeq { return v.modseq }

// Differences leads to a folder read anew.
func (v *Folder) Differences(now mailbox.View) mailbox.Changes { return v.differences(now) }

// ParseNumbers reads a sequence set.
func ParseNumbers(s string, uid bool) (Numbers, error) { return parseNumbers(s, uid) }
