// Package audit is the operator's append-only log of acts: a Merkle tree
// (golang.org/x/mod/sumdb/tlog, RFC 6962 hashes) with signed checkpoints, kept in
// the operator's own database.
//
//	err := audit.Append(tx, audit.Leaf{          // in the transaction of the act
//		Actor: by.Pseudonym, Role: by.Role, Act: "letter-delivered",
//		Object: "letter:" + id, Result: audit.Done,
//	})
//
// Append writes one unnumbered leaf in the act's own transaction: no leaf, no act.
// A [Sequencer] numbers leaves within a second of their commit and signs a
// checkpoint within five; of several nodes only one does so at a time. [Verify]
// recomputes everything from the rows; [Prove] and [ProveConsistency] make proofs
// that can be checked with nothing but the verifier key.
//
// # Layout
//
//	audit_pending     id -> leaf                   written by Append, emptied by the sequencer
//	audit_leaf        seq -> at, leaf
//	audit_detail      commitment -> salt, details  may be erased (EraseDetails)
//	audit_tile        (level, n) -> ≤ 256 hashes   C2SP tlog-tiles, height 8
//	audit_checkpoint  no -> size, note             C2SP tlog-checkpoint, all of them kept
//	audit_log         one row: size, lease, epoch
//
// A leaf is JSON in the canonical form of RFC 8785: keys in alphabetical order, no
// white space, empty fields left out. Its strings are of a character set that needs
// no escape. ts is the time of the act's transaction, in unix µs:
//
//	{"act":"letter-delivered","actor":"9f2c…","commit":"5d0a…","object":"letter:01k…",
//	 "peer":"192.0.2.0/24","purpose":"care","reason":"…","result":"done","role":"peer","ts":1763760000000000,"v":1}
//
// The act's transaction cannot know the leaf's number, so the number is put around
// the leaf. What the tree hashes is the record
//
//	{"at":1763760000400000,"leaf":{…},"seq":41}
//
// so that number and time of numbering are signed too. Two acts may commit in
// another order than they began: ts may step back a little from leaf to leaf; at
// never does.
//
// A checkpoint is a signed note (golang.org/x/mod/sumdb/note, Ed25519) whose origin
// is the operator's name; its one extension line numbers and dates it, so that a
// checkpoint taken out of the middle is missed:
//
//	hospital
//	42
//	gvWd…=
//	checkpoint 7 1763760004000000
//
//	— hospital Az3g…
//
// # Invariants
//
//  1. A leaf is never content: its fields are short words, pseudonyms and ids of a
//     character set without space and "@", and nothing shaped like an INS enters.
//     What an investigation needs beyond that is Details, sealed by the caller,
//     salted, committed to by the leaf, and erasable.
//  2. Leaves are numbered from 0 without gaps, by one sequencer: the write that
//     numbers checks the epoch of the lease and the size of the log.
//  3. Every number, tile and checkpoint of a batch is in one transaction.
//  4. A sequencer that takes over proves that the tiles it found extend the last
//     signed checkpoint before it signs another.
//
// # What it does not do
//
// A leaf that was removed before it was numbered leaves no trace here: less than a
// second is open to whoever writes to the database; the rows of the act itself are
// the cross-check. The end of the log cut off together with its checkpoints is
// found only with a checkpoint kept elsewhere ([VerifyOptions.Since]). Cosigning by
// a witness is not part of it.
//
// # Implementation notes
//
// A house opens no transactions; the sequencer and the verifier do, because they
// are machines that act on nobody's behalf. Keys of unnumbered leaves are
// time-ordered, so that numbering reads the oldest first by the primary key; they
// are unique by construction and no index is shared with other rows, so inserts of
// concurrent transactions never wait for each other.
package audit
