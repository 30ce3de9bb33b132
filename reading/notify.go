package reading

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/store"
)

// dispatchID returns the id that the sorting office gave to a letter when it took
// it: the "id" of the Received field that stands first in a head. Only a head that
// we wrote is asked (mailbox.Summary.Head), never a body, whose fields are anybody's.
// The outcome of a letter that was submitted here has the same id.
func dispatchID(head []byte) string {
	for f := range letter.FieldsOf(head) {
		if !f.Is("Received") {
			continue
		}
		// "from X (Y) by Z with W (V) id ID for <A>; date": words, comments left out.
		words := strings.Fields(withoutComments(f.Value()))
		if len(words) >= 8 && words[0] == "from" && words[2] == "by" && words[4] == "with" && words[6] == "id" {
			return strings.TrimSuffix(words[7], ";")
		}
		return ""
	}
	return ""
}

// withoutComments drops what stands in parentheses.
func withoutComments(s string) string {
	var b strings.Builder
	depth := 0
	for _, r := range s {
		switch {
		case r == '(':
			depth++
		case r == ')' && depth > 0:
			depth--
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// readFact is the fact that a letter was read, for the one who sent it from here.
type readFact struct{ entry *outcome.Entry }

// prepareRead finds whether a letter was submitted here, and seals the fact that it
// was read. Nil is nothing to tell: it came from another operator.
func (r *Room) prepareRead(ctx context.Context, by Reader, op *Opened) (*readFact, error) {
	id := outcome.LetterID(dispatchID(op.Summary.Head))
	if id == "" {
		return nil, nil
	}
	var sealed outcome.Sealed
	var now time.Time
	err := r.DB.Read(ctx, func(tx *store.Tx) (err error) {
		now = tx.Now()
		sealed, err = outcome.Load(tx, id)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	story, err := r.book.Open(sealed)
	if err != nil {
		return nil, fmt.Errorf("outcome of letter %s: %w", id, err)
	}
	for _, c := range story.Chapters {
		if !c.Address.Equal(by.Box.Address) {
			continue
		}
		entry, err := r.book.Enter(id, c.No, outcome.Fact{At: now, What: outcome.Read, Evidence: outcome.Evidence{Source: "flag"}})
		return &readFact{&entry}, err
	}
	return nil, nil
}

// write adds the fact, in the transaction that makes the letter \Seen.
func (f *readFact) write(tx *store.Tx) error {
	if f == nil {
		return nil
	}
	err := outcome.Add(tx, *f.entry)
	if fault.Is(err, fault.NotFound) { // the outcome was erased: nobody waits for it
		return nil
	}
	return err
}

// mostMarked is how many letters one command of a mail client marks \Seen and has
// read: beyond it somebody tidies up. Our choice.
const mostMarked = 16

// Marked does what the first opening of a letter does, for letters that a mail client
// has just marked \Seen: their senders learn that they were read. What fails is
// logged, and the client does not hear of it. It may run beside the opener's other
// methods.
func (o *Opener) Marked(ctx context.Context, folder mailbox.FolderID, uids []mailbox.UID) {
	if len(uids) == 0 || len(uids) > mostMarked {
		return
	}
	r, own := o.room, o.room.Opener(o.reader)
	batch, _, err := own.Batch(ctx, folder, mailbox.SetOf(uids...), false)
	for i := 0; err == nil && i < len(batch); i++ {
		err = r.marked(ctx, own, batch[i], folder)
	}
	if err != nil {
		r.Log.Warn("reading.marked.failed", "component", "reading", "conn", o.reader.Conn, "error", err)
	}
}

// marked is Marked for one letter.
func (r *Room) marked(ctx context.Context, own *Opener, m Sealed, folder mailbox.FolderID) error {
	by := own.reader
	op, err := own.Open(m)
	if err != nil {
		return err
	}
	defer op.Done()
	read, err := r.prepareRead(ctx, by, op)
	if err != nil {
		return err
	}
	if read != nil {
		if err := r.DB.Write(ctx, read.write); err != nil {
			return err
		}
	}
	if !r.owesReceipt(by, op.Flags) {
		return nil
	}
	l := &Letter{Line: line(op, folder, names{}), Summary: op.Summary, MessageID: op.Summary.Structure.MessageID, room: r, opened: op}
	if l.Body, err = own.Body(ctx, op); err != nil {
		return err
	}
	return r.sendReceipt(ctx, by, l)
}

// owesReceipt reports whether a sender who asked for a receipt would get one: from
// patients only, once.
func (r *Room) owesReceipt(by Reader, f mailbox.Flags) bool {
	return by.patient() && !f.Has(receiptSent())
}

// receiptSent is the keyword $MDNSent (RFC 3503).
func receiptSent() mailbox.Flags {
	f, _ := mailbox.FlagByName("$MDNSent") // every box knows it
	return f
}

// receipt answers a request for a receipt, once: a patient cannot refuse it (spec
// mssante 7.8). The keyword $MDNSent is set in the transaction that places
// the notification, so that there is never a second one. Nothing that fails here keeps
// the reader from reading; the next opening tries again.
func (r *Room) receipt(ctx context.Context, by Reader, l *Letter) {
	if !r.owesReceipt(by, l.Flags) {
		return
	}
	if err := r.sendReceipt(ctx, by, l); err != nil {
		r.Log.Warn("reading.receipt.failed", "component", "reading", "conn", by.Conn, "error", err)
	}
}

func (r *Room) sendReceipt(ctx context.Context, by Reader, l *Letter) error {
	header, err := l.header()
	if err != nil {
		return err
	}
	to := receiptAddress(l.Summary.Head, header[len(l.Summary.Head):])
	if to.IsZero() {
		return nil
	}
	mdn, err := r.Office.PrepareMDN(ctx, letter.MDN{
		From: by.Box.Address, To: to, Subject: l.Subject, Final: by.Box.Address, OriginalID: l.MessageID,
		Handling: letter.Displayed,
	})
	if err != nil {
		return err
	}
	placed := false
	err = r.DB.Write(ctx, func(tx *store.Tx) error {
		changed, _, err := mailbox.SetFlags(tx, l.Folder, mailbox.SetOf(l.UID), mailbox.Add, receiptSent(), 0)
		if placed = len(changed) > 0; err != nil || !placed {
			return err
		}
		return mdn.Place(tx)
	})
	if err == nil && !placed { // another session was faster
		mdn.Discard(ctx)
	}
	return err
}

// receiptAddress returns where a receipt goes, zero for nowhere: the one address of
// the one Disposition-Notification-To, if it is the reverse path of the letter. A
// receipt that goes elsewhere would need its reader's consent, and a report asks for
// none (RFC 8098 2.1).
func receiptAddress(head, header []byte) identity.Address {
	var asked []string
	for f := range letter.FieldsOf(header) {
		if f.Is("Disposition-Notification-To") {
			asked = append(asked, f.Value())
		}
	}
	if len(asked) != 1 {
		return identity.Address{}
	}
	list, err := letter.ParseAddressList(asked[0], 2)
	if err != nil || len(list) != 1 {
		return identity.Address{}
	}
	to := addressOf(list)
	for f := range letter.FieldsOf(head) {
		if f.Is("Return-Path") {
			path, err := identity.ParseAddress(strings.Trim(f.Value(), "<>"))
			if err == nil && path.Equal(to) {
				return to
			}
		}
	}
	return identity.Address{}
}
