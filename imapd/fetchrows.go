package imapd

import (
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/imapd/view"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/store"
)

// rows answers from the view alone: UID and FLAGS as they were last told.
func (f *fetching) rows(picked []view.Stretch) error {
	for _, p := range picked {
		for i := p.From; i < p.To; i++ {
			if err := f.write(i, mailbox.Facts{}, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// facts answers what rows tell without their keys.
func (f *fetching) facts(picked []view.Stretch) error {
	for _, piece := range view.Chunks(picked, 1024) {
		all, err := f.opener.Facts(f.conn.Context(), f.view.ID, f.view.Set(piece))
		if err != nil {
			return err
		}
		for _, m := range all {
			if i, known := f.view.Index(m.UID); known {
				if err := f.write(i, m, nil); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// letters answers what is in the letters.
func (f *fetching) letters(picked []view.Stretch) error {
	if f.resume(picked) {
		return f.failed
	}
	f.forget()
	for _, piece := range view.Chunks(picked, 128) {
		if err := f.markSeen(piece); err != nil {
			return err
		}
		for set := f.view.Set(piece); len(set) > 0; {
			batch, rest, err := f.opener.Batch(f.conn.Context(), f.view.ID, set, len(f.sections) > 0)
			if err != nil {
				return err
			}
			set = rest
			if f.reads {
				if err := f.opener.Trace(f.conn.Context(), batch); err != nil {
					return err
				}
			}
			for _, m := range batch {
				if err := f.letter(m); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// letter opens and writes one letter. A letter that cannot be opened is passed
// over: the command fails in the end, but shows the others.
func (f *fetching) letter(m reading.Sealed) error {
	i, known := f.view.Index(m.UID)
	if !known {
		return nil
	}
	op, err := f.opener.Open(m)
	if err != nil {
		f.failed = err
		return nil
	}
	if len(f.sections) > 0 {
		if _, err := f.opener.Body(f.conn.Context(), op); err != nil {
			op.Done()
			if !fault.Is(err, fault.NotFound) { // else expunged meanwhile
				f.failed = err
			}
			return nil
		}
	}
	f.forget()
	if f.last = op; !f.steps {
		defer f.forget()
	}
	return f.write(i, m.Facts, op)
}

// resume answers from the letter that the last FETCH left open: a client that
// fetches a large letter in steps makes us open it once.
func (f *fetching) resume(picked []view.Stretch) bool {
	if f.last == nil || !f.steps || len(picked) != 1 || picked[0].To-picked[0].From != 1 || f.options.Envelope || f.options.BodyStructure != nil {
		return false
	}
	row := f.view.Rows[picked[0].From]
	if row.UID != f.last.UID || f.mark && !row.Flags.Has(mailbox.FlagSeen) {
		return false
	}
	f.failed = f.write(picked[0].From, f.last.Facts, f.last)
	return true
}

// markSeen sets \Seen where the client reads without PEEK.
func (f *fetching) markSeen(piece []view.Stretch) error {
	if !f.mark {
		return nil
	}
	var unseen []mailbox.UID
	for _, p := range piece {
		for _, r := range f.view.Rows[p.From:p.To] {
			if !r.Flags.Has(mailbox.FlagSeen) {
				unseen = append(unseen, r.UID)
			}
		}
	}
	if len(unseen) == 0 {
		return nil
	}
	var changed []mailbox.Row
	err := f.change(func(tx *store.Tx) (err error) {
		changed, _, err = mailbox.SetFlags(tx, f.view.ID, mailbox.SetOf(unseen...), mailbox.Add, mailbox.FlagSeen, 0)
		return err
	})
	if err == nil {
		f.view.SetFlags(changed)
		for _, r := range changed {
			f.read = append(f.read, r.UID)
		}
		f.options.Flags = f.options.Flags || len(changed) > 0 // RFC 9051 6.4.5: SHOULD be told
	}
	return err
}
