// Package blob keeps large sealed bodies: files here, an object store later, behind
// one small interface. It sees ciphertext only.
//
//	s, err := blob.Open("file:/var/lib/vaguemestre/blob", blob.Options{})
//	w, err := s.Create(ctx, blob.Key(identity.NewID()))
//	defer w.Abort()                 // harmless after Commit
//	_, err = w.Write(sealed)
//	err = w.Commit(ctx)             // durable and visible when it returns nil
//
// # The file store
//
//	DIR/.lock                 held shared by every process that has the store open
//	DIR/.tmp/KEY-RANDOM       bodies being written
//	DIR/01k2/3m/01k23m9z...   committed bodies
//
// A key's first characters choose its folders, so that a listing in key order walks
// few folders, and bodies that come together lie together: with time-ordered keys a
// folder holds about a quarter of an hour. Folders are 0700, files 0600.
//
// Commit is: fsync of the file, link under its final name (a link never replaces a
// body, as a rename could), unlink of the temporary name, fsync of the folder; a
// folder that this process did not see yet has its parents fsynced first. Commits that
// wait for the same folder share one fsync.
//
// # Invariants
//
//  1. A body is visible whole or not at all, and never changes.
//  2. After Commit returned nil, a crash or power loss does not lose the body.
//  3. A failed fsync is never retried (the kernel may have dropped the pages): it is
//     reported to Options.Fatal, and the store accepts nothing more.
//  4. Nothing outside DIR is touched, whatever the key.
//
// What it does not do: count references, collect garbage or encrypt. The row that
// names a body is written after Commit; a body that no row names is found by List
// and deleted by a round. Delete is not durable: a body that comes back after a power
// loss is found by the same round, and nobody has a key to it.
package blob
