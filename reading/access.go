package reading

import (
	"context"

	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// Accesses returns a page of the history of the space, the last access first, and the
// line that continues it, empty when there is no more. An empty before begins at the
// newest. A letter that was opened from a mail client has its subject filled in while
// it is there. It fails with the faults of Decide.
func (r *Room) Accesses(ctx context.Context, by Reader, before dmp.AccessID, limit int) ([]dmp.Access, dmp.AccessID, error) {
	var rows []dmp.AccessRow
	var next dmp.AccessID
	err := r.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if err := r.decide(tx, by, ListAccesses); err != nil {
			return err
		}
		rows, next, err = dmp.Accesses(tx, dmp.SpaceID(by.Box.Space), before, limit)
		return err
	})
	if err != nil {
		return nil, "", r.refused(ctx, by, ListAccesses, boxObject(by), err)
	}
	page, err := dmp.NewOpener(by.Keys).Accesses(rows)
	if err != nil {
		return nil, "", err
	}
	return page, next, r.nameLetters(ctx, by, page)
}

// nameLetters fills in the subjects that a history does not have.
func (r *Room) nameLetters(ctx context.Context, by Reader, page []dmp.Access) error {
	missing := map[string]Sealed{}
	for _, a := range page {
		if a.What == dmp.LetterOpened && a.Title == "" && a.Object != "" {
			missing[a.Object] = Sealed{}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	err := r.DB.Read(ctx, func(tx *store.Tx) error {
		for id := range missing {
			at, err := mailbox.Locate(tx, by.Box.ID, mailbox.MessageID(id))
			if fault.Is(err, fault.NotFound) {
				continue
			}
			if err != nil {
				return err
			}
			err = mailbox.Messages(tx, at.Folder, mailbox.SetOf(at.UID), func(m mailbox.Message) error {
				missing[id] = Sealed{Message: m}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	o := r.Opener(by)
	for i, a := range page {
		m := missing[a.Object]
		if a.Title != "" || m.ID == "" {
			continue
		}
		op, err := o.Open(m)
		if err != nil {
			return err
		}
		if e := op.Summary.Structure.Root.Envelope; e != nil {
			page[i].Title = letter.DecodeWords(e.Subject)
		}
		op.Done()
	}
	return nil
}
