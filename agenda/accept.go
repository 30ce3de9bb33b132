package agenda

import (
	"fmt"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Result is what became of an event that was accepted.
type Result uint8

// The results. Remembered is a cancellation of what was never asked for here: it
// stops an older letter that is still on its way, and shows nowhere.
const (
	Stale Result = iota
	Added
	Updated
	Withdrawn
	Remembered
)

// String returns the result's name in lower case.
func (r Result) String() string {
	return [...]string{"stale", "added", "updated", "cancelled", "remembered"}[r]
}

// maxEvents is how many rows an agenda has at most: a sender who floods it is
// stopped, and an opened agenda fits in memory. Our choice.
const maxEvents = 5000

// Accept applies what an organizer said about an event, in the order of SEQUENCE
// and DTSTAMP (RFC 5546 2.1.5), whatever the order of arrival: what is older than
// what is known is [Stale] and changes nothing, and so is a repetition.
//
// A request waits for the person's answer: nothing is accepted for them. An answer
// is kept while SEQUENCE stays, and asked for anew when it grows.
//
// Faults: Denied "invite-other-organizer" when the UID is known from another
// organizer; OverQuota "agenda-full".
func Accept(tx *store.Tx, w *seal.Works, s *Sealed) (Result, error) {
	in := s.letter(w, store.Micros(tx.Now()))
	count, err := lock(tx, s.space, 0)
	if err != nil {
		return Stale, err
	}
	rows, err := known(tx, s.space, in.uid)
	if err != nil {
		return Stale, err
	}
	p, err := decide(rows, in)
	if err != nil || p.result == Stale {
		return p.result, err
	}
	if p.row == "" {
		if count >= maxEvents {
			return Stale, fault.New(fault.OverQuota, "agenda-full")
		}
		err = insert(tx, s, in, p.status)
	} else {
		err = update(tx, s, in, p)
	}
	if err != nil {
		return Stale, fmt.Errorf("apply a letter to the agenda of space %s: %w", s.space, err)
	}
	if err := settle(tx, s.space, in, p); err != nil {
		return Stale, err
	}
	tx.Changed(Topic(s.space))
	return p.result, nil
}

// letter makes the hashes by which the rows are found. A DTSTAMP in the future
// would make all later letters stale: it counts as now.
func (s *Sealed) letter(w *seal.Works, now int64) said {
	in := said{
		uid:       w.MAC("event", []byte(s.space), []byte(s.uid)),
		organizer: w.MAC("event-organizer", []byte(s.space), []byte(s.organizer)),
		instance:  []byte{},
		sequence:  s.sequence,
		stamp:     min(s.stamp, now),
		cancels:   s.cancels,
	}
	if s.instance != "" {
		in.instance = w.MAC("event-instance", []byte(s.space), []byte(s.uid), []byte(s.instance))
	}
	return in
}

// lock locks the agenda of a space until the commit, adds to its number of events
// and returns it. Every write begins here: two letters about a UID that nobody
// knows yet have no row of their own to wait for each other on.
func lock(tx *store.Tx, space SpaceID, add int64) (int64, error) {
	var n int64
	err := tx.QueryRow(`INSERT INTO agenda (space_id, events) VALUES ($1, $2)
		ON CONFLICT (space_id) DO UPDATE SET events = agenda.events + excluded.events
		RETURNING events`, string(space), add).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("lock the agenda of space %s: %w", space, err)
	}
	return n, nil
}

// known returns what the agenda knows under a UID.
func known(tx *store.Tx, space SpaceID, uid []byte) ([]fact, error) {
	rows, err := tx.Query(`SELECT event_id, instance_mac, organizer_mac, sequence, stamp, status
		FROM agenda_event WHERE space_id = $1 AND uid_mac = $2`, string(space), uid)
	if err != nil {
		return nil, fmt.Errorf("find an event in space %s: %w", space, err)
	}
	defer rows.Close()
	var out []fact
	for rows.Next() {
		var f fact
		if err := rows.Scan(&f.row, &f.instance, &f.organizer, &f.sequence, &f.stamp, &f.status); err != nil {
			return nil, fmt.Errorf("find an event in space %s: %w", space, err)
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

// insert writes a row for what was not known.
func insert(tx *store.Tx, s *Sealed, in said, status Status) error {
	_, err := tx.Exec(`INSERT INTO agenda_event (space_id, event_id, version, uid_mac, instance_mac, organizer_mac,
			sequence, stamp, status, changed, key_form, wrapped, record)
		VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11)`,
		string(s.space), s.version, in.uid, in.instance, in.organizer,
		in.sequence, in.stamp, string(status), store.Micros(tx.Now()), s.wrapped, s.record)
	if err != nil {
		return err
	}
	_, err = lock(tx, s.space, 1)
	return err
}

// update writes what is newer over a row. A cancellation keeps the record: it often
// says no more than the UID.
func update(tx *store.Tx, s *Sealed, in said, p plan) error {
	now := store.Micros(tx.Now())
	if in.cancels {
		_, err := tx.Exec(`UPDATE agenda_event SET sequence = $3, stamp = $4, status = $5, changed = $6, organizer_mac = $7
			WHERE space_id = $1 AND event_id = $2`,
			string(s.space), string(p.row), in.sequence, in.stamp, string(p.status), now, in.organizer)
		return err
	}
	_, err := tx.Exec(`UPDATE agenda_event SET version = $3, sequence = $4, stamp = $5, status = $6, changed = $7,
			organizer_mac = $8, key_form = 0, wrapped = $9, record = $10
		WHERE space_id = $1 AND event_id = $2`,
		string(s.space), string(p.row), s.version, in.sequence, in.stamp, string(p.status), now,
		in.organizer, s.wrapped, s.record)
	return err
}

// settle does to the changed instances of a series what follows from the series.
func settle(tx *store.Tx, space SpaceID, in said, p plan) error {
	for _, row := range p.instances {
		_, err := tx.Exec(`UPDATE agenda_event SET status = $3, changed = $4 WHERE space_id = $1 AND event_id = $2`,
			string(space), string(row), string(p.instanceStatus), store.Micros(tx.Now()))
		if err != nil {
			return fmt.Errorf("settle the instances of a series in space %s: %w", space, err)
		}
	}
	return nil
}
