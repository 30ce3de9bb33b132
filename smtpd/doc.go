// Package smtpd is the SMTP door: the trust-space MX and submission.
//
// A [Server] stands behind one listener and brings every caller to a
// [delivery.Counter]; what may come in is decided there, how it is said on the
// wire is decided here:
//
//	s := smtpd.New(smtpd.MX, "mx.hopital.mss.example", tlsConfig, counter, smtpd.Options{Logger: log})
//	go s.Serve(ctx, listener)
//	...
//	s.Shutdown(ctx)
//
// There are three kinds: [MX] (port 25: STARTTLS mandatory, a client certificate
// asked for), [Submission] (587: STARTTLS, then AUTH) and [Submissions] (465: TLS
// from the first octet, then AUTH).
//
// # What stands where
//
//	  peer
//	   │ TCP
//	┌──▼─────────────────────────────────────────────────┐
//	│ gate       connections in all and per peer         │  gate.go
//	│ front      greets; EHLO, NOOP, RSET, QUIT,         │  front.go
//	│            STARTTLS; everything else 530; handshake │
//	├──── TLS ───────────────────────────────────────────┤
//	│ wire       lines and octets under deadlines        │  wire.go, leash.go
//	│ dialogue   one command at a time; order, grammar,  │  dialogue.go, transaction.go,
//	│            limits; all the replies                 │  envelope.go, login.go, reply.go
//	│ content    DATA and BDAT alike, octet rules, pace  │  content.go, scan.go, chunk.go
//	├────────────────────────────────────────────────────┤
//	│ go-smtp    its server reads from the dialogue and  │  session.go
//	│            never sees the peer                     │
//	└──┬─────────────────────────────────────────────────┘
//	   ▼ delivery.Counter, delivery.Visit
//
// The inner server is given, instead of a socket, the dialogue: its Read yields
// only command lines that are allowed now, and its Write takes the inner server's
// replies as signals; the words that the peer reads come from the reply table
// (reply.go), so nothing that the peer sent is ever echoed. A letter never passes
// through the inner server's own readers: its Data call reads the content straight
// from the wire, in slices as large as they arrived, and a BDAT series is shown to
// it as one DATA.
//
// # Invariants
//
//   - No octet received in clear is ever read as if it came inside TLS: what is
//     buffered at STARTTLS drops the connection, and every state but the counters
//     of bad behaviour is forgotten.
//   - Before TLS nothing but TLS can be asked for; AUTH is neither offered nor taken.
//   - Only CRLF ends a line, only CRLF.CRLF ends DATA. A bare CR, a bare LF, a NUL,
//     an unstuffed dot, or a dot behind something that other software takes for a
//     line end: 550 5.5.2, and the connection ends (SMTP smuggling).
//   - The octets of a refused chunk are consumed, or the connection ends.
//   - 250 after a letter means that Visit.Data returned nil after reading it to the
//     end. When the content breaks off or breaks a rule, its reader fails, the
//     connection ends and nothing is kept.
//   - Visit.Heard is called only when the caller was silent at the moment of its
//     250 and spoke afterwards: a pipelined QUIT proves nothing.
//   - A Visit's methods never overlap: what the door refuses while Data runs is told
//     to Refused when it has returned. Reset is called after each Data, too.
//   - Every wait has an end: for a line, for the octets of a letter (with a minimum
//     rate), for a whole transaction, for the peer to read.
//   - One summary per connection: what the door itself refused goes to the Visit,
//     or, when there never was one, to [Options].Refused.
//
// # What it does not do
//
// No rule of the trust space, no certificate check, no pacing of logins across
// connections: that is the Counter's. No limits of headers, lines or MIME in the
// letter: they are checked where the letter is read, and nothing here grows with
// them. BINARYMIME is not offered: the content rules hold for BDAT too, so that a
// letter can always go on by DATA.
//
// # Implementation notes
//
// A connection has two goroutines: the front's, which waits while the inner
// server's runs the dialogue; they hand over once and never run together, so the
// connection's state needs no lock. What Shutdown touches from outside (the read
// deadline) is behind the leash's mutex. Replies are gathered and written when
// the door is about to wait for the peer (RFC 2920 3.2), or at 4 KiB.
package smtpd
