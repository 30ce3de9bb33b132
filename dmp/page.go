package dmp

import (
	"fmt"
	"slices"

	"github.com/vaguemestre/vaguemestre/store"
)

// Pages.
const (
	// DefaultPage is the size of a page when none is asked for.
	DefaultPage = 50
	// MaxPage is the largest page.
	MaxPage = 200
)

// pageSize returns how many rows a page has.
func pageSize(limit int) int {
	if limit <= 0 {
		return DefaultPage
	}
	return min(limit, MaxPage)
}

// lastID is above every id.
const lastID = "~"

// What lists go through, from the newest id down.
type column struct {
	id, table, where string
}

// idsBelow returns the query for the ids of a page: $1 is the space, $2 the id that
// the page is below, $3 its size; the condition may use $4.
//
// Each id is one probe of the index, which LIMIT 1 forces. Asked for the page at once,
// PostgreSQL takes a vault for as small as the average one, reads all of it and sorts:
// 43 ms instead of 3 ms were measured for 10,000 documents.
func (c column) idsBelow() string {
	const probe = `(SELECT x.%s FROM %s x WHERE x.space_id = $1 AND %s AND x.%s < %s ORDER BY x.%s DESC LIMIT 1)`
	step := func(below string) string { return fmt.Sprintf(probe, c.id, c.table, c.where, c.id, below, c.id) }
	return `WITH RECURSIVE page (id, n) AS (SELECT ` + step("$2") + `, CAST(1 AS BIGINT)
		UNION ALL SELECT ` + step("page.id") + `, n + 1 FROM page WHERE id IS NOT NULL AND n < $3)
		SELECT id FROM page WHERE id IS NOT NULL`
}

// The lists of this house.
func listed() column { return column{"document_id", "vault_document", "x.state <> 'deleted'"} }

func onShelf() column {
	return column{"document_id", "vault_document", "x.state <> 'deleted' AND x.shelf = $4"}
}
func noted() column { return column{"access_id", "vault_access", "1 = 1"} }

// page reads at most limit ids below one, the newest first.
func (c column) page(tx *store.Tx, space SpaceID, below string, limit int, more ...any) ([]string, error) {
	if below == "" {
		below = lastID
	}
	var ids []string
	err := each(tx, c.idsBelow(), append([]any{string(space), below, int64(limit)}, more...), func(row scanner) error {
		var id string
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	})
	slices.Sort(ids)
	slices.Reverse(ids)
	return ids, err
}
