// Package relay is the only way out: it carries parcels to the MX of other
// operators over SMTP with mutual TLS, and tells the sender what became of them.
//
//	r := relay.New(relay.Parts{...}, relay.Options{Route: relay.ByMX(net.DefaultResolver)})
//	w := queue.NewWorker(db, map[string]queue.Kind{delivery.RelayKind: r.Jobs()}, queue.Options{})
//
// For each job: the parcel is opened (works key), the letter's session key too
// (the day's transit key); the recipients' domain must still stand in the
// whitelist; the next hop must offer STARTTLS, show a certificate of the trust
// space that is in date and not revoked, and whose subject is listed for that
// domain (spec mssante 1.11). There is no fall-back to clear text.
//
//	250        fact "relayed", the recipient is done
//	5xx        fact "refused", a report (RFC 3464) to the sender
//	4xx, none  the job waits and comes back; when it expires (48 hours, spec mssante
//	           6.12) fact "expired" and a report that names the last failure
//
// # Invariants
//
//   - Facts, report, remainder and the end of the job are one transaction. A crash
//     before it repeats the SMTP dialogue, with the same octets; QUIT went with the
//     final dot, so the next hop's replay rule makes that one letter.
//   - Nothing is final before MAIL: who cannot prove itself, or does not believe us,
//     is asked again.
//   - What a next hop has decided is written down even when the node stops.
//   - No report is ever made to a report, and none is lost because the letter can no
//     longer be read: it then goes without it.
//   - The transit key is opened for one job and closed with it; completing the last
//     job deletes the only wrap of the letter's key for workers.
//
// # What it does not do
//
// No connection is kept for the next letter, no delay is reported before a letter
// has failed, and NOTIFY=SUCCESS is passed on, not answered.
package relay
