// Package seal encrypts everything that is kept, and holds every key there is.
//
// Receiving a letter needs public keys only:
//
//	k := seal.NewSessionKey()
//	defer k.Zero()
//	w := seal.NewBodyWriter(dst, k, bodyID)      // streams; w.Close seals the end
//	record, err := k.SealRecord("summary", rowID, summary)
//	key, err := public.Wrap(k, bodyID)           // one per reader, in the reader's row
//
// Reading it needs a release of the space's private key, which writes its audit leaf
// first:
//
//	ring, err := seal.Release(ctx, leaf, platform, spaceID, wrapped)
//	defer ring.Zero()
//	k, err := ring.Unwrap(key, bodyID)           // once; then Rewrap and UnwrapFast
//	r, err := seal.NewBodyReader(src, sealedSize, plainSize, k, bodyID)
//	n, err := r.ReadAt(p, off)
//
// # Keys
//
//	platform key     KeyFile, or a hardware module behind Platform
//	 ├─ space keys    one row a space: letters pair, vault pair, symmetric key
//	 ├─ transit key   one pair a day: what running jobs need, and no more
//	 └─ works key     operator rows (Seal, Open) and look-ups (MAC)
//	session key       one per body, wrapped for each reader in the reader's row:
//	 ├─ PublicKey.Wrap   OpenPGP PKESK v6, X25519, + a bound empty record (140 bytes)
//	 └─ Keyring.Rewrap   under the space's symmetric key (61 bytes): no public-key work
//
// A pair is an OpenPGP v6 key: Ed25519 primary key, X25519 subkey. A row holds the
// public subkey packet alone (44 bytes); the space's wrapped keys hold the whole
// transferable secret key, for an export that other programs can read.
//
// # A sealed body
//
// A body is a sequence of OpenPGP SEIPDv2 packets (RFC 9580 5.13.2, AES-256-GCM,
// chunks of 4 KiB) under one session key. Each holds one literal packet of 256 KiB of
// plaintext, the last one the rest:
//
//	body    = segment*                          segment i starts at i * 263449
//	segment = SEIPDv2( literal( name, plaintext ) )
//	name    = index (8 hex digits) | '+' or, for the last, '.' | body id | '/'...
//
// The name has a fixed size (73 bytes), so that every full segment takes the same
// room and a random read finds its segment by a multiplication. A body of up to 256
// KiB is one packet, which any OpenPGP program decrypts.
//
// A record is version (1) | nonce (12) | AES-256-GCM ciphertext | tag (16), under a
// key derived by HKDF-SHA-256 for its domain, purpose and id alone, which are also
// its associated data.
//
// # Invariants
//
//  1. No byte of a segment is handed out before all of it is authenticated and its
//     body, index, last flag and size are right: cut, reordered, appended, swapped or
//     flipped segments are found.
//  2. Nothing opens a body, its summary or its search entry but its session key. When
//     the wraps of a session key are deleted, what it sealed is erased, backups of the
//     bodies included.
//  3. Delivery holds no private key, a worker no space key: PublicKey cannot open, and
//     TransitKey opens only what was wrapped for its day.
//  4. A wrap or record opens only under the id (and purpose, label, day) it was made
//     for.
//  5. Memory is bounded: a writer or reader holds one segment, whatever the body.
//  6. Types that hold keys print, log and encode themselves as "[redacted]" or not at
//     all.
//  7. Zero and Close wipe what this package holds. What the libraries below it copied
//     is left to the garbage collector: Go offers no more.
//
// What it does not do: decide who may open what (porter, reading), count releases,
// keep rows or files, hide sizes.
package seal
