package agenda

import (
	"errors"
	"fmt"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// KeyForm says how the session key in an event's row is wrapped.
type KeyForm int64

// The forms: to the letters key as it came, and under the space's symmetric key
// after the first opening.
const (
	ToLetters KeyForm = iota
	UnderSpace
)

// Row is an event as the database has it. [Open] opens it.
type Row struct {
	ID EventID
	// Version names what the organizer last said of the event; every accepted letter
	// makes a new one.
	Version string
	Status  Status
	// Sequence and Stamp are SEQUENCE and DTSTAMP of that letter.
	Sequence int64
	Stamp    time.Time
	// Changed is when the row last changed, by a letter or an answer.
	Changed time.Time
	KeyForm KeyForm
	Key     []byte
	// Record is the sealed event.
	Record []byte
}

// scanner is a row or the rows of a query.
type scanner interface{ Scan(dest ...any) error }

const selectRow = `SELECT event_id, version, status, sequence, stamp, changed, key_form, wrapped, record
	FROM agenda_event WHERE space_id = $1`

// scanRow reads a row of selectRow.
func scanRow(s scanner) (Row, error) {
	var r Row
	var stamp, changed int64
	err := s.Scan(&r.ID, &r.Version, &r.Status, &r.Sequence, &stamp, &changed, &r.KeyForm, &r.Key, &r.Record)
	if errors.Is(err, store.ErrNoRows) {
		return Row{}, fault.New(fault.NotFound, "event-unknown")
	}
	r.Stamp, r.Changed = store.Time(stamp), store.Time(changed)
	return r, err
}

// List returns the newest events of a space, cancelled ones included, at most limit
// rows. When an event takes place is sealed: order and filter what [Open] and
// [Occurrences] give.
func List(tx *store.Tx, space SpaceID, limit int) ([]Row, error) {
	rows, err := tx.Query(selectRow+` AND status <> 'void' ORDER BY event_id DESC LIMIT $2`, string(space), limit)
	if err != nil {
		return nil, fmt.Errorf("list the events of space %s: %w", space, err)
	}
	defer rows.Close()
	var out []Row
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return nil, fmt.Errorf("list the events of space %s: %w", space, err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Get returns one event of a space. An id that is not of this space, or names what
// is only remembered, is fault.NotFound "event-unknown".
func Get(tx *store.Tx, space SpaceID, id EventID) (Row, error) {
	return scanRow(tx.QueryRow(selectRow+` AND event_id = $2 AND status <> 'void'`, string(space), string(id)))
}

// Answer writes a person's answer to the version of an event that they saw. It
// fails with fault.NotFound "event-unknown", fault.Conflict "event-changed" when the
// organizer said something newer meanwhile, fault.Conflict "event-cancelled", and
// fault.Invalid "answer-malformed" for a status that is no answer.
func Answer(tx *store.Tx, space SpaceID, id EventID, version string, status Status) error {
	if !status.answer() {
		return fault.New(fault.Invalid, "answer-malformed")
	}
	if _, err := lock(tx, space, 0); err != nil {
		return err
	}
	r, err := Get(tx, space, id)
	switch {
	case err != nil:
		return err
	case r.Version != version:
		return fault.New(fault.Conflict, "event-changed")
	case r.Status == Cancelled:
		return fault.New(fault.Conflict, "event-cancelled")
	}
	_, err = tx.Exec(`UPDATE agenda_event SET status = $3, changed = $4 WHERE space_id = $1 AND event_id = $2`,
		string(space), string(id), string(status), store.Micros(tx.Now()))
	if err != nil {
		return fmt.Errorf("answer event %s: %w", id, err)
	}
	tx.Changed(Topic(space))
	return nil
}

// Topic is published when the agenda of a space changed.
func Topic(space SpaceID) string { return "agenda:" + string(space) }

// Rewrap replaces keys wrapped to the letters key by keys under the space's
// symmetric key. Events that changed meanwhile keep theirs.
func Rewrap(tx *store.Tx, space SpaceID, keys []Rewrapped) error {
	for _, k := range keys {
		_, err := tx.Exec(`UPDATE agenda_event SET key_form = 1, wrapped = $4
			WHERE space_id = $1 AND event_id = $2 AND version = $3 AND key_form = 0`,
			string(space), string(k.ID), k.Version, k.Key)
		if err != nil {
			return fmt.Errorf("rewrap the key of event %s: %w", k.ID, err)
		}
	}
	return nil
}
