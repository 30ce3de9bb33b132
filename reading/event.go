package reading

import (
	"context"
	"fmt"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/store"
)

// Event is an opened event and its version, which an answer names.
type Event struct {
	agenda.Event
	// Version is what [agenda.Answer] wants to be told: the version that was shown.
	Version string
}

// mostEvents bounds a list of events: as many as an agenda holds.
const mostEvents = 5000

// Events returns the newest events of the agenda, cancelled ones included, in no
// order of time: when an event takes place is sealed. At most limit of them.
// It fails with the faults of Decide.
func (r *Room) Events(ctx context.Context, by Reader, limit int) ([]Event, error) {
	return r.events(ctx, by, ListEvents, func(tx *store.Tx) ([]agenda.Row, error) {
		return agenda.List(tx, agenda.SpaceID(by.Box.Space), min(max(limit, 1), mostEvents))
	})
}

// Event opens one event. It fails with fault.NotFound "event-unknown", also for an
// event of another space, and with the faults of Decide.
func (r *Room) Event(ctx context.Context, by Reader, id agenda.EventID) (Event, error) {
	all, err := r.events(ctx, by, OpenEvent, func(tx *store.Tx) ([]agenda.Row, error) {
		row, err := agenda.Get(tx, agenda.SpaceID(by.Box.Space), id)
		return []agenda.Row{row}, err
	})
	if err != nil {
		return Event{}, err
	}
	return all[0], nil
}

// events reads rows, and opens them.
func (r *Room) events(ctx context.Context, by Reader, act Act, read func(tx *store.Tx) ([]agenda.Row, error)) ([]Event, error) {
	var rows []agenda.Row
	err := r.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if err := r.decide(tx, by, act); err != nil {
			return err
		}
		rows, err = read(tx)
		return err
	})
	if err != nil {
		return nil, r.refused(ctx, by, act, boxObject(by), err)
	}
	var out []Event
	var fresh []agenda.Rewrapped
	for _, row := range rows {
		e, key, err := agenda.Open(by.Keys, row)
		if act == ListEvents && r.broken(by, "event:"+string(row.ID), err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("open event %s: %w", row.ID, err)
		}
		if key != nil {
			fresh = append(fresh, *key)
		}
		out = append(out, Event{e, row.Version})
	}
	if len(fresh) > 0 {
		err := r.DB.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
			return agenda.Rewrap(tx, agenda.SpaceID(by.Box.Space), fresh)
		})
		if err != nil {
			r.Log.Warn("reading.rewrap", "component", "reading", "conn", by.Conn, "error", err)
		}
	}
	return out, nil
}

// Answering prepares what an answer to an invitation leaves in the history. What it
// returns decides and writes, in the transaction of the answer; it may run more than
// once.
func (r *Room) Answering(by Reader, e Event) (func(tx *store.Tx) error, error) {
	line, err := dmp.NewTrace(by.Keys.Vault(), dmp.SpaceID(by.Box.Space), by.access(dmp.InvitationAnswered, string(e.ID), e.Summary))
	if err != nil {
		return nil, err
	}
	return func(tx *store.Tx) error {
		if err := r.decide(tx, by, Answer); err != nil {
			return err
		}
		return dmp.Note(tx, line)
	}, nil
}
