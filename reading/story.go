package reading

import (
	"context"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/store"
)

// Outcome returns what became of a letter that the reader's box sent. It is named by
// the letter's id in outcome, by the id of the copy in a folder of the box, or by its
// Message-ID. It fails with fault.NotFound "outcome-unknown", also for a letter that
// somebody else sent, and with the faults of Decide.
func (r *Room) Outcome(ctx context.Context, by Reader, id string) (outcome.Story, error) {
	messageID, err := r.messageIDOf(ctx, by, id)
	if err != nil {
		return outcome.Story{}, r.refused(ctx, by, OpenOutcome, boxObject(by), err)
	}
	var sealed outcome.Sealed
	err = r.DB.Read(ctx, func(tx *store.Tx) (err error) {
		found, err := outcome.Find(tx, string(by.Box.ID), r.book.MessageMAC(string(by.Box.ID), messageID))
		if fault.Is(err, fault.NotFound) {
			found, err = outcome.LetterID(id), nil
		}
		if err != nil {
			return err
		}
		sealed, err = outcome.Load(tx, found)
		return err
	})
	if err != nil {
		return outcome.Story{}, err
	}
	story, err := r.book.Open(sealed)
	if err == nil && story.Sender != string(by.Box.ID) {
		err = fault.New(fault.NotFound, "outcome-unknown")
	}
	if err != nil {
		return outcome.Story{}, err
	}
	return story, nil
}

// messageIDOf returns the Message-ID of a letter in the box, or what was given if it
// names none.
func (r *Room) messageIDOf(ctx context.Context, by Reader, id string) (string, error) {
	var m Sealed
	err := r.DB.Read(ctx, func(tx *store.Tx) error {
		m = Sealed{}
		if err := r.decide(tx, by, OpenOutcome); err != nil {
			return err
		}
		at, err := mailbox.Locate(tx, by.Box.ID, mailbox.MessageID(id))
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return mailbox.Messages(tx, at.Folder, mailbox.SetOf(at.UID), func(row mailbox.Message) error {
			m.Message = row
			return nil
		})
	})
	if err != nil || m.ID == "" {
		return id, err
	}
	op, err := r.Opener(by).Open(m)
	if err != nil {
		return "", err
	}
	defer op.Done()
	return op.Summary.Structure.MessageID, nil
}
