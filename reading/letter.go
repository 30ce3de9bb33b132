package reading

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// Letter is an opened letter: its line, its parts and its octets. Close it. It is
// for one goroutine.
type Letter struct {
	Line
	Summary mailbox.Summary
	// Body is the letter's octets, as it was received.
	Body *mailbox.Letter
	// Root is the tree of parts.
	Root *Part
	// First says that nobody had opened the letter before.
	First bool
	// Answer is whom an answer goes to: the Reply-To box in the author's place (spec
	// mssante 7.5), zero if the letter names nobody. Never show it to a patient.
	Answer identity.Address
	// NoAnswer is nil when the reader may answer, else the fault that says why not:
	// Denied "correspondent-unknown" or "correspondent-closed", "right-missing",
	// NotFound "author-missing".
	NoAnswer error
	// MessageID is the letter's own, angle brackets included, for In-Reply-To.
	MessageID string
	// Filing is what became of the letter's documents, as package filing wrote it
	// under [FilingPurpose]; nil if there were none or it is not done yet.
	Filing []byte

	room   *Room
	opened *Opened
}

// FilingPurpose is what a filing's record is sealed for, with the session key of the
// letter and bound to its id.
const FilingPurpose = "filing"

// Close wipes what the opening left in memory.
func (l *Letter) Close() error {
	l.opened.Done()
	return nil
}

// Letter opens a letter of the reader's box: it decides, writes the opening down
// (audit leaf, and the history of accesses in a patient's space), marks the letter
// \Seen, notes at the first opening that it was read, answers the request for a
// receipt, and only then hands the octets out. Opening it again within a quarter of
// an hour, with the same released keys, is the same opening and leaves no second
// trace; the decision is taken each time.
//
// It fails with fault.NotFound "letter-unknown", also for a letter of another box,
// with the faults of Decide, and with what kept the trace from being written.
func (r *Room) Letter(ctx context.Context, by Reader, id mailbox.MessageID) (*Letter, error) {
	object := "letter:" + string(id)
	f, err := r.find(ctx, by, id)
	if err != nil {
		return nil, r.refused(ctx, by, OpenLetter, object, err)
	}
	o := r.Opener(by)
	op, err := o.Open(f.row)
	if err != nil {
		return nil, fmt.Errorf("open letter %s: %w", id, err)
	}
	l := &Letter{
		Line: line(op, f.at.Folder, f.names), Summary: op.Summary, Root: partTree(&op.Summary.Structure.Root, ""),
		MessageID: op.Summary.Structure.MessageID, room: r, opened: op,
	}
	if err := r.complete(ctx, by, l, o, f); err != nil {
		op.Done()
		return nil, r.refused(ctx, by, OpenLetter, object, err)
	}
	return l, nil
}

// complete reads the rest of a letter, and traces it before it is handed out.
func (r *Room) complete(ctx context.Context, by Reader, l *Letter, o *Opener, f found) (err error) {
	if len(f.filing) > 0 {
		if l.Filing, err = l.opened.key.OpenRecord(FilingPurpose, string(l.ID), f.filing); err != nil {
			return fmt.Errorf("filing of letter %s: %w", l.ID, err)
		}
	}
	if l.Body, err = o.Body(ctx, l.opened); err != nil {
		return fmt.Errorf("open letter %s: %w", l.ID, err)
	}
	l.Answer = answerAddress(l.Summary.Structure.Root.Envelope)
	if l.NoAnswer, err = r.mayAnswer(ctx, by, l.Answer); err != nil {
		return err
	}
	visit, now := opened{by.Keys, "letter:" + string(l.ID)}, r.clock()
	if !l.Unread() && r.visited.has(visit, now) {
		return nil
	}
	if err := r.traceLetter(ctx, by, l, o.Fresh()); err != nil {
		return err
	}
	r.visited.add(visit, now)
	r.receipt(ctx, by, l)
	return nil
}

// found is a letter as its rows have it.
type found struct {
	row    Sealed
	at     mailbox.Place
	names  names
	filing []byte
}

