// Package record is the room of the patient's record: documents by family, the agenda,
// and who looked.
//
//	GET  /documents                             families and the latest; ?category= ?before= ?limit=
//	GET  /documents/{document}                  facts, original, narrative, where it came from
//	GET  /documents/{document}/original         the exact octets, for keeping
//	GET  /documents/{document}/embedded/{part}  a file in it, or "self": PDF, JPEG, PNG, text only
//	GET  /agenda                                ?view=week|month ?date=2026-12-03
//	GET  /agenda/{event}
//	POST /agenda/{event}/answer                 answer=accept|decline|tentative, version
//	GET  /agenda/{event}/ics                    the event for another agenda
//	GET  /history                               who, what, why, when; ?before=
//
// Every page answers its facts to Accept: application/json; the fields of documents,
// events and accesses that outside programs build on are those of the types
// documentFacts, eventFacts and accessFacts.
//
// # Invariants
//
//   - An id is looked up in the visitor's own space only: somebody else's document or
//     event is as unknown as one that never was (404 "not-found").
//   - What a file says it is decides nothing: only octets that are PDF, JPEG, PNG or
//     text are shown, in a document without script or origin.
//   - A patient sees names, never addresses of correspondents, in pages and in facts.
//   - An answer to an invitation is one letter inside the trust space, and is written
//     into the agenda in the same transaction, for the version that was shown.
//   - Times are told in the reader's zone; whole days and clock times of no zone stay
//     what they are.
//
// # What it does not do
//
// It decides on no access and writes no trace: package reading does, for all doors. It
// parses no calendar and expands no rule: package agenda does, within bounds.
package record
