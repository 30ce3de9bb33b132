package agenda

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
)

// Sealed is an event ready for [Accept]: what a person could read is sealed under a
// session key of its own, wrapped to the letters key of the space.
type Sealed struct {
	space   SpaceID
	version string
	wrapped []byte
	record  []byte
	// What follows orders and finds the event; it lives until the transaction.
	uid, instance, organizer string
	sequence                 int64
	stamp                    int64
	cancels                  bool
}

// purpose is what an event's record is sealed for.
const purpose = "event"

// Seal seals an event for a space before the transaction that accepts it. The event
// has been through [Judge]. It fails with fault.Invalid "invite-no-uid".
func Seal(letters *seal.PublicKey, space SpaceID, e Event) (*Sealed, error) {
	if e.UID == "" {
		return nil, fault.New(fault.Invalid, "invite-no-uid")
	}
	s := &Sealed{
		space: space, version: identity.NewID(),
		uid: e.UID, instance: e.instance(), organizer: e.Organizer.key(),
		sequence: e.Sequence, stamp: micros(e.Stamp), cancels: e.Cancels(),
	}
	plain, err := json.Marshal(e.stored())
	if err != nil {
		return nil, fmt.Errorf("encode an event: %w", err)
	}
	k := seal.NewSessionKey()
	defer k.Zero()
	if s.record, err = k.SealRecord(purpose, s.version, plain); err != nil {
		return nil, fmt.Errorf("seal event %s: %w", s.version, err)
	}
	if s.wrapped, err = letters.Wrap(k, s.version); err != nil {
		return nil, fmt.Errorf("wrap the key of event %s: %w", s.version, err)
	}
	return s, nil
}

// Rewrapped is an event's session key after its first opening.
type Rewrapped struct {
	ID      EventID
	Version string
	// Key is from seal's Keyring.Rewrap, bound to Version.
	Key []byte
}

// Open opens the record of a row with the keys of its space. The second result is
// not nil at the first opening: the key under the space's symmetric key, for
// [Rewrap]. A record that is not of this row, or changed, is fault.Internal
// "event-broken".
func Open(ring *seal.Keyring, r Row) (Event, *Rewrapped, error) {
	k, fresh, err := unwrap(ring, r)
	if err != nil {
		return Event{}, nil, err
	}
	defer k.Zero()
	plain, err := k.OpenRecord(purpose, r.Version, r.Record)
	if err != nil {
		return Event{}, nil, fault.Wrap(fault.Internal, "event-broken", err)
	}
	var e Event
	if err := json.Unmarshal(plain, &e); err != nil {
		return Event{}, nil, fault.Wrap(fault.Internal, "event-broken", err)
	}
	e.restore()
	e.ID, e.Status, e.Changed = r.ID, r.Status, r.Changed
	return e, fresh, nil
}

// unwrap opens a row's session key, and wraps it anew where that saves later work.
func unwrap(ring *seal.Keyring, r Row) (seal.SessionKey, *Rewrapped, error) {
	if r.KeyForm == UnderSpace {
		k, err := ring.UnwrapFast(r.Key, r.Version)
		return k, nil, err
	}
	k, err := ring.Unwrap(r.Key, r.Version)
	if err != nil {
		return k, nil, err
	}
	wrapped, err := ring.Rewrap(k, r.Version)
	if err != nil {
		k.Zero()
		return k, nil, err
	}
	return k, &Rewrapped{ID: r.ID, Version: r.Version, Key: wrapped}, nil
}

// stored returns the event with its times in UTC: JSON has no offsets with seconds,
// and the zone is beside them.
func (e Event) stored() Event {
	e.Start, e.End, e.Stamp = e.Start.UTC(), e.End.UTC(), e.Stamp.UTC()
	e.Organizer = e.Organizer.stored()
	e.Attendees = slices.Clone(e.Attendees)
	for i := range e.Attendees {
		e.Attendees[i] = e.Attendees[i].stored()
	}
	e.Extra, e.Except = slices.Clone(e.Extra), slices.Clone(e.Except)
	for _, times := range [][]time.Time{e.Extra, e.Except} {
		for i := range times {
			times[i] = times[i].UTC()
		}
	}
	return e
}

// restore derives what the record does not hold: addresses, and the zone of times.
func (e *Event) restore() {
	e.Organizer.parse()
	for i := range e.Attendees {
		e.Attendees[i].parse()
	}
	z := e.zone()
	e.Start, e.End = z.in(e.Start), z.in(e.End)
	for i := range e.Extra {
		e.Extra[i] = z.in(e.Extra[i])
	}
	for i := range e.Except {
		e.Except[i] = z.in(e.Except[i])
	}
	e.Stamp = e.Stamp.UTC()
}
