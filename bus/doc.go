// Package bus carries change notices between sessions: in one process now, between
// nodes later, behind one interface.
//
//	sub := b.Subscribe("folder:" + id)
//	defer sub.Close()
//	select {
//	case <-sub.C():   // something changed: read the changes since
//	case <-slowPoll:  // a lost notice costs only latency
//	case <-ctx.Done():
//	}
//
// A notice is a poke, not a message: it says that a topic changed, never how. The
// database is the truth.
//
// # Invariants
//
//  1. Publish never waits for a subscriber.
//  2. A subscriber that is slow finds one poke, however many were published, and
//     never misses the last: a poke that it has not taken yet was published before the
//     state that it will read.
//  3. After Close of a subscription no poke is sent to it. Its channel is never
//     closed: a closed channel would look like a poke. Who waits on it waits on its own
//     context too.
//
// What it does not do: keep, order or acknowledge anything. Topics are opaque strings.
package bus
