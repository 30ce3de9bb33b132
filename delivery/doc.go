// Package delivery is the sorting office: every letter that enters or leaves
// passes here, through one transaction that crosses the houses.
//
//	office := delivery.New(delivery.Parts{...}, delivery.Options{Host: "mx.chu.mss.example"})
//	mx := office.Operators()     // a Counter for the trust-space MX
//	people := office.People()    // a Counter for submission
//
// # The way in
//
// A door (smtpd) opens a [Visit] per connection and follows the SMTP dialogue:
//
//	Arrive   who is this: certificate, revocation, DN in the whitelist, or a login
//	Mail     may this caller send as that address
//	Rcpt     does the box exist, is it open, has it room, may the sender write to it
//	Data     the letter, streamed once:
//	           letter.Walker   limits, offset map, ambiguity verdict
//	           sha-256         digest, for replays
//	           seal.BodyWriter sealed segment by segment, into memory while small
//	                           (Options.Inline), else into a blob
//	         then ONE write transaction:
//	           mailbox         per local recipient: UID, MODSEQ, wrapped key, summary
//	           audit           one leaf
//	           outcome, queue  per remote domain: facts and one relay job
//
// # Invariants
//
//   - Data returns nil only after commit: a 250 means durable.
//   - Nothing of a letter is on disk in clear, and never the whole of it in memory.
//   - State and room are checked at Rcpt and again under lock at commit; rights at
//     Rcpt and again when the content has come.
//   - If some recipients fail at commit, the others are kept and a report for the
//     failed ones leaves in the same transaction; if all fail, Data fails and nothing
//     is kept. A failure that may pass fails the whole: the caller comes back.
//   - What was written to the blob store is removed only when no row can refer to it:
//     not after a commit whose answer was lost.
//   - Bcc never reaches a stored or relayed body.
//   - The same letter from the same caller to the same box, sent again after a
//     connection that ended without a further command after its final dot, is the
//     same row (DESIGN: replay rule, five days).
//
// # Implementation notes
//
// A replay window is open from the commit until the caller is heard after its 250
// (Visit.Heard), or five days; Run closes windows once a second. It is one keyed hash
// in the letter's row. Letters that go on to other operators only have none: a
// submission that is repeated is a second letter there.
//
// A Visit is used by one goroutine at a time. Office is safe for concurrent use.
// Everything costly (parsing, sealing, composing reports) is done before the
// transaction: its function may run more than once.
package delivery
