// Package message is the room of letters: the lists, an opened letter with what it
// brings, the answer, and what became of what was sent.
//
//	GET  /messages                        ?folder=sent|trash ?before=
//	GET  /messages/{letter}               the letter, its documents, files, invitation
//	GET  /messages/{letter}/html          its layout, for a sandboxed frame
//	GET  /messages/{letter}/parts/{part}  one piece: "2", "2.d0", "2.d0.e1"; ?keep= keeps it
//	POST /messages/{letter}/unread, /trash, /restore
//	GET  /messages/{letter}/reply         the form, or a sentence why there is none
//	POST /messages/{letter}/reply         303 to /outcome/ID
//	GET  /outcome                         sent letters with what became of each
//	GET  /outcome/{outcome}               the timeline of one
//
// Every page answers its facts to Accept: application/json; the fields that outside
// programs build on are the first of lineFacts and those of storyFacts.
//
// # A letter on its page
//
//	subject      without its technical marks (ECO.3.1.3)
//	invitation   as the agenda has it now, with yes and no
//	letter       name, date; text as paragraphs; a layout in a frame behind it
//	  filed      where its documents are, or why one was kept out
//	  leaves     package leaf: originals, then the narrative
//	  files      everything else, to open (PDF, JPEG, PNG, text) or to keep
//	answer       or a sentence why not, and what to do
//
// # Two walls around a layout
//
// HTML of a letter goes through a closed list of elements and attributes (bluemonday,
// then a second pass of our own that writes every link and image anew), and is then
// shown in a frame without origin, under a policy that loads nothing. Images of the
// letter are inside the document: a frame without origin has no cookie to fetch them
// with. Nothing remote is ever fetched: no image proxy either (security spec 2.4).
//
// # Invariants
//
//   - A letter is looked up in the visitor's own box only: somebody else's is as unknown
//     as one that never was.
//   - A patient sees names, never addresses. An answer has one recipient, which the
//     letter decides: no page has a field for another, and nothing is forwarded.
//   - Only what is PDF, JPEG, PNG or text by its own octets is shown.
//   - What a form sends and is wrong comes back with the sentence beside its field; the
//     text that was written is kept.
//   - The letter that is answered is marked in the transaction that accepts the answer.
//
// # What it does not do
//
// It opens no letter and writes no trace: package reading does, for all doors. It files
// nothing, and decides on no recipient: the sorting office decides again.
package message
