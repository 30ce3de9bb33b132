package reading

import (
	"context"
	"errors"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// maxPage is the most lines that a list gives at once.
const maxPage = 200

// Letters returns the newest letters of a folder below a UID, the newest first; a
// zero before begins at the newest. Only summaries are opened: a list is no reading.
// It fails with fault.NotFound "folder-unknown", also for a folder of another box,
// and with the faults of Decide.
func (r *Room) Letters(ctx context.Context, by Reader, folder mailbox.FolderID, before mailbox.UID, limit int) ([]Line, error) {
	if folder.Box() != by.Box.ID {
		return nil, fault.New(fault.NotFound, "folder-unknown")
	}
	o := r.Opener(by)
	known := names{hide: by.patient()}
	limit = min(max(limit, 1), maxPage)
	lines := make([]Line, 0, limit)
	for len(lines) < limit {
		page, err := r.page(ctx, by, folder, before, limit-len(lines), &known)
		if err != nil {
			return nil, err
		}
		for _, m := range page {
			before = m.UID
			op, err := o.Open(m)
			if r.broken(by, "letter:"+string(m.ID), err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			lines = append(lines, line(op, folder, known))
			op.Done()
		}
		if len(page) == 0 || before <= 1 {
			break
		}
	}
	r.keepFresh(ctx, by, folder, o.Fresh())
	return lines, nil
}

// page reads rows until it has enough of them in memory.
func (r *Room) page(ctx context.Context, by Reader, folder mailbox.FolderID, before mailbox.UID, limit int, known *names) ([]Sealed, error) {
	var out []Sealed
	err := r.DB.Read(ctx, func(tx *store.Tx) error {
		out = out[:0]
		if err := r.decide(tx, by, ListLetters); err != nil {
			return err
		}
		if err := r.correspondents(tx, by, known); err != nil {
			return err
		}
		size := 0
		err := mailbox.Page(tx, folder, before, limit, func(m mailbox.Message) error {
			out = append(out, Sealed{Message: m})
			if size += len(m.Record) + len(m.Key) + 256; size > batchBytes {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	})
	return out, err
}

// broken reports whether an item of a list cannot be opened by our own failure: it is
// left out and logged, so that one broken row does not hide the others.
func (r *Room) broken(by Reader, object string, err error) bool {
	if err == nil || !fault.Is(err, fault.Internal) {
		return false
	}
	r.Log.Error("reading.item.broken", "component", "reading", "conn", by.Conn, "item", object, "error", err)
	return true
}

// correspondents reads what a patient's correspondents are called, once.
func (r *Room) correspondents(tx *store.Tx, by Reader, n *names) error {
	if !by.patient() || n.known != nil {
		return nil
	}
	all, err := mailbox.Correspondents(tx, r.Works, by.Box.ID)
	n.known = make(map[string]string, len(all))
	for _, c := range all {
		n.known[c.Address.Key()] = c.Name
	}
	return err
}

// keepFresh writes keys that were re-wrapped; nothing is lost if it fails.
func (r *Room) keepFresh(ctx context.Context, by Reader, folder mailbox.FolderID, fresh []mailbox.Rewrapped) {
	if len(fresh) == 0 {
		return
	}
	err := r.DB.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error { return mailbox.Rewrap(tx, folder, fresh) })
	if err != nil {
		r.Log.Warn("reading.rewrap", "component", "reading", "conn", by.Conn, "error", err)
	}
}
