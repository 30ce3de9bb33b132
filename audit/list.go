package audit

import (
	"encoding/json"
	"time"

	"github.com/vaguemestre/vaguemestre/store"
)

// List calls fn with leaves as they are stored, one canonical JSON object each:
// numbered ones in order, then those that wait for their number. since, when not
// zero, leaves out older acts; act, when not empty, all others. fn must not use tx.
func List(tx *store.Tx, since time.Time, act string, fn func(line []byte) error) error {
	for _, query := range []string{
		`SELECT leaf FROM audit_leaf ORDER BY seq`,
		`SELECT leaf FROM audit_pending ORDER BY id`,
	} {
		if err := listRows(tx, query, since, act, fn); err != nil {
			return err
		}
	}
	return nil
}

func listRows(tx *store.Tx, query string, since time.Time, act string, fn func([]byte) error) error {
	rows, err := tx.Query(query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var leaf []byte
		if err := rows.Scan(&leaf); err != nil {
			return err
		}
		var l leafJSON
		if err := json.Unmarshal(leaf, &l); err != nil {
			return err
		}
		if act != "" && l.Act != act || !since.IsZero() && store.Time(l.TS).Before(since) {
			continue
		}
		if err := fn(leaf); err != nil {
			return err
		}
	}
	return rows.Err()
}
