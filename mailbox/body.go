package mailbox

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Body is the bytes received, sealed once; its rows are shared by all recipients
// and counted.
type Body struct {
	ID BodyID
	// Plain and Sealed are sizes in octets, before and after sealing.
	Plain, Sealed int64
	// Inline holds the sealed bytes of a small body; else Blob names them.
	Inline []byte
	Blob   blob.Key
	// Refs counts letters and jobs that need the body.
	Refs int64
}

// AddBody keeps a body that Refs letters and jobs of this transaction refer to.
// Without any, nothing is kept and its blob becomes garbage.
func AddBody(tx *store.Tx, b Body) error {
	if b.Refs <= 0 {
		return Discard(tx, b.Blob)
	}
	inline := b.Inline
	if inline == nil {
		inline = []byte{}
	}
	_, err := tx.Exec(`INSERT INTO body (body_id, plain_size, sealed_size, refs, blob_key, sealed)
		VALUES ($1, $2, $3, $4, $5, $6)`, string(b.ID), b.Plain, b.Sealed, b.Refs, string(b.Blob), inline)
	if err != nil {
		return fmt.Errorf("keep body %s: %w", b.ID, err)
	}
	return nil
}

// OpenBody returns a body's row. It fails with fault.NotFound "body-gone" when the
// last letter that referred to it was erased.
func OpenBody(tx *store.Tx, id BodyID) (Body, error) {
	b := Body{ID: id}
	var key string
	err := tx.QueryRow(`SELECT plain_size, sealed_size, refs, blob_key, sealed FROM body WHERE body_id = $1`, string(id)).
		Scan(&b.Plain, &b.Sealed, &b.Refs, &key, &b.Inline)
	if errors.Is(err, store.ErrNoRows) {
		return Body{}, fault.New(fault.NotFound, "body-gone")
	}
	if b.Blob = blob.Key(key); key != "" {
		b.Inline = nil
	}
	return b, err
}

// ReferBody adds n references to a body, for jobs that need it later. It fails
// with fault.NotFound "body-gone".
func ReferBody(tx *store.Tx, id BodyID, n int64) error {
	changed, err := tx.Exec(`UPDATE body SET refs = refs + $2 WHERE body_id = $1`, string(id), n)
	if err != nil {
		return fmt.Errorf("refer to body %s: %w", id, err)
	}
	if changed == 0 {
		return fault.New(fault.NotFound, "body-gone")
	}
	return nil
}

// DropBody takes n references away; with the last, the row goes and the blob
// becomes garbage.
func DropBody(tx *store.Tx, id BodyID, n int64) error {
	return dropBodies(tx, map[BodyID]int64{id: n})
}

// referBodies adds references, body after body in ascending order of their groups.
func referBodies(tx *store.Tx, bodies map[BodyID]int64) error {
	return eachGroup(bodies, func(n int64, in string, ids []any) error {
		_, err := tx.Exec(`UPDATE body SET refs = refs + $1 WHERE body_id IN `+in, append([]any{n}, ids...)...)
		return err
	})
}

// dropBodies takes references away and clears what nobody refers to any more.
func dropBodies(tx *store.Tx, bodies map[BodyID]int64) error {
	now := store.Micros(tx.Now())
	return eachGroup(bodies, func(n int64, in string, ids []any) error {
		for _, s := range []struct {
			query string
			first int64
		}{
			{`UPDATE body SET refs = refs - $1 WHERE body_id IN ` + in, n},
			{`INSERT INTO blob_garbage (blob_key, since) SELECT blob_key, CAST($1 AS BIGINT) FROM body
				WHERE refs <= 0 AND blob_key <> '' AND body_id IN ` + in + ` ON CONFLICT (blob_key) DO NOTHING`, now},
			{`DELETE FROM body WHERE refs <= $1 AND body_id IN ` + in, 0},
		} {
			if _, err := tx.Exec(s.query, append([]any{s.first}, ids...)...); err != nil {
				return fmt.Errorf("drop bodies: %w", err)
			}
		}
		return nil
	})
}

// eachGroup calls fn for chunks of bodies with the same count; the ids, sorted,
// are parameters from $2 on.
func eachGroup(bodies map[BodyID]int64, fn func(n int64, in string, ids []any) error) error {
	groups := map[int64][]string{}
	for id, n := range bodies {
		groups[n] = append(groups[n], string(id))
	}
	for _, n := range slices.Sorted(maps.Keys(groups)) {
		ids := slices.Sorted(slices.Values(groups[n]))
		for chunk := range slices.Chunk(ids, maxList) {
			if err := fn(n, placeholders(2, padded(len(chunk))), padArgs(chunk)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Discard marks a blob that no body refers to as garbage; an empty key is fine.
func Discard(tx *store.Tx, key blob.Key) error {
	if key == "" {
		return nil
	}
	_, err := tx.Exec(`INSERT INTO blob_garbage (blob_key, since) VALUES ($1, $2) ON CONFLICT (blob_key) DO NOTHING`,
		string(key), store.Micros(tx.Now()))
	return err
}

// Garbage returns at most limit blobs that became garbage before a moment, the
// oldest keys first. The moment leaves time to readers that opened them earlier.
func Garbage(tx *store.Tx, before time.Time, limit int) ([]blob.Key, error) {
	return blobKeys(tx, `SELECT blob_key FROM blob_garbage WHERE since < $1 ORDER BY blob_key LIMIT $2`,
		store.Micros(before), int64(limit))
}

// Collected forgets garbage that was deleted from the blob store.
func Collected(tx *store.Tx, keys []blob.Key) error {
	for chunk := range slices.Chunk(keys, maxList) {
		_, err := tx.Exec(`DELETE FROM blob_garbage WHERE blob_key IN `+placeholders(1, padded(len(chunk))), keyArgs(chunk)...)
		if err != nil {
			return err
		}
	}
	return nil
}

// Unknown returns which of the blobs no body refers to and no garbage names:
// left by a crash between blob and transaction, if they are old enough.
func Unknown(tx *store.Tx, keys []blob.Key) ([]blob.Key, error) {
	known := map[blob.Key]bool{}
	for chunk := range slices.Chunk(keys, maxList) {
		in := placeholders(1, padded(len(chunk)))
		found, err := blobKeys(tx, `SELECT blob_key FROM body WHERE blob_key <> '' AND blob_key IN `+in+`
			UNION ALL SELECT blob_key FROM blob_garbage WHERE blob_key IN `+in, keyArgs(chunk)...)
		if err != nil {
			return nil, err
		}
		for _, k := range found {
			known[k] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(keys), func(k blob.Key) bool { return known[k] }), nil
}

// keyArgs returns blob keys as padded arguments.
func keyArgs(keys []blob.Key) []any {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = string(k)
	}
	return padArgs(texts)
}

// blobKeys reads one column of blob keys.
func blobKeys(tx *store.Tx, query string, args ...any) ([]blob.Key, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []blob.Key
	for rows.Next() {
		var k string
		if err := rows.Scan(&k); err != nil {
			return nil, err
		}
		out = append(out, blob.Key(k))
	}
	return out, rows.Err()
}
