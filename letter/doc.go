// Package letter reads and writes Internet messages (RFC 5322, MIME) at the level
// that delivery and IMAP need: where each part lies, what its fields say, and what
// two readers could understand differently. It never changes an octet and never
// decodes what it need not.
//
// Delivery pushes a letter through a [Walker] while the same octets go to their
// store, in chunks of any size:
//
//	w := letter.NewWalker(letter.Limits{})
//	_, err := io.Copy(io.MultiWriter(w, body), r)
//	s, err := w.Close()      // fault.Invalid: a limit was broken
//	from, err := w.Author()  // fault.Invalid: not exactly one sender
//
// IMAP serves sections of the stored octets through [Structure.Find] and
// [Structure.Section], header fields through [Fields], and ENVELOPE and
// BODYSTRUCTURE from [Part]. Filing reads the content of a part through [Decode].
// [Received], [ReturnPath], [DSN] and [MDN] write.
//
// # The offset map
//
// A [Structure] is a tree of parts with offsets from the letter's first octet:
//
//	From: a@chu.example                  ┐ Root.Header, through its empty line
//	Content-Type: multipart/mixed; …     ┘
//	                                     ┐
//	--b                                  │
//	Content-Type: text/plain      ┐      │
//	                              ┘ [1].Header
//	Bonjour,                      ┐      │ Root.Body
//	à demain.                     ┘ [1].Body, without its last CRLF
//	--b                                  │
//	Content-Type: message/rfc822  ┐      │
//	                              ┘ [2].Header
//	Subject: copie  ┐             ┐      │
//	                ┘ .Message().Header  │
//	texte             .Message().Body    │
//	--b--                         ┘ [2].Body
//	                                     ┘
//
// Invariants, for every input:
//   - the result does not depend on how the octets were cut into chunks;
//   - header and body of a part touch, parts lie in order inside their parent's
//     body, and do not overlap;
//   - the line end before a boundary belongs to the boundary, but one that ends a
//     header stays with the header; Lines counts line feeds, as Dovecot and Cyrus do;
//   - a letter that breaks no limit has a structure, whatever it looks like;
//   - memory is bounded by [Limits], time is linear in the octets.
//
// How it reads what the standards leave open: a line is a boundary only as a
// whole, trailing white space aside, and the innermost multipart wins; the first
// of repeated fields and parameters counts; a header line that is no field belongs
// to the header; a line of white space continues a field; a part whose type cannot
// be read is text/plain; a multipart without a usable boundary has no children,
// and neither has a message/rfc822 part that is encoded. (A door that must write a
// BODYSTRUCTURE shows the first as a multipart with one empty text/plain part and
// the second as application/octet-stream.)
//
// # Ambiguities
//
// Structure.Ambiguities lists, by stable reason id, what a scanner, a filing rule
// and a mail client may read differently. It decides nothing.
//
// Octets and lines:
//   - octet-nul, octet-bare-cr, octet-bare-lf: NUL anywhere, CR or LF alone
//   - line-too-long: over 998 octets (RFC 5322 2.1.1); some servers break it
//
// Header:
//   - header-line-malformed: a line that is no field (an mbox "From " line first aside)
//   - header-space-before-colon: "From : x"
//   - header-blank-fold: a continuation of white space only, which may look like the end
//   - header-field-repeated: a field that may stand once (RFC 5322 3.6)
//
// MIME fields:
//   - mime-version-missing: more than plain text without MIME-Version
//   - mime-type-repeated, mime-encoding-repeated, mime-disposition-repeated
//   - mime-type-malformed, mime-encoding-malformed, mime-disposition-malformed
//   - mime-encoding-unknown: no encoding of RFC 2045
//   - mime-comment: a comment in Content-Type, -Transfer-Encoding or -Disposition
//   - mime-param-repeated, mime-param-malformed
//   - mime-param-conflict: "name" and "name*" differ, RFC 2231 pieces missing or repeated
//
// Multiparts:
//   - mime-boundary-missing, -empty, -too-long (over 70 octets), -octets (RFC 2046
//     5.1.1), -repeated, -continued (RFC 2231)
//   - mime-boundary-prefix: a line that begins with a boundary and goes on
//   - mime-boundary-clash: nested multiparts share a boundary, or one's is the other's close
//   - mime-boundary-unclosed: the closing boundary is missing
//   - mime-preamble: content fields before the first boundary
//   - mime-epilogue: anything after the closing boundary
//   - mime-encoded-multipart, mime-encoded-message: base64 or quoted-printable around parts
//   - mime-partial, mime-external-body: the content is elsewhere
//
// Content:
//   - content-tnef, content-uuencode, content-binhex, content-yenc: attachments in
//     a form that only some readers unpack
//   - base64-junk, base64-early-padding, base64-length: other octets than symbols,
//     symbols after padding, an incomplete last group
//   - quoted-printable-junk, quoted-printable-lower-case: "=" without two upper-case digits
//   - name-conflict: Content-Type and Content-Disposition give different names
//   - name-content-mismatch: the first octets are not those of the name's format
//   - name-executable: a name that a desktop runs when it is opened
//
// # What it does not do
//
// It decodes nothing that is encoded around a part to look for parts inside, it
// does not unpack TNEF, uuencode or archives, it does not judge a letter, and it
// knows no address of the trust space. Structures, envelopes, previews and file
// names are health data: never log them.
package letter
