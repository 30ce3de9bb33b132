package dmp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/store"
)

// The statements that filing and reading repeat. All of them find their rows by an
// index: a test asks both engines how.
const (
	sqlLock = `INSERT INTO vault (space_id, held) VALUES ($1, $2)
		ON CONFLICT (space_id) DO UPDATE SET held = excluded.held`
	sqlHeld = `SELECT document_id, state, origins, shelf, unique_mac, entry_mac, digest_mac, authors, replaced_by
		FROM vault_document WHERE space_id = $1`
	sqlByUnique  = sqlHeld + ` AND unique_mac = `
	sqlByEntry   = sqlHeld + ` AND entry_mac = $2 ORDER BY document_id DESC LIMIT $3`
	sqlWaiting   = `SELECT name_mac, document_id, authors FROM vault_pending WHERE space_id = $1 AND name_mac = `
	sqlDeprecate = `UPDATE vault_document SET state = 'deprecated', replaced_by = $3
		WHERE space_id = $1 AND document_id = $2 AND state = 'approved'`
	sqlInsert = `INSERT INTO vault_document (space_id, document_id, state, at, origins, plain_size, sealed_size,
		key_form, replaced_by, blob_key, shelf, unique_mac, entry_mac, digest_mac, authors, wrapped, record, sealed)
		VALUES ($1, $2, $3, $4, 1, $5, $6, 0, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`
	sqlOrigin = `INSERT INTO vault_origin (space_id, document_id, origin_mac, at, key_id, key_form, wrapped, record)
		VALUES ($1, $2, $3, $4, $5, 0, $6, $7) ON CONFLICT (space_id, document_id, origin_mac) DO NOTHING`
	sqlOrigins = `UPDATE vault_document SET origins = origins + 1 WHERE space_id = $1 AND document_id = $2`
	sqlShelf   = `INSERT INTO vault_shelf (space_id, shelf, documents, current) VALUES ($1, $2, $3, $4)
		ON CONFLICT (space_id, shelf) DO UPDATE SET documents = vault_shelf.documents + excluded.documents,
		current = vault_shelf.current + excluded.current`
	sqlRow  = `SELECT document_id, state, at, replaced_by, plain_size, sealed_size, blob_key, key_form, wrapped, record`
	sqlGet  = sqlRow + `, sealed FROM vault_document WHERE space_id = $1 AND document_id = $2 AND state <> 'deleted'`
	sqlRows = sqlRow + ` FROM vault_document WHERE space_id = $1 AND document_id = `
	sqlFrom = `SELECT document_id, at, key_id, key_form, wrapped, record FROM vault_origin
		WHERE space_id = $1 AND document_id = `
	sqlAccesses = `SELECT access_id, at, key_id, wrapped, record FROM vault_access WHERE space_id = $1 AND access_id = `
)

// lock takes the vault's row: whoever files, replaces or erases waits for the others,
// so that what was read stays true until the commit.
func lock(tx *store.Tx, space SpaceID) error {
	if _, err := tx.Exec(sqlLock, string(space), store.Micros(tx.Now())); err != nil {
		return fmt.Errorf("lock vault %s: %w", space, err)
	}
	return nil
}

// scanner is a row of a result.
type scanner interface{ Scan(dest ...any) error }

// each calls fn with the rows of a query.
func each(tx *store.Tx, query string, args []any, fn func(scanner) error) error {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// maxProbes is how many values one statement looks for.
const maxProbes = 64

// eachOf calls fn with the rows of a query that looks in one space for one value,
// which is its last word, for each of the values.
//
// It asks for each of them alone, in one statement. With IN, PostgreSQL sooner reads
// the whole vault than looks for twenty values, because it takes a vault for as small
// as the average one: 60 ms instead of 3 ms were measured for a page of a vault of
// 10,000. Lists are padded to powers of two with values that are nowhere, so that few
// texts are prepared.
func eachOf[T any](tx *store.Tx, query string, space SpaceID, values []T, fn func(scanner) error) error {
	for chunk := range slices.Chunk(values, maxProbes) {
		n := 1
		for n < len(chunk) {
			n *= 2
		}
		args := []any{string(space)}
		for i := range n {
			var value T
			if i < len(chunk) {
				value = chunk[i]
			}
			args = append(args, value)
		}
		if err := each(tx, probes(query, n), args, fn); err != nil {
			return err
		}
	}
	return nil
}

// probes returns the query for n values, $2 and on.
func probes(query string, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = query + "$" + strconv.Itoa(i+2)
	}
	return strings.Join(list, " UNION ALL ")
}

// byUnique calls fn with the documents that have one of the uniqueIds.
func byUnique(tx *store.Tx, space SpaceID, macs [][]byte, fn func(*held)) error {
	err := eachOf(tx, sqlByUnique, space, macs, scanHeld(fn))
	if err != nil {
		return fmt.Errorf("look for documents of vault %s: %w", space, err)
	}
	return nil
}

// maxEntries is how many documents under one entryUUID are looked at, the newest
// first: a registry gives it once, a careless sender does not.
const maxEntries = 32

// byEntry calls fn with the documents that came under an entryUUID.
func byEntry(tx *store.Tx, space SpaceID, mac []byte, fn func(*held)) error {
	err := each(tx, sqlByEntry, []any{string(space), mac, int64(maxEntries)}, scanHeld(fn))
	if err != nil {
		return fmt.Errorf("look for entries of vault %s: %w", space, err)
	}
	return nil
}

