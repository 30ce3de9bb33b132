// Package relay is the only way out: it carries parcels to the MX of other
// operators over SMTP with mutual TLS, and tells the sender what became of them.
//
//	r := relay.New(relay.Parts{...}, relay.Options{Route: relay.ByMX(net.DefaultResolver)})
//	worker.Handle(delivery.RelayKind, r.Carry)
//
// For each job: the parcel is opened (works key), the letter's session key too
// (the day's transit key); the recipients' domain must still stand in the
// whitelist; the next hop must offer STARTTLS, show a certificate of the trust
// space that is in date and not revoked, and whose subject is listed for that
// domain (spec mssante 1.11). There is no fall-back to clear text.
//
//	250        outcome fact "relayed", the recipient is done
//	5xx        fact "refused", a report (RFC 3464) to the sender
//	4xx, none  the job waits and comes back; after Options.Life a report
//
// Facts, report, remainder and the end of the job are one transaction: a crash
// repeats the SMTP dialogue at worst, and the replay rule of the next hop makes
// that one letter.
package relay
