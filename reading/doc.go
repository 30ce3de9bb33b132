// Package reading is the only way to open a letter or a document: it decides, writes
// the opening down, tells who asked to be told, and only then hands octets out. The
// doors (IMAP, web) have no other way to what is in a space.
//
//	room := reading.New(reading.Parts{DB: db, Blobs: blobs, Works: works, Office: office, Log: log})
//
//	lines, err := room.Letters(ctx, reader, box.Inbox, 0, 50)   // a list: summaries only
//	l, err := room.Letter(ctx, reader, lines[0].ID)             // an opening
//	defer l.Close()
//	for _, p := range l.With(reading.Attachment) { … l.Open(p) … }
//
//	o := room.Opener(reader)                                    // an IMAP session
//
// A [Reader] is who opens, in which box, with the keys that porter released.
//
// # The way of an opening
//
//	read      the row, the box's state, the reader's right      one snapshot
//	decide    Decide, a pure function                           refused: a leaf says so
//	open      key, summary, body: in memory, shown to nobody
//	trace     one transaction:
//	            state and right are read again
//	            \Seen, and at the first time the outcome fact "read" for the sender
//	            the re-wrapped key
//	            the line in the patient's history, the audit leaf
//	          --- durable from here on ---
//	hand out  lines, parts, octets
//	receipt   an MDN "displayed", if it was asked for and is owed
//
// # What leaves which trace
//
//	lists, counts, searches, headers   none: whoever holds the keys sees summaries
//	a letter, on a page                leaf "letter.open"; line and \Seen; fact; MDN
//	a FETCH of bodies                  one leaf a batch, a line for each letter; once a session
//	\Seen by a mail client             fact; MDN
//	a document                         leaf "document.open" and line
//	a refusal                          leaf with its reason
//
// Opening an item again within a quarter of an hour under the same released keys is
// the same opening: a page, the frames in it and the ranges of a viewer are one act.
// Only patients have a history; it is sealed to their vault key (package dmp).
//
// # Invariants
//
//   - No octet of a body is handed out before the leaf, and a patient's line, are
//     durable. If they cannot be written, nothing is opened and nothing is marked.
//   - Every opening is decided on what the database says now, not on what was true
//     when the session began.
//   - An item of another box or space is as unknown as one that never was.
//   - A fact "read" comes from the trace field that we wrote ourselves (the "id" in
//     the head), never from the letter's own header, which is anybody's.
//   - There is at most one receipt for a letter: the keyword $MDNSent is set in the
//     transaction that places it. It goes to the reverse path only.
//   - A patient is shown names, never an address (spec mssante 7.4).
//
// # What it does not do
//
// It releases no key (package porter does), sanitises and renders nothing (the web
// does), and does not say what an attachment is: types are as declared. Consultation
// of a patient's vault by a professional and emergencies are not here yet: a reader
// opens what is in a box of their own.
//
// # Implementation notes
//
// An [Opener] is one session's and for one goroutine; a [Room] is shared. What was
// traced lately is remembered in memory, bounded; what was forgotten is traced again.
// The \Seen of a mail client is followed up beside the client's way; a command that
// marks more than sixteen letters is taken for tidying up.
package reading
