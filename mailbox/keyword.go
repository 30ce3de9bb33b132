package mailbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// maxKeyword is the length of a keyword in octets. Our choice.
const maxKeyword = 64

// Keywords names the bits of a box's letters. The zero value knows the flags that
// every box knows.
type Keywords struct {
	own map[Flags]string
}

// ReadKeywords opens the keywords of a box.
func ReadKeywords(tx *store.Tx, ring *seal.Keyring, box BoxID) (Keywords, error) {
	rows, err := tx.Query(`SELECT bit, record FROM keyword WHERE box_id = $1`, string(box))
	if err != nil {
		return Keywords{}, err
	}
	defer rows.Close()
	k := Keywords{own: map[Flags]string{}}
	for rows.Next() {
		var bit int64
		var sealed []byte
		if err := rows.Scan(&bit, &sealed); err != nil {
			return Keywords{}, err
		}
		name, err := ring.OpenRecord("keyword", keywordID(box, bit), sealed)
		if err != nil {
			return Keywords{}, fmt.Errorf("open a keyword of box %s: %w", box, err)
		}
		k.own[1<<bit] = string(name)
	}
	return k, rows.Err()
}

// keywordID is what the sealed keyword is bound to.
func keywordID(box BoxID, bit int64) string { return fmt.Sprintf("%s.%d", box, bit) }

// Bit returns the bit of a flag or keyword; names are compared without case.
func (k Keywords) Bit(name string) (Flags, bool) {
	if f, ok := FlagByName(name); ok {
		return f, true
	}
	for bit, n := range k.own {
		if strings.EqualFold(n, name) {
			return bit, true
		}
	}
	return 0, false
}

// Names returns the names of the flags and keywords set in f, in bit order.
func (k Keywords) Names(f Flags) []string {
	out := f.Names()
	for _, bit := range slices.Sorted(maps.Keys(k.own)) {
		if f.Has(bit) {
			out = append(out, k.own[bit])
		}
	}
	return out
}

// All returns every bit that has a name in the box.
func (k Keywords) All() Flags {
	all := KnownFlags()
	for bit := range k.own {
		all |= bit
	}
	return all
}

// Full reports whether no further keyword fits: a client is then not offered \*
// (RFC 9051 7.1, PERMANENTFLAGS).
func (k Keywords) Full() bool { return len(k.own) > lastOwn-firstOwn }

// AddKeywords gives bits to the names that have none and returns all keywords of
// the box. Bits are never taken back. It fails with fault.Invalid
// "keyword-malformed", fault.OverQuota "keywords-limit" and fault.NotFound "box-unknown".
func AddKeywords(tx *store.Tx, ring *seal.Keyring, box BoxID, names ...string) (Keywords, error) {
	k, err := ReadKeywords(tx, ring, box)
	if err != nil || !slices.ContainsFunc(names, k.lacks) {
		return k, err
	}
	if _, err := lockBox(tx, box); err != nil {
		return Keywords{}, err
	}
	if k, err = ReadKeywords(tx, ring, box); err != nil {
		return Keywords{}, err
	}
	for _, name := range names {
		if !k.lacks(name) {
			continue
		}
		if !validKeyword(name) {
			return Keywords{}, fault.New(fault.Invalid, "keyword-malformed")
		}
		if k.Full() {
			return Keywords{}, fault.New(fault.OverQuota, "keywords-limit")
		}
		bit := int64(firstOwn + len(k.own))
		record, err := ring.SealRecord("keyword", keywordID(box, bit), []byte(name))
		if err != nil {
			return Keywords{}, fmt.Errorf("seal a keyword of box %s: %w", box, err)
		}
		_, err = tx.Exec(`INSERT INTO keyword (box_id, bit, record) VALUES ($1, $2, $3)`, string(box), bit, record)
		if err != nil {
			return Keywords{}, fmt.Errorf("keep a keyword of box %s: %w", box, err)
		}
		k.own[1<<bit] = name
	}
	tx.Changed(box.Topic())
	return k, nil
}

// lacks reports whether the name has no bit.
func (k Keywords) lacks(name string) bool {
	_, ok := k.Bit(name)
	return !ok
}

// validKeyword reports whether s is an atom (RFC 9051 9, flag-keyword).
func validKeyword(s string) bool {
	if s == "" || len(s) > maxKeyword {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`(){%*"\]`, c) >= 0 {
			return false
		}
	}
	return true
}
