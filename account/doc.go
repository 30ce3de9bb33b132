// Package account is the house of people: who they are, which boxes they hold
// with which rights, and what they prove themselves with.
//
// Most readers need [CheckPassword] and [CheckCertificate], for the web
// [FindWebLogin] and [FindWebSession], and [FindByINS] for who a document is of:
//
//	login, err := account.CheckPassword(tx, works, box, secret, account.IMAP)
//	box, person, err := account.FindByINS(tx, works, oid, matricule)
//
// # Rows
//
//	person        kind; names, birth date, INS sealed under works
//	├ person_ins    keyed hash of OID and matricule
//	├ holder        box, person, rights
//	├ app_password  box, keyed hash, scopes, day of last use; its name sealed
//	├ certificate   keyed hash of subject, box, digest of the public key; subject sealed
//	├ web_login     keyed hash of the login, box; argon2id hash, TOTP secret, login sealed
//	├ web_recovery  keyed hashes of codes that were not used
//	└ web_session   keyed hash of the token, box, times; the device's label sealed
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
//     BoxID on instead of answering earlier. So with a login of the web: nobody's
//     login is checked against a hash that no password has.
//   - A password that people choose is kept as argon2id, sealed under works besides.
//     A [Hasher] computes one hash for each processor at once.
//   - A step of the second factor is used once; a recovery code is gone when used.
//   - A web session ends 30 minutes after its last request and 12 hours after its
//     beginning. Its row has the hash of the token: who reads the database cannot go
//     on with anybody's session.
//   - A proof is a person's for a box: when the person no longer holds the box, it
//     proves nothing.
//   - A secret is shown once, when it is made. It prints as "[redacted]".
//
// # What it does not do
//
// It counts no attempts (package pace does, in the works), checks no certificate
// chain (package certs did before), and writes no audit leaf.
package account
