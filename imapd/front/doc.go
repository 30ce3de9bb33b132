// Package front is the front of the IMAP door: it takes connections, leads them to
// TLS and reads their commands, so that the library behind it sees only what it
// cannot misread.
//
//	gate := front.New(library.Serve, tlsConfig, bounds, log)
//	go gate.Serve(l993, true)
//	...
//	gate.Shutdown(ctx)
//
// Each connection that the library accepts is a [*Conn].
//
//	socket -> guard -> TLS -> intake -> Conn.Read  -> library
//	          deadlines       lines,     one command
//	                          literals
//	socket <-------- TLS <------------ Conn.Write <- library
//
// # What the library is shown
//
//	a SEARCH SUBJECT {5+}          a SEARCH SUBJECT "hello" FROM "x\"y"
//	hello FROM "x\"y"
//
//	b APPEND INBOX {310}           b APPEND INBOX {0+}
//	From: ...                      (the session reads the 310 octets from Upload)
//
// # Invariants
//
//   - A line given to the library ends in the only CRLF that it holds, has balanced
//     quotes, no NUL, no literal but the empty one, and is shorter than what the
//     library reads of a command. So the library always ends where the line ends.
//   - Octets of a literal are either part of a command, given to the session as its
//     message, or thrown away. If too many are announced to be thrown away, or it
//     is no longer sure where the next command begins, the connection is closed
//     (RFC 7888 section 4).
//   - Before TLS nothing is accepted but the wish for it, and nothing that came
//     before is read after it.
//   - Every wait for a client has an end: reading, writing, the handshake, the time
//     to log in, the life of a session.
//
// # Implementation notes
//
// The library reads only after it has answered, so a Read marks the end of a
// command: output gathered until then is flushed in as few TLS records as it
// needs. In IDLE output goes out at once; only there do two goroutines write.
// The library's own defects that this guards against: it runs the octets of a
// refused literal as commands; it waits for ever for a silent client; it answers
// some syntax errors as its own failure; after STARTTLS it greets again.
package front