// find reads the rows of a letter, and decides.
func (r *Room) find(ctx context.Context, by Reader, id mailbox.MessageID) (f found, err error) {
	err = r.DB.Read(ctx, func(tx *store.Tx) (err error) {
		f = found{names: names{hide: by.patient()}}
		if err := r.decide(tx, by, OpenLetter); err != nil {
			return err
		}
		if f.at, err = mailbox.Locate(tx, by.Box.ID, id); err != nil {
			return err
		}
		if err := r.correspondents(tx, by, &f.names); err != nil {
			return err
		}
		err = mailbox.Messages(tx, f.at.Folder, mailbox.SetOf(f.at.UID), func(row mailbox.Message) error {
			f.row.Message = row
			return nil
		})
		if err != nil {
			return err
		}
		if f.row.body, err = readBody(tx, f.row.Body); err != nil {
			return err
		}
		f.filing, err = dmp.ReadFiling(tx, dmp.SpaceID(by.Box.Space), string(id))
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		return err
	})
	return f, err
}

// traceLetter writes an opening down in one transaction, with what changes by it.
func (r *Room) traceLetter(ctx context.Context, by Reader, l *Letter, fresh []mailbox.Rewrapped) error {
	t, err := r.prepareTrace(by, OpenLetter, by.leaf(OpenLetter, "letter:"+string(l.ID)),
		by.access(dmp.LetterOpened, string(l.ID), l.Subject))
	if err != nil {
		return err
	}
	read, err := r.prepareRead(ctx, by, l.opened)
	if err != nil {
		return err
	}
	return r.DB.Write(ctx, func(tx *store.Tx) error {
		changed, _, err := mailbox.SetFlags(tx, l.Folder, mailbox.SetOf(l.UID), mailbox.Add, mailbox.FlagSeen, 0)
		if err != nil {
			return err
		}
		if l.First = len(changed) > 0; l.First {
			l.Flags = changed[0].Flags
			if err := read.write(tx); err != nil {
				return err
			}
		}
		if err := mailbox.Rewrap(tx, l.Folder, fresh); err != nil {
			return err
		}
		return t.write(tx)
	})
}

// mayAnswer says why the reader may not answer, nil if they may.
func (r *Room) mayAnswer(ctx context.Context, by Reader, to identity.Address) (no, err error) {
	if to.IsZero() {
		return fault.New(fault.NotFound, "author-missing"), nil
	}
	err = r.DB.Read(ctx, func(tx *store.Tx) error {
		if no = r.decide(tx, by, Answer); no == nil && by.patient() {
			no = mailbox.MayAnswer(tx, r.Works, by.Box.ID, to)
		}
		if no != nil && !fault.Is(no, fault.Denied) {
			return no
		}
		return nil
	})
	return no, err
}

// answerAddress is whom an answer goes to: the one box that Reply-To names, else the
// author.
func answerAddress(e *letter.Envelope) identity.Address {
	switch {
	case e == nil:
		return identity.Address{}
	case len(e.ReplyTo) == 1 && !addressOf(e.ReplyTo).IsZero():
		return addressOf(e.ReplyTo)
	}
	return addressOf(e.From)
}

// maxHeader bounds what is read of a header at once: the limit of package letter
// and as much again for a head. Both are bounded where letters enter.
const maxHeader = 512 << 10

// header reads the letter's header block, head included.
func (l *Letter) header() ([]byte, error) {
	r := l.Body.Header()
	b := make([]byte, min(r.Size(), maxHeader))
	n, err := l.Body.ReadAt(b, r.Start)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}

// mostReferences is how many message ids an answer refers to: a line of references
// that never ends helps nobody.
const mostReferences = 20

// ReferenceIDs returns the message ids that an answer refers to (RFC 5322 3.6.4):
// the letter's own References, then its Message-ID, the newest of them.
func (l *Letter) ReferenceIDs() ([]string, error) {
	header, err := l.header()
	if err != nil {
		return nil, err
	}
	var ids []string
	for f := range letter.FieldsOf(header) {
		if f.Is("References") {
			for _, id := range strings.Fields(f.Value()) {
				if strings.HasPrefix(id, "<") && strings.HasSuffix(id, ">") {
					ids = append(ids, id)
				}
			}
			break
		}
	}
	if l.MessageID != "" {
		ids = append(ids, l.MessageID)
	}
	return ids[max(0, len(ids)-mostReferences):], nil
}
