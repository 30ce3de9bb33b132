// Package mailbox is the house of boxes (boîtes aux lettres, BAL), folders and
// letters: UID, MODSEQ, flags, quota, correspondents, and the SQL of all that.
//
// Most readers need [Deliver], which places a letter, and [ReadView] with
// [ChangesSince], which keep a session's picture of a folder true:
//
//	err := db.Write(ctx, func(tx *store.Tx) error {
//		placed, err := mailbox.Deliver(tx, delivery)
//		…
//		return mailbox.AddBody(tx, body)
//	})
//
// # Rows
//
//	space         keys of one box: public halves in clear, private ones under the platform key
//	└ box         kind, state, counters, limits; address and name sealed under works
//	  ├ folder    role, UIDVALIDITY, UIDNEXT, MODSEQ, counters; name sealed under the space
//	  │ ├ message   UID, MODSEQ, flags, size, key, sealed summary ──┐ body id
//	  │ └ expunged  tombstones (MODSEQ, UID) above the folder's floor │
//	  ├ keyword   bit and sealed name                                │
//	  └ correspondent  who wrote to a patient, sealed under works    │
//	body          sealed bytes or blob key, references  <────────────┘
//	blob_garbage  blobs to delete from the blob store
//
// Every key begins with the box, then the folder's number; the id of a folder is
// "box.number". Only bodies are shared between boxes.
//
// # The letter
//
// A stored letter is a head, written once for one recipient, and a body shared by
// all. Its [MessageID] is made before the transaction; the sealed [Summary] (head,
// offset map, preview) and the re-wrapped session key are bound to it, the
// delivered key and the body to the body's id. COPY and MOVE keep the id: the rows
// are the same letter in another place, so nothing is sealed again, and the id
// serves as EMAILID (RFC 8474). A person who can write rows could show one copy of
// a letter for another, and no more.
//
// To open one: unwrap Message.Key as Message.KeyForm says, [OpenSummary],
// [OpenBody], and [NewLetter] over a seal.BodyReader; then [Rewrap].
//
// # Invariants
//
//   - The order of commits is the order of UIDs: both counters are taken by an
//     UPDATE of the folder's row, whose lock lasts to the commit.
//   - MODSEQ grows with every act on a folder; all letters that one act changes
//     share one. An act that changes nothing takes none.
//   - A view to which the changes since its MODSEQ are applied is the view of now.
//     Below the floor the answer is fault.Conflict "view-too-old".
//   - A UID is never given twice in a folder, a folder's number never twice in a
//     box; UIDVALIDITY changes only when a folder is made again.
//   - The counters of box and folder are those of their rows.
//   - The row of a letter is the only place of its reader's key. Deleting it erases
//     the letter; with the last reference to a body its row goes too, and its blob
//     becomes garbage, all in one transaction.
//   - Names of folders and keywords are unique in a box, under the box's lock.
//
// # Implementation notes
//
// Lock order: box, then its folders in ascending number, then bodies; several
// boxes in ascending order, each with its folders. Flags and moves lock folders
// only; whatever changes the box's counters locks the box first.
//
// A delivery is at most four statements a recipient: box, folder, message, and for
// a patient the correspondent. The sets of UIDs that IMAP names become few
// statements: a long range is a BETWEEN, the rest are lists of up to 512.
//
// Folder names and keywords are opened and sealed inside the transaction: a few
// microseconds each, for acts that are rare. Everything else is sealed before it.
//
// # What it does not do
//
// It opens no transaction, releases no key, decides on no right (package account
// knows the holders, the works decide), and keeps no \Recent flag.
package mailbox
