// Package imapd is the IMAP door: IMAP4rev1 on ports 143 (STARTTLS) and 993 (TLS).
//
//	srv := imapd.New(imapd.Parts{DB: db, Bus: bus, Desk: desk, Filer: filer, Reading: room, TLS: config}, imapd.Options{})
//	go srv.ServeTLS(l993)
//	go srv.ServeSTARTTLS(l143)
//	...
//	srv.Shutdown(ctx)
//
// # The way of a command
//
//	client --TLS--> front ---------> go-imap's server ---> session -----> view, mailbox
//	               (room)            parses, prints        translates     (room)
//	               one canonical
//	               line at a time;
//	               an APPEND's octets ------------------> session -----> Filer
//
// Room front has the connection: deadlines, limits, STARTTLS, and the framing. The
// library reads commands from it that it cannot misread. The session translates
// the library's types into ours, one file per noun. Room view is what a client sees
// of its folder (sequence numbers, changes, sections of letters, search) and knows
// nothing of the library, so that a wire layer of our own can take its place.
//
// # Invariants
//
//   - Nothing that a client sends as data is ever run as a command.
//   - BODY[...] are the stored octets, found by the offset map: never parsed and
//     written anew. A letter is streamed; memory does not grow with it.
//   - A sequence number means what the client was last told. EXPUNGE is told only
//     where RFC 9051 7.5.1 allows it.
//   - Notices are pokes: what changed is read from the database by MODSEQ. A lost
//     one costs [Times].Poll.
//   - A folder opened by EXAMINE is never changed.
//   - Replies hold reason ids, never causes; logs hold no health data.
//
// # What it deliberately does not do
//
// It decides nothing about who may come in (the [Desk] does) nor what becomes of an
// appended letter (the [Filer] does). No letter is ever \Recent: no session is told
// to be the first to see it. CONDSTORE, QRESYNC, ID, QUOTA, SORT, THREAD, BINARY and
// the exact Date of ENVELOPE are beyond the library.
//
// # Implementation notes
//
// One goroutine per connection, the library's; IDLE adds one. A session's mutex
// guards what IDLE shares. No transaction is open while the network is written to.
// The first opening of a letter costs a public-key operation; its key is then
// re-wrapped, in one write per command, beside the client's way.
package imapd
