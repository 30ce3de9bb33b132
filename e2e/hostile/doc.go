// Command hostile runs a folder of hostile vectors against the real server: it
// starts a demo of its own, plays each vector as a peer would, and looks at what
// is left behind.
//
//	go run ./e2e/hostile --server bin/vaguemestre --dir FOLDER --kinds smtp,zip,xml,ics,web
//
// FOLDER holds a MANIFEST.json (identities, vectors with expectations and
// invariants) and one file a vector. One line is printed per vector,
//
//	ok FILE
//	broken FILE: invariant: what was seen
//
// and the exit status is 1 if any broke. Invariants are the gate. What differs from a
// vector's preference, what was changed so that it can be judged, and what could not
// be checked is printed behind "ok" in brackets. Controls must be accepted, or filed.
//
// # Kinds
//
//	script (smtp)     played over a connection, step by step
//	file (zip xml     attached to a letter that the hospital's operator brings to the
//	      ics)        patients' MX, for the patient of the folder's own control
//	cases (web)       each case that has a counterpart among our routes is played
//	                  there; of each other one is shown that there is no such thing
//
// The addresses of the manifest's identities are mapped onto the demo's cast wherever
// they occur; BDAT sizes follow. The patient whom documents name is added to the cast
// with --people, and so is everybody else whom they name: a document filed for the
// wrong one would be seen. An iTIP message about an event that should be known comes
// after an invitation to it.
//
// # What is looked at
//
//	SMTP replies, the sender's notifications, the patient's JSON, every page and file
//	that is new, the audit lists, the logs, memory (its peak) and processor time,
//	descriptors, the files around the server, its sockets, the names it asks for, and
//	the files named by vectors that it opens
//
// # Implementation notes
//
// A file vector whose memory is measured, or that may touch the state of others, is
// alone with the server; the rest runs four at a time. The audit lists are read once,
// at the end: leaves are found by the id in the letter's trace field.
package main
