package imapd

import (
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/vaguemestre/vaguemestre/mailbox"
)

// Append is APPEND. The library's reader is empty: the octets are taken from the
// front, which invites the client only now, when the folder and flags are known
// to be right.
func (s *session) Append(name string, _ imap.LiteralReader, o *imap.AppendOptions) (*imap.AppendData, error) {
	up := s.conn.Upload()
	if up == nil {
		return nil, bad("APPEND without a message")
	}
	f, err := s.folder(name)
	if err != nil {
		return nil, s.failTarget(err)
	}
	bits, err := s.bits(known(o.Flags))
	if err != nil {
		return nil, err
	}
	placed, err := s.srv.Filer.Append(s.conn.Context(), s.visitor, Appended{Folder: f.ID, Flags: bits, Internal: o.Time, Size: up.Size()}, up)
	if up.Continued() {
		return nil, bad("An APPEND carries one message")
	}
	if up.Err() != nil {
		s.conn.Abort() // the client is gone, or too slow
		return nil, s.fail(up.Err())
	}
	if err != nil {
		return nil, s.failTarget(err)
	}
	s.changed = f.ID
	return &imap.AppendData{UID: imap.UID(placed.UID), UIDValidity: uint32(f.UIDValidity)}, nil
}

// known leaves out system flags that do not exist: a client that copies a message
// from another server cannot help what was there.
func known(flags []imap.Flag) []imap.Flag {
	var out []imap.Flag
	for _, f := range flags {
		if _, ok := mailbox.FlagByName(string(f)); ok || !strings.HasPrefix(string(f), `\`) {
			out = append(out, f)
		}
	}
	return out
}
