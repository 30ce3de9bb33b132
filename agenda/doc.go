// Package agenda is the house of appointments: it reads the invitations that letters
// bring (iCalendar, iTIP, iMIP: RFC 5545, 5546, 6047), keeps them sealed in a
// space, and writes the answers.
//
// What a letter brings is read and judged outside the transaction, and applied in
// it:
//
//	m, err := agenda.Read(part, agenda.Limits{})              // what is written there
//	err = agenda.Judge(m, contentTypeMethod, sender, me)      // may it count?
//	for _, e := range m.Events {
//		s, err := agenda.Seal(lettersKey, space, e)
//		… in the transaction:
//		result, err := agenda.Accept(tx, works, s)        // is it newer?
//	}
//
// A person's agenda is [List], [Open] with the keys of the space, [Occurrences] for
// what takes place when, and [Answer] with a [Letter] for what they say to it.
//
// # From octets to an event
//
//	octets ─> guard ─────────> go-ical ─> Event ─> Judge ─> Seal ─> Accept
//	          limits, unfolds,            plain text,
//	          drops all that              instants,
//	          is not read                 rule vetted
//
// The guard passes on what an event is made of and nothing else: no alarm, no
// attachment, no styled text, no address to fetch reaches the decoder, whatever they
// hold. What of an event cannot be read is left out with a warning; what two readers
// might read differently is refused by Judge. What is refused stays a letter.
//
// # Zones
//
// A TZID is looked for in the message (VTIMEZONE, computed for the years around the
// event), then by IANA name, by Windows name, and behind prefixes such as
// "/freeassociation.sourceforge.net/". The message wins where both know the zone and
// differ ("zone-disagrees"). A zone that nobody knows leaves the clock time as it is
// written ("zone-unknown"). Only what is shaped like an IANA name is ever looked up.
//
// # Rows
//
//	agenda         one row a space: the lock, and how many events there are
//	└ agenda_event keyed hashes of UID, instance and organizer; SEQUENCE, DTSTAMP,
//	               status; the event sealed under a session key of its own, which is
//	               wrapped to the letters key, and re-wrapped at the first opening
//
// When an event takes place, what it is and who takes part are in the sealed record
// only. A series has one row, each changed instance a row of its own.
//
// # Warnings
//
// Event.Warnings: event-ambiguous, start-unreadable, end-unreadable,
// end-before-start, zone-unknown, zone-disagrees, rule-unusable, dates-unreadable,
// instance-unreadable, sequence-unreadable, stamp-unreadable.
// Message.Warnings: calendar-ambiguous.
//
// # Invariants
//
//   - Reading takes bounded time and memory, whatever the octets, and gives the same
//     result for the same octets.
//   - What is newer by SEQUENCE, then DTSTAMP, stands, in whatever order letters
//     arrive. A cancellation that comes first is remembered.
//   - Only the organizer that an event is known from changes it.
//   - Nothing is accepted for a person: a request is "needs-action" until they
//     answer, and again when its SEQUENCE grows.
//   - An expansion gives at most 1,000 occurrences of at most two years, and no rule
//     keeps it busy.
//   - Nothing in a calendar makes anything be sent, fetched or run.
//   - Text of an event is plain: valid UTF-8, bounded, without control and
//     bidirectional formatting characters. It still has to be escaped where it is shown.
//
// # What it does not do
//
// It applies no PUBLISH, ADD, REPLY or COUNTER (Judge says so), shows no free and
// busy times, rings no alarm, and keeps no calendars that a person writes: that comes
// with CalDAV. It sends nothing: a work gives the [Letter] to package delivery,
// whose rules decide where it may go.
package agenda
