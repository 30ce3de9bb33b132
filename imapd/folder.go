package imapd

import (
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/imapd/view"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// Namespace is NAMESPACE: one's own folders, nobody else's.
func (s *session) Namespace() (*imap.NamespaceData, error) {
	return &imap.NamespaceData{Personal: []imap.NamespaceDescriptor{{Delim: rune(mailbox.Separator[0])}}}, nil
}

// roleAttr returns the attribute of a special use (RFC 6154).
func roleAttr(r mailbox.Role) (imap.MailboxAttr, bool) {
	switch r {
	case mailbox.Sent:
		return imap.MailboxAttrSent, true
	case mailbox.Drafts:
		return imap.MailboxAttrDrafts, true
	case mailbox.Trash:
		return imap.MailboxAttrTrash, true
	case mailbox.Junk:
		return imap.MailboxAttrJunk, true
	case mailbox.Archive:
		return imap.MailboxAttrArchive, true
	case mailbox.Inbox:
	}
	return "", false
}

// roleOf is the inverse of roleAttr.
func roleOf(attrs []imap.MailboxAttr) (mailbox.Role, error) {
	if len(attrs) == 0 {
		return "", nil
	}
	for _, r := range []mailbox.Role{mailbox.Sent, mailbox.Drafts, mailbox.Trash, mailbox.Junk, mailbox.Archive} {
		if a, _ := roleAttr(r); len(attrs) == 1 && strings.EqualFold(string(a), string(attrs[0])) {
			return r, nil
		}
	}
	// RFC 6154 3: USEATTR.
	return "", &imap.Error{Type: imap.StatusResponseTypeNo, Code: "USEATTR", Text: "This special use is not supported"}
}

// Create is CREATE. A trailing separator only says that folders will follow below
// (RFC 9051 6.3.4).
func (s *session) Create(name string, o *imap.CreateOptions) error {
	role, err := roleOf(o.SpecialUse)
	if err != nil {
		return err
	}
	name = strings.TrimSuffix(name, mailbox.Separator)
	return s.fail(s.change(func(tx *store.Tx) error {
		_, err := mailbox.CreateFolder(tx, s.visitor.Keys(), s.box.ID, name, role)
		return err
	}))
}

// Delete is DELETE, letters included.
func (s *session) Delete(name string) error {
	f, err := s.folder(name)
	if err == nil {
		err = s.change(func(tx *store.Tx) error { return mailbox.DeleteFolder(tx, s.visitor.Keys(), f.ID) })
	}
	if err == nil {
		s.deleted, s.changed = f.ID, f.ID
	}
	return s.fail(err)
}

// Rename is RENAME.
func (s *session) Rename(name, to string, _ *imap.RenameOptions) error {
	f, err := s.folder(name)
	if err == nil {
		to = strings.TrimSuffix(to, mailbox.Separator)
		err = s.change(func(tx *store.Tx) error { return mailbox.RenameFolder(tx, s.visitor.Keys(), f.ID, to) })
		s.changed = f.ID // INBOX loses its letters
	}
	return s.fail(err)
}

// Subscribe is SUBSCRIBE.
func (s *session) Subscribe(name string) error { return s.subscribe(name, true) }

// Unsubscribe is UNSUBSCRIBE.
func (s *session) Unsubscribe(name string) error { return s.subscribe(name, false) }

func (s *session) subscribe(name string, on bool) error {
	f, err := s.folder(name)
	if err == nil && f.Subscribed != on {
		err = s.change(func(tx *store.Tx) error { return mailbox.Subscribe(tx, f.ID, on) })
	}
	return s.fail(err)
}

// Status is STATUS.
func (s *session) Status(name string, o *imap.StatusOptions) (*imap.StatusData, error) {
	if o.DeletedStorage {
		return nil, bad("STATUS has no such item here")
	}
	f, err := s.folder(name)
	if err != nil {
		return nil, s.fail(err)
	}
	return s.status(f), nil
}

// status returns the counters of a folder.
func (s *session) status(f mailbox.Folder) *imap.StatusData {
	messages, unseen, deleted, none := uint32(f.Messages), uint32(f.Unseen), uint32(f.Deleted), uint32(0)
	size, limit := f.Bytes, s.AppendLimit()
	return &imap.StatusData{
		Mailbox: f.Name, UIDNext: imap.UID(f.UIDNext), UIDValidity: uint32(f.UIDValidity),
		NumMessages: &messages, NumUnseen: &unseen, NumDeleted: &deleted, NumRecent: &none,
		Size: &size, AppendLimit: &limit,
	}
}

// maxPatterns bounds the patterns of one LIST. Our choice.
const maxPatterns = 32

// List is LIST and LSUB.
func (s *session) List(w *imapserver.ListWriter, reference string, patterns []string, o *imap.ListOptions) error {
	if len(patterns) == 0 {
		// RFC 9051 6.3.9: an empty pattern asks for the separator.
		return w.WriteList(&imap.ListData{Attrs: []imap.MailboxAttr{imap.MailboxAttrNoSelect}, Delim: rune(mailbox.Separator[0])})
	}
	if len(patterns) > maxPatterns || o.ReturnStatus != nil && o.ReturnStatus.DeletedStorage {
		return bad("LIST asks for too much")
	}
	var all []mailbox.Folder
	err := s.snapshot(func(tx *store.Tx) (err error) {
		all, err = mailbox.Folders(tx, s.visitor.Keys(), s.box.ID)
		return err
	})
	if err != nil {
		return s.fail(err)
	}
	l := lister{folders: all, options: o}
	for _, p := range patterns {
		l.patterns = append(l.patterns, view.NewPattern(reference, p))
	}
	for _, f := range all {
		data := l.data(f)
		if data == nil {
			continue
		}
		if o.ReturnStatus != nil {
			data.Status = s.status(f)
		}
		if err := w.WriteList(data); err != nil {
			return err
		}
	}
	return nil
}

// lister decides which folders a LIST shows, and how.
type lister struct {
	folders  []mailbox.Folder
	patterns []view.Pattern
	options  *imap.ListOptions
}

// data returns what is shown of a folder; nil is nothing.
func (l *lister) data(f mailbox.Folder) *imap.ListData {
	if !l.named(f) {
		return nil
	}
	o := l.options
	children, below := l.below(f)
	attr, special := roleAttr(f.Role)
	self := (!o.SelectSubscribed || f.Subscribed) && (!o.SelectSpecialUse || special)
	if !self && (!o.SelectRecursiveMatch || !below) {
		return nil
	}
	d := &imap.ListData{Mailbox: f.Name, Delim: rune(mailbox.Separator[0]), Attrs: []imap.MailboxAttr{imap.MailboxAttrHasNoChildren}}
	if children {
		d.Attrs[0] = imap.MailboxAttrHasChildren
	}
	if special {
		d.Attrs = append(d.Attrs, attr)
	}
	if f.Subscribed && (o.ReturnSubscribed || o.SelectSubscribed) {
		d.Attrs = append(d.Attrs, imap.MailboxAttrSubscribed)
	}
	if o.SelectRecursiveMatch && below {
		d.ChildInfo = &imap.ListDataChildInfo{Subscribed: true}
	}
	return d
}

// named reports whether a pattern fits the folder.
func (l *lister) named(f mailbox.Folder) bool {
	for _, p := range l.patterns {
		if p.Matches(f.Name) {
			return true
		}
	}
	return false
}

// below reports whether there are folders below f, and whether one of them is
// subscribed.
func (l *lister) below(f mailbox.Folder) (any, subscribed bool) {
	for _, g := range l.folders {
		if strings.HasPrefix(g.Name, f.Name+mailbox.Separator) {
			any, subscribed = true, subscribed || g.Subscribed
		}
	}
	return any, subscribed
}

// errReadOnly is a change in a folder opened by EXAMINE.
func errReadOnly() error { return fault.New(fault.Denied, "box-read-only") }
