package audit

import (
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// logRow is the one row of audit_log.
type logRow struct {
	origin         string
	size, at       int64
	holder         string
	epoch, leaseUS int64
}

func readLog(tx *store.Tx) (r logRow, err error) {
	row := tx.QueryRow(`SELECT origin, size, at, holder, epoch, lease_until FROM audit_log WHERE id = 1`)
	err = scan(row, &r.origin, &r.size, &r.at, &r.holder, &r.epoch, &r.leaseUS)
	return r, err
}

// readTile returns the stored hashes of one tile, none if there is no such row.
func readTile(tx *store.Tx, level, n int64) ([]tlog.Hash, error) {
	var b []byte
	err := scan(tx.QueryRow(`SELECT hashes FROM audit_tile WHERE level = $1 AND n = $2`, level, n), &b)
	if errors.Is(err, store.ErrNoRows) {
		return nil, nil
	}
	return unpackHashes(b), err
}

func writeTile(tx *store.Tx, t tile) error {
	_, err := tx.Exec(`INSERT INTO audit_tile (level, n, hashes) VALUES ($1, $2, $3)
		ON CONFLICT (level, n) DO UPDATE SET hashes = excluded.hashes`, t.level, t.n, packHashes(t.hashes))
	return err
}

// lastNote returns the newest checkpoint, nil if there is none.
func lastNote(tx *store.Tx) ([]byte, error) {
	var msg []byte
	err := scan(tx.QueryRow(`SELECT note FROM audit_checkpoint ORDER BY no DESC LIMIT 1`), &msg)
	if errors.Is(err, store.ErrNoRows) {
		return nil, nil
	}
	return msg, err
}

// readLeaf returns the record with a number: its canonical bytes.
func readLeaf(tx *store.Tx, seq int64) ([]byte, error) {
	var at int64
	var leaf []byte
	if err := scan(tx.QueryRow(`SELECT at, leaf FROM audit_leaf WHERE seq = $1`, seq), &at, &leaf); err != nil {
		return nil, notFound(err, "audit-leaf-unknown")
	}
	return formatRecord(seq, at, leaf), nil
}

func scan(row *sql.Row, into ...any) error { return row.Scan(into...) }

func notFound(err error, reason string) error {
	if errors.Is(err, store.ErrNoRows) {
		return fault.New(fault.NotFound, reason)
	}
	return err
}

// inChunks cuts n rows into pieces of few sizes, so that few statement texts are
// ever prepared, and calls do with the bounds of each.
func inChunks(n int, do func(from, to int) error) error {
	for from := 0; from < n; {
		size := 1
		for _, s := range [...]int{128, 16} {
			if n-from >= s {
				size = s
				break
			}
		}
		if err := do(from, from+size); err != nil {
			return err
		}
		from += size
	}
	return nil
}

// tuples returns "($1, $2), ($3, $4)" for rows=2 and columns=2.
func tuples(rows, columns int) string {
	var b strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteByte('(')
		case i%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i + 1))
	}
	b.WriteByte(')')
	return b.String()
}