// scanHeld reads rows of sqlHeld.
func scanHeld(fn func(*held)) func(scanner) error {
	return func(row scanner) error {
		h := new(held)
		err := row.Scan((*string)(&h.id), (*string)(&h.state), &h.origins, &h.shelf, &h.unique, &h.entry, &h.digest,
			(*[]byte)(&h.authors), (*string)(&h.replacedBy))
		if err == nil {
			fn(h)
		}
		return err
	}
}

// waitingFor calls fn with the replacements that wait for one of the names.
func waitingFor(tx *store.Tx, space SpaceID, names [][]byte, fn func(waiting)) error {
	err := eachOf(tx, sqlWaiting, space, names, func(row scanner) error {
		var w waiting
		err := row.Scan(&w.object, (*string)(&w.by), (*[]byte)(&w.authors))
		if err == nil {
			fn(w)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("look for replacements in vault %s: %w", space, err)
	}
	return nil
}

// insertWaiting remembers a replacement whose object is not there yet.
func insertWaiting(tx *store.Tx, space SpaceID, w waiting) error {
	_, err := tx.Exec(`INSERT INTO vault_pending (space_id, name_mac, document_id, authors) VALUES ($1, $2, $3, $4)
		ON CONFLICT (space_id, name_mac, document_id) DO NOTHING`, string(space), w.object, string(w.by), []byte(w.authors))
	return err
}

// deleteWaiting forgets a replacement that was done.
func deleteWaiting(tx *store.Tx, space SpaceID, w waiting) error {
	_, err := tx.Exec(`DELETE FROM vault_pending WHERE space_id = $1 AND name_mac = $2 AND document_id = $3`,
		string(space), w.object, string(w.by))
	return err
}

// insertDocument makes a document's row.
func insertDocument(tx *store.Tx, s *Sealed, h *held) error {
	inline := s.inline
	if inline == nil {
		inline = []byte{}
	}
	_, err := tx.Exec(sqlInsert, string(s.space), string(s.id), string(h.state), store.Micros(tx.Now()), s.plain, s.size,
		string(h.replacedBy), string(s.blob), s.shelf, s.unique, s.entry, s.digest, []byte(s.authors), s.wrapped, s.record, inline)
	if err != nil {
		return fmt.Errorf("file document %s: %w", s.id, err)
	}
	return nil
}

// noteOrigin adds where a document came from, if that is new and there is room. Of a
// new document the document's own key opens it; of a repetition the key that the
// repetition brought, because nobody here can open the document's.
func noteOrigin(tx *store.Tx, s *Sealed, h *held, fresh bool) (bool, error) {
	wrapped := []byte{}
	if !fresh {
		if wrapped = s.wrapped; h.origins >= MaxOrigins {
			return false, nil
		}
	}
	n, err := tx.Exec(sqlOrigin, string(s.space), string(h.id), s.origin, store.Micros(tx.Now()), string(s.id), wrapped, s.originRecord)
	if err != nil {
		return false, fmt.Errorf("note an origin of document %s: %w", h.id, err)
	}
	if n == 0 || fresh {
		return n > 0, nil
	}
	h.origins++
	_, err = tx.Exec(sqlOrigins, string(s.space), string(h.id))
	return true, err
}

// deprecate writes that a document was replaced.
func deprecate(tx *store.Tx, space SpaceID, id, by DocumentID) error {
	if _, err := tx.Exec(sqlDeprecate, string(space), string(id), string(by)); err != nil {
		return fmt.Errorf("deprecate document %s: %w", id, err)
	}
	return nil
}

// tally is by how much the counters of shelves change.
type tally map[string]*[2]int64

// of returns the changes of one shelf.
func (t tally) of(shelf []byte) *[2]int64 {
	if t[string(shelf)] == nil {
		t[string(shelf)] = new([2]int64)
	}
	return t[string(shelf)]
}

// count adds n documents of a state.
func (t tally) count(shelf []byte, n int64, state State) {
	c := t.of(shelf)
	if state != Deleted {
		c[0] += n
	}
	if state == Approved {
		c[1] += n
	}
}

// retire says that one document is no longer current.
func (t tally) retire(shelf []byte) { t.of(shelf)[1]-- }

// add writes the changes.
func (t tally) add(tx *store.Tx, space SpaceID) error {
	for shelf, c := range t {
		if _, err := tx.Exec(sqlShelf, string(space), []byte(shelf), c[0], c[1]); err != nil {
			return fmt.Errorf("count documents of vault %s: %w", space, err)
		}
	}
	return nil
}

// Unknown returns which of the blobs no document refers to: left by a crash between
// blob and transaction, or by an erasure, if they are old enough.
func Unknown(tx *store.Tx, keys []blob.Key) ([]blob.Key, error) {
	known := map[string]bool{}
	for chunk := range slices.Chunk(keys, maxProbes) {
		args := make([]any, maxProbes)
		for i := range args {
			args[i] = string(chunk[min(i, len(chunk)-1)])
		}
		err := each(tx, sqlStrays(), args, func(row scanner) error {
			var k string
			err := row.Scan(&k)
			known[k] = true
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("look for blobs of documents: %w", err)
		}
	}
	return slices.DeleteFunc(slices.Clone(keys), func(k blob.Key) bool { return known[string(k)] }), nil
}

// sqlStrays looks for blobs by a key that is unique in all spaces.
func sqlStrays() string {
	list := make([]string, maxProbes)
	for i := range list {
		list[i] = "$" + strconv.Itoa(i+1)
	}
	return `SELECT blob_key FROM vault_document WHERE blob_key <> '' AND blob_key IN (` + strings.Join(list, ", ") + `)`
}
