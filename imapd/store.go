package imapd

import (
	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"

	"github.com/vaguemestre/vaguemestre/imapd/view"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// Store is STORE and UID STORE.
func (s *session) Store(w *imapserver.FetchWriter, set imap.NumSet, flags *imap.StoreFlags, _ *imap.StoreOptions) error {
	v := s.selected.Folder
	if v.ReadOnly {
		return s.fail(errReadOnly())
	}
	n, err := numbersOf(set)
	if err != nil {
		return err
	}
	bits, err := s.bits(flags.Flags)
	if err != nil {
		return err
	}
	op := mailbox.Replace
	switch flags.Op {
	case imap.StoreFlagsAdd:
		op = mailbox.Add
	case imap.StoreFlagsDel:
		op = mailbox.Remove
	case imap.StoreFlagsSet:
	}
	picked := v.Pick(n)
	if len(picked) == 0 {
		return nil
	}
	var changed []mailbox.Row
	err = s.change(func(tx *store.Tx) (err error) {
		changed, _, err = mailbox.SetFlags(tx, v.ID, v.Set(picked), op, bits, 0)
		return err
	})
	if err != nil {
		return s.fail(err)
	}
	s.noteRead(changed)
	s.keepFresh()
	return s.stored(w, n.UID, flags.Silent, picked, stored{op, bits, changed})
}

// noteRead notes which letters became \Seen, as the client knew them.
func (s *session) noteRead(changed []mailbox.Row) {
	for _, r := range changed {
		i, known := s.selected.Folder.Index(r.UID)
		if known && r.Flags.Has(mailbox.FlagSeen) && !s.selected.Folder.Rows[i].Flags.Has(mailbox.FlagSeen) {
			s.read = append(s.read, r.UID)
		}
	}
}

// stored is what a STORE did.
type stored struct {
	op      mailbox.Op
	bits    mailbox.Flags
	changed []mailbox.Row
}

// expected returns what the client believes that a letter's flags are now.
func (d stored) expected(f mailbox.Flags) mailbox.Flags {
	switch d.op {
	case mailbox.Add:
		return f | d.bits
	case mailbox.Remove:
		return f &^ d.bits
	default:
		return d.bits
	}
}

// stored tells the flags of all letters that were named; after .SILENT only where
// they are others than the client believes (RFC 9051 6.4.6).
func (s *session) stored(w *imapserver.FetchWriter, uid, silent bool, picked []view.Stretch, d stored) error {
	v := s.selected.Folder
	now := make(map[mailbox.UID]mailbox.Flags, len(d.changed))
	for _, r := range d.changed {
		now[r.UID] = r.Flags
	}
	for _, p := range picked {
		for i := p.From; i < p.To; i++ {
			row := &v.Rows[i]
			expected := d.expected(row.Flags)
			if f, changed := now[row.UID]; changed {
				row.Flags = f
			}
			if silent && row.Flags == expected {
				continue
			}
			m := w.CreateMessage(uint32(i + 1))
			if uid {
				m.WriteUID(imap.UID(row.UID))
			}
			m.WriteFlags(s.labels.list(row.Flags))
			if err := m.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}
