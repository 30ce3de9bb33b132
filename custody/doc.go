// Package custody keeps the operator's own keys, wrapped by the platform key, in
// one table, so that every node of an operator has the same ones:
//
//	works                seals operator rows (addresses, jobs, outcomes) and keys look-up hashes
//	audit                signs the checkpoints of the audit log (Ed25519)
//	transit/2026-11-21   the day's key pair for letters on their way through workers
//
// A node without workers opens the works key and the *public* half of today's
// transit pair only; [TransitKey] is called by workers alone (DESIGN section 4).
//
// Keys are made inside the transaction that keeps them, so that of two nodes which
// begin at once the first one wins: at a node's first start, and once a day.
//
// Keys of spaces are not here: they stand beside their box in package mailbox.
package custody
