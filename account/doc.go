// Package account is the house of people: who they are, which boxes they hold
// with which rights, and what they prove themselves with.
//
// Most readers need [CheckPassword] and [CheckCertificate]:
//
//	login, err := account.CheckPassword(tx, works, box, secret, account.IMAP)
//
// # Rows
//
//	person        kind; names, birth date, INS sealed under works
//	├ holder        box, person, rights
//	├ app_password  box, keyed hash, scopes, day of last use; its name sealed
//	└ certificate   keyed hash of subject, box, digest of the public key; subject sealed
//
// A box is an opaque [BoxID] here: the mailbox house knows it, the works join
// both, and the works decide which kind of box may have which proof
// (mailbox.Kind).
//
// # Invariants
//
//   - An app password has at least 128 random bits, made here. So a keyed hash is
//     enough for its row (security spec, 2.6), checking costs microseconds, and
//     nobody can exhaust the machine by trying.
//   - Whoever may not come in hears one and the same fault, Denied "login-failed":
//     unknown box, wrong, revoked or differently scoped password, no holder.
//   - The same work is done for a box that does not exist: callers pass an empty
//     BoxID on instead of answering earlier.
//   - A proof is a person's for a box: when the person no longer holds the box, it
//     proves nothing.
//   - A secret is shown once, when it is made. It prints as "[redacted]".
//
// # What it does not do
//
// It counts no attempts (package pace does, in the works), checks no certificate
// chain (package certs did before), and writes no audit leaf.
package account
