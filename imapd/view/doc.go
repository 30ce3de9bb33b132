// Package view is what an IMAP client sees of a box: its view of one folder, the
// octets of letters by section, and what a search finds. It speaks no protocol.
//
//	w, _, err := view.Look(ctx, db, bus, folder, readOnly, poll)  // SELECT
//	news, err := w.CatchUp(ctx, mayExpunge)                       // NOOP, IDLE
//	rows := w.Folder.Pick(numbers)                                // 1:*, 3,5:7
//
// # Sequence numbers
//
//	folder (database)   uid 1   2   5   6   9        modseq 40
//	                        |       |   |   |
//	view of a client    uid 1   2   5   6            read up to modseq 37
//	sequence number         1   2   3   4
//
// A [Folder] changes only by what its client is told at that moment: [Folder.Absorb]
// takes changes in and returns the [News] to tell. Letters that went while nothing
// may be told of it keep their number and simply are not found.
//
// # Letters
//
// They are opened by package reading. A [Section] is a range of the stored octets.
//
// # Search
//
// A [Query] is judged from cheap to dear: the view, then rows, then summaries, then
// octets. Needles are found without regard to case in decoded text; text parts are
// decoded piece by piece, other parts are not searched.
package view
