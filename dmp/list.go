package dmp

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Query says which documents a list shows.
type Query struct {
	// Shelf is one category; empty is all of them.
	Shelf Category
	// Before is the last document of the page before; empty is the first page.
	Before DocumentID
	// Limit is the size of the page; zero is DefaultPage, more than MaxPage is MaxPage.
	Limit int
}

// Row is a document as its row has it: an [Opener] reads it.
type Row struct {
	ID         DocumentID
	Space      SpaceID
	State      State
	At         time.Time
	ReplacedBy DocumentID
	// Size is that of the octets, in octets.
	Size int64

	sealedSize int64
	blob       blob.Key
	inline     []byte // nil in a list
	key        wrappedKey
	record     []byte
	origins    []originRow
}

// wrappedKey is a session key as a row has it.
type wrappedKey struct {
	// id is what the wrap is bound to.
	id   string
	form keyForm
	wrap []byte
}

// keyForm says how a session key is wrapped.
type keyForm int64

// The forms.
const (
	// toVault is wrapped to the vault key: the form of a filing.
	toVault keyForm = iota
	// underSpace is wrapped under the space's symmetric key: the form after the first
	// opening.
	underSpace
)

// originRow is where a document came from, sealed.
type originRow struct {
	at     time.Time
	key    wrappedKey // no wrap: the document's key
	record []byte
}

// List returns a page of a vault, what was filed last first, deleted documents left
// out. Its cost is that of the page: three statements.
func List(tx *store.Tx, w *seal.Works, space SpaceID, q Query) ([]Row, error) {
	list, args := listed(), []any(nil)
	if q.Shelf != "" {
		list, args = onShelf(), []any{shelfOf(w, space, q.Shelf)}
	}
	ids, err := list.page(tx, space, string(q.Before), pageSize(q.Limit), args...)
	if err != nil {
		return nil, fmt.Errorf("list documents of vault %s: %w", space, err)
	}
	var out []Row
	err = eachOf(tx, sqlRows, space, ids, func(row scanner) error {
		r, err := scanRow(row, space)
		out = append(out, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list documents of vault %s: %w", space, err)
	}
	slices.SortFunc(out, func(a, b Row) int { return cmp.Compare(b.ID, a.ID) })
	return out, withOrigins(tx, space, out)
}

// Get returns one document, its octets within reach. It fails with fault.NotFound
// "document-unknown", also for a document of another space.
func Get(tx *store.Tx, space SpaceID, id DocumentID) (Row, error) {
	var inline []byte
	r, err := scanRow(tx.QueryRow(sqlGet, string(space), string(id)), space, &inline)
	if errors.Is(err, store.ErrNoRows) {
		return Row{}, fault.New(fault.NotFound, "document-unknown")
	}
	if err != nil {
		return Row{}, fmt.Errorf("read document %s: %w", id, err)
	}
	if r.inline = inline; r.blob != "" {
		r.inline = nil
	}
	page := []Row{r}
	err = withOrigins(tx, space, page)
	return page[0], err
}

// scanRow reads the columns of sqlRow, and those after them as told.
func scanRow(row scanner, space SpaceID, more ...any) (Row, error) {
	r := Row{Space: space}
	var at int64
	err := row.Scan(append([]any{
		(*string)(&r.ID), (*string)(&r.State), &at, (*string)(&r.ReplacedBy), &r.Size, &r.sealedSize,
		(*string)(&r.blob), (*int64)(&r.key.form), &r.key.wrap, &r.record,
	}, more...)...)
	r.At, r.key.id = store.Time(at), string(r.ID)
	return r, err
}

// withOrigins reads where the documents of a page came from.
func withOrigins(tx *store.Tx, space SpaceID, page []Row) error {
	ids := make([]string, len(page))
	rows := make(map[string]*Row, len(page))
	for i := range page {
		ids[i] = string(page[i].ID)
		rows[ids[i]] = &page[i]
	}
	err := eachOf(tx, sqlFrom, space, ids, func(row scanner) error {
		var id string
		var at int64
		var o originRow
		err := row.Scan(&id, &at, &o.key.id, (*int64)(&o.key.form), &o.key.wrap, &o.record)
		if o.at = store.Time(at); rows[id] != nil {
			rows[id].origins = append(rows[id].origins, o)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read origins in vault %s: %w", space, err)
	}
	return nil
}

// Count is how many documents a category has.
type Count struct {
	Category Category
	// Documents are all that a list shows; Current are the approved ones.
	Documents, Current int64
}

// Counts returns the categories that have documents, in the order in which they are
// shown. It reads counters, not documents.
func Counts(tx *store.Tx, w *seal.Works, space SpaceID) ([]Count, error) {
	found := map[string]Count{}
	err := each(tx, `SELECT shelf, documents, current FROM vault_shelf WHERE space_id = $1`, []any{string(space)},
		func(row scanner) error {
			var shelf []byte
			var c Count
			err := row.Scan(&shelf, &c.Documents, &c.Current)
			found[string(shelf)] = c
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("count documents of vault %s: %w", space, err)
	}
	var out []Count
	for _, s := range Categories() {
		c := found[string(shelfOf(w, space, s.Category))]
		if c.Category = s.Category; c.Documents > 0 {
			out = append(out, c)
		}
	}
	return out, nil
}
