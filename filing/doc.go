// Package filing puts away what letters bring: the documents of an IHE_XDM package, a
// bare CDA or a PDF into the patient's vault, invitations into the agenda. It is the
// work that follows a delivery, done by a queue worker.
//
//	clerk := filing.New(filing.Parts{...}, filing.Options{})
//	w := queue.NewWorker(db, map[string]queue.Kind{delivery.FileKind: clerk.Jobs()}, queue.Options{})
//
// [Examine] is the same without a vault: what a letter or a file holds, what would be
// filed, and why not. Integrators work with it.
//
// # The path of a job
//
//	errand      delivery.OpenErrand            the works key
//	letter      custody.TransitKey, its body   the transit key of its day
//	examine     parts -> spools -> xdm, cda    nothing in clear on the disk, nothing
//	                                           whole in memory but metadata
//	patient     the owner of the box; of a deposit, whom the documents name
//	compare     INS, birth name, first given name, birth date, sex
//	seal        dmp.Vault.Seal, agenda.Seal    public keys only
//	rehearse    the filing, rolled back        says what is known or refused
//	compose     record, history, facts, MDN
//	write       ONE transaction: MDN, body reference, dmp.File, agenda.Accept,
//	            record, history, outcome, audit, end of the job
//
// # What is filed
//
// A package is one lot, and so is each bare CDA: filed as a whole or not at all. Beside
// one of them PDFs are copies and stay attachments (spec dmp 4.1). PDFs alone are filed
// for the owner of the box that their sender chose, with the warning
// "identity-not-in-document"; nothing is guessed from a subject or a file name. All
// else is inert.
//
// Identity, identifier and integrity decide; what else is missing or differs becomes a
// warning of the document. Reasons that keep a lot out, with the code that the sender's
// MDN has (spec dmp 4.4):
//
//	900  document-type-unsupported       no CDA, PDF, picture or text
//	901  replacement-of-another-author
//	902  patient-unknown                 nobody here has the INS of a deposit
//	903  identity-ins-missing, identity-not-in-document (a PDF in a deposit)
//	904  identity-differs, xdm-two-patients, cda-two-patients, cda-ins-split
//	905  identity-incomplete             a trait is missing
//	906  letter-ambiguous                two readers may see different parts
//	     letter-two-patients             lots of a deposit that name two people
//	     box-identity-missing, box-closed, box-opposed, box-announced
//	     attachment-too-large, attachment-limit
//	     document-id-missing, document-id-differs, document-id-reused
//	     document-type-mismatch
//	     deposit-empty, filing-failed
//	     every reason of packages xdm, cda, markup and dmp
//
// Which verdicts on a letter's structure are harmless is listed at the function of that
// name. Reasons of invitations are those of package agenda.
//
// # Invariants
//
//   - A document is in the vault once, whatever crashes and however often its letter
//     or deposit comes: a job is gone only with its effects, and the vault knows a
//     document by its identifier and its octets.
//   - A lot is filed for nobody but whom all its documents name; the metadata, the
//     header of each CDA and the owner of the box agree.
//   - What cannot be filed stays an attachment with a reason that the reader sees;
//     the sender is told if a receipt was asked for, a depositor always. There is no
//     hidden queue for people. A job that fails for 48 hours is told as "filing-failed".
//   - The octets that are filed are those that came; nothing is written anew from XML.
//   - A worker holds no key of a space: only the letter's own, for the time of a job.
//
// # What it does not do
//
// It does not scan for viruses, does not look into letters inside letters, TNEF or
// archives in archives, and asks nobody.
//
// # Implementation notes
//
// The rehearsal makes the transaction that counts predictable: what people are told is
// composed and sealed before it. If the vault answers otherwise in the end, because
// another letter was faster, the transaction fails with "filing-overtaken" and the job
// is done anew. Bodies that were made durable for a transaction that failed are deleted
// by the next attempt; after a crash the rounds find them as strays.
package filing
