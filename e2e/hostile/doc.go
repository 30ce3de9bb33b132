// Command hostile runs a folder of hostile vectors against the real server: it
// starts a demo of its own, plays each vector as a peer would, and looks at what
// is left behind.
//
//	go run ./e2e/hostile --server bin/vaguemestre --dir FOLDER --kinds smtp
//
// FOLDER holds a MANIFEST.json (identities, vectors with expectations and
// invariants) and one script a vector. One line is printed per vector,
//
//	ok FILE
//	broken FILE: invariant: what was seen
//
// and the exit status is 1 if any broke. Invariants are the gate. A reply code that
// differs from the vector's preference is printed behind "ok" as a note, except
// for controls, which must be accepted.
//
// The addresses of the manifest's identities are mapped onto the demo's cast
// wherever they occur; BDAT sizes follow.
package main
