// Package dmp is the house of a patient's documents, the vault (dossier médical
// partagé, DMP): what is filed, what replaces what, where it came from, who looked.
//
// Most readers need [Vault.Seal] and [File], which put documents away, and [List]
// with an [Opener], which show them:
//
//	s, err := vault.Seal(ctx, document, origin, octets)      // all the work, no row yet
//	lot := []*dmp.Sealed{s}
//	err = db.Write(ctx, func(tx *store.Tx) error {
//		results, err = dmp.File(tx, lot)                     // all of the lot or nothing
//		return err
//	})
//	err = dmp.Settle(ctx, lot, results)                      // octets that were not needed
//
//	rows, err := dmp.List(tx, works, space, dmp.Query{})     // newest first
//	entry, err := opener.Entry(rows[0])                      // outside the transaction
//	err = dmp.Rewrap(tx, space, opener.Fresh())              // the next opening is faster
//
// # Rows
//
//	vault             one row a space: the lock that filing, replacing and erasing take
//	└ vault_document  state, sizes, keyed hashes, key, sealed metadata, octets or blob key
//	  └ vault_origin  each letter and each depositor that brought it, sealed
//	vault_pending     replacements of documents that are not there yet
//	vault_shelf       how many documents a category has
//	vault_filing      what became of a letter's attachments, sealed with the letter's key
//	vault_access      who did what, sealed to the vault key
//
// Every key begins with the space. In clear are: ids made by us, states, times of
// filing, sizes, which document replaced which. What rows are found by are keyed
// hashes (16 octets, under the works key) of the space and a value: uniqueId,
// entryUUID, SHA-256 of the octets, authors, origin. The category too is hashed: that
// somebody has psychiatric or laboratory documents is a fact about their health, and
// the page that shows one category has the works key anyway.
//
// # The document
//
// A document has one session key, which seals its octets, its metadata and its first
// origin, each bound to the document's id. The key is wrapped to the vault key of the
// space, whose private half no worker has; the first opening re-wraps it under the
// space's symmetric key. A repetition brings its own key, and the origin that it adds
// is sealed with that one: nobody who files can open what is there.
//
// What is the same document is decided by its uniqueId, within one space, and the
// SHA-256 of its octets: by letter and by deposit it is one document with two origins
// (spec dmp 1.4). The metadata are those of the first filing. [DerivedID] gives a bare
// file a uniqueId. Identifiers are compared without "urn:oid:" and, when they are
// UUIDs, without regard to case and "urn:uuid:".
//
// A replacement (RPLC) names uniqueIds or entryUUIDs. It may come before what it
// replaces, in the same lot in any order, or alone. Authors are the identifiers of
// the persons and institutions that the metadata name, and must be in the same form
// whatever the source: a bare PS_IdNat or Struct_IdNat. That the sender may speak for
// them is not decided here; the origin says who sent it. Documents that replace each
// other in a ring are all deprecated, and all listed.
//
// # Invariants
//
//   - A uniqueId has one document in a space, always of the same octets.
//   - A lot is filed whole or not at all; a fault of File has changed nothing.
//   - Filing a lot again changes nothing, and a replacement ends in the same states
//     whichever of the two comes first.
//   - A document is deprecated only by a document that has an author in common with it.
//   - The row of a document is the only place of its key: deleting it erases octets,
//     metadata and origins.
//   - The counters of shelves are those of the rows.
//   - What filing, a page and the counts cost does not grow with the vault.
//
// # Implementation notes
//
// Lock order: boxes and folders of package mailbox first, then the vault's row, then
// the rest. With the lock, decisions are read first and written after; the unique
// index would stop what forgets the lock. Hashing, sealing and parsing are done
// before the transaction ([Vault.Seal], [NewTrace]) or after it ([Opener]); a read
// that shows one category hashes its name inside.
//
// PostgreSQL knows how many documents the average vault has, not this one: of a vault
// of thousands among many small ones it would read everything to find a page. So a
// page is found id by id, and rows are looked for one by one, each text in a form that
// leaves no other way than one probe of an index; a test makes it say what it read.
// Measured with 10,000 documents: filing and the first page cost what they cost with
// none (BenchmarkFile, BenchmarkFirstPage).
//
// Blobs are written before the row that names them and deleted after it is gone:
// what a crash or an erasure leaves is found through [Unknown], by the round that
// also asks package mailbox.
//
// The code tables (table/*.csv) are data in a form of our own, each with its version,
// date and source in its first line: see [Tables].
//
// # What it does not do
//
// It opens no transaction, releases no key, reads no format (packages cda and xdm),
// compares no identity (package filing) and decides on no right to read (package
// reading). It has no quota, and no function yet for what only an author or the
// patient does: deleting logically, hiding, editing metadata.
package dmp
