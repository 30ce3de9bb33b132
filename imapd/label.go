package imapd

import (
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// labels translates between the flags of IMAP and the bits of a letter.
type labels struct {
	keywords mailbox.Keywords
	// lists are flag lists that were asked for, by their bits: most letters of a
	// folder share a few.
	lists map[mailbox.Flags][]imap.Flag
}

// maxLists bounds what labels remembers.
const maxLists = 256

// list returns the names of flags, canonical: \Seen is never \seen.
func (l *labels) list(f mailbox.Flags) []imap.Flag {
	if known, ok := l.lists[f]; ok {
		return known
	}
	out := []imap.Flag{}
	for _, name := range l.keywords.Names(f) {
		out = append(out, imap.Flag(name))
	}
	if l.lists == nil || len(l.lists) >= maxLists {
		l.lists = map[mailbox.Flags][]imap.Flag{}
	}
	l.lists[f] = out
	return out
}

// loadLabels reads the keywords of the box.
func (s *session) loadLabels() error {
	return s.snapshot(func(tx *store.Tx) error {
		k, err := mailbox.ReadKeywords(tx, s.visitor.Keys(), s.box.ID)
		if err == nil {
			s.labels = labels{keywords: k}
		}
		return err
	})
}

// bits turns flags into bits; keywords that the box does not have yet are added.
// \Recent is the server's own and passed over; other unknown system flags are
// refused (RFC 9051 2.3.2).
func (s *session) bits(flags []imap.Flag) (mailbox.Flags, error) {
	var unknown []string
	for _, f := range flags {
		_, known := s.labels.keywords.Bit(string(f))
		switch {
		case known, strings.EqualFold(string(f), `\Recent`):
		case strings.HasPrefix(string(f), `\`):
			return 0, bad("There is no such system flag")
		default:
			unknown = append(unknown, string(f))
		}
	}
	if len(unknown) > 0 {
		var k mailbox.Keywords
		err := s.change(func(tx *store.Tx) (err error) {
			k, err = mailbox.AddKeywords(tx, s.visitor.Keys(), s.box.ID, unknown...)
			return err
		})
		if err != nil {
			return 0, s.fail(err)
		}
		s.labels = labels{keywords: k}
	}
	var bits mailbox.Flags
	for _, f := range flags {
		bit, _ := s.labels.keywords.Bit(string(f))
		bits |= bit
	}
	return bits, nil
}

// permanent are the flags that a client may change in the selected folder.
func (s *session) permanent(readOnly bool) []imap.Flag {
	if readOnly {
		return []imap.Flag{}
	}
	all := slices.Clone(s.labels.list(s.labels.keywords.All()))
	if !s.labels.keywords.Full() {
		all = append(all, imap.FlagWildcard)
	}
	return all
}
