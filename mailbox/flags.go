package mailbox

import (
	"math/bits"
	"strings"
)

// Flags is the set of flags of a letter, one bit each:
//
//	 0-4   system flags (RFC 9051 2.3.2); \Recent is not kept
//	 5-15  keywords that every box knows, without a row of their own
//	16-61  keywords of the box, by the rows of its keyword table
type Flags uint64

// The system flags.
const (
	FlagSeen Flags = 1 << iota
	FlagAnswered
	FlagFlagged
	FlagDeleted
	FlagDraft
)

// The layout of the bits.
const (
	firstOwn = 16
	// lastOwn stays clear of the sign bit: the column is a signed 64-bit integer.
	lastOwn = 61
)

// AllFlags is every bit that a letter can have.
const AllFlags Flags = 1<<(lastOwn+1) - 1

// flagNames names bits 0 to 15: the system flags, then the keywords registered
// with IANA (RFC 5788) that mail clients set without asking.
func flagNames() [firstOwn]string {
	return [firstOwn]string{
		`\Seen`, `\Answered`, `\Flagged`, `\Deleted`, `\Draft`,
		"$Forwarded", "$MDNSent", "$Junk", "$NotJunk", "$Phishing", "$Important", "$SubmitPending", "$Submitted",
		"Junk", "NonJunk", "$HasAttachment",
	}
}

// KnownFlags returns the bits that have a name in every box.
func KnownFlags() Flags { return 1<<firstOwn - 1 }

// FlagByName returns the bit of a system flag or of a keyword that every box
// knows; names are compared without case (RFC 9051 2.3.2).
func FlagByName(name string) (Flags, bool) {
	for i, n := range flagNames() {
		if strings.EqualFold(n, name) {
			return 1 << i, true
		}
	}
	return 0, false
}

// Names returns the names of the bits that every box knows, in bit order.
// Keywords of the box are named by [Keywords.Names].
func (f Flags) Names() []string {
	names := flagNames()
	var out []string
	for rest := f & KnownFlags(); rest != 0; rest &= rest - 1 {
		out = append(out, names[bits.TrailingZeros64(uint64(rest))])
	}
	return out
}

// Has reports whether all bits of g are set.
func (f Flags) Has(g Flags) bool { return f&g == g }

// Op says how SetFlags combines the flags given with those of the letter.
type Op uint8

// The operations of STORE (RFC 9051 6.4.6).
const (
	Replace Op = iota
	Add
	Remove
)

// apply returns what f becomes.
func (o Op) apply(f, g Flags) Flags {
	switch o {
	case Add:
		return f | g
	case Remove:
		return f &^ g
	default:
		return g
	}
}

// one returns 1 if f has g, else 0: a step of a folder's counters.
func (f Flags) one(g Flags) int64 {
	if f.Has(g) {
		return 1
	}
	return 0
}
