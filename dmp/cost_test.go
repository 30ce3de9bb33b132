package dmp_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// many is how many documents make a large vault.
const many = 10_000

// numbered begins a query that goes through n = 1 to $1.
const numbered = `WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < $1) `

// crowd makes a thousand small vaults and lets PostgreSQL take its statistics of
// them: from then on it takes every vault for a small one, as it does with the one
// large vault among many.
func (w *world) crowd() {
	w.t.Helper()
	ring, vault := w.ring, w.vault
	w.ring, w.vault = w.patient()
	w.fill(5)
	w.trace(dmp.Access{What: dmp.DocumentOpened, Why: dmp.Own}, dmp.Access{What: dmp.DocumentOpened, Why: dmp.Own})
	w.write(func(tx *store.Tx) error {
		for table, columns := range map[string]string{
			"vault_document": `document_id, state, at, origins, plain_size, sealed_size, key_form, replaced_by, blob_key,
				shelf, unique_mac, entry_mac, digest_mac, authors, wrapped, record, sealed`,
			"vault_origin": "document_id, origin_mac, at, key_id, key_form, wrapped, record",
			"vault_access": "access_id, at, key_id, wrapped, record",
			"vault_shelf":  "shelf, documents, current",
		} {
			_, err := tx.Exec(numbered+`INSERT INTO `+table+` (space_id, `+columns+`) SELECT 'space' || n, `+columns+`
				FROM `+table+`, number WHERE space_id = $2`, int64(1000), string(w.vault.Space))
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(`ANALYZE`)
		return err
	})
	w.ring, w.vault = ring, vault
}

// copies makes a vault of n documents more out of one: what a query costs depends on
// the rows and not on what they hold.
func (w *world) copies(n int) {
	w.t.Helper()
	from := w.file(w.seal(discharge("1.2.3"), letter, "octets"))[0].ID
	w.trace(dmp.Access{What: dmp.DocumentOpened, Why: dmp.Own})
	id, mac := `'z' || printf('%06d', n)`, `CAST('m' || n AS BLOB)`
	if w.db.Engine() == "postgres" {
		id, mac = `'z' || lpad(CAST(n AS TEXT), 6, '0')`, `convert_to('m' || n, 'UTF8')`
	}
	w.write(func(tx *store.Tx) error {
		for _, query := range []string{
			`INSERT INTO vault_document (space_id, document_id, state, at, origins, plain_size, sealed_size, key_form,
				replaced_by, blob_key, shelf, unique_mac, entry_mac, digest_mac, authors, wrapped, record, sealed)
				SELECT space_id, ` + id + `, state, at, origins, plain_size, sealed_size, key_form,
				replaced_by, 'blob' || n, shelf, ` + mac + `, ` + mac + `, digest_mac, authors, wrapped, record, sealed
				FROM vault_document, number WHERE document_id = $2 AND space_id = $3`,
			`INSERT INTO vault_origin (space_id, document_id, origin_mac, at, key_id, key_form, wrapped, record)
				SELECT space_id, ` + id + `, origin_mac, at, key_id, key_form, wrapped, record
				FROM vault_origin, number WHERE document_id = $2 AND space_id = $3`,
			`INSERT INTO vault_pending (space_id, name_mac, document_id, authors)
				SELECT space_id, ` + mac + `, document_id, authors FROM vault_document, number WHERE document_id = $2 AND space_id = $3`,
			`INSERT INTO vault_access (space_id, access_id, at, key_id, wrapped, record)
				SELECT space_id, ` + id + `, at, key_id, wrapped, record FROM vault_access, number WHERE access_id <> $2 AND space_id = $3`,
		} {
			if _, err := tx.Exec(numbered+query, int64(n), string(from), string(w.vault.Space)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Filing a document and reading the first page take as many statements in a vault of
// ten thousand as in an empty one: BEGIN, COMMIT and what the text of File says.
func TestStatementsDoNotGrowWithTheVault(t *testing.T) {
	t.Parallel()
	counter := deliverytest.CountStatements(t, storetest.PostgresDSN(t))
	w := newWorld(t, storetest.Open(t, counter.DSN, store.Options{Conns: 1}))
	cost := func(do func()) int64 {
		w.rows(dmp.Query{Limit: 1}) // a connection that rested says more at first
		before := counter.Count()
		do()
		return counter.Count() - before
	}
	n := 0
	lot := func(size int, replaces string) (out []*dmp.Sealed) {
		for range size {
			n++
			d := discharge(fmt.Sprint("1.9.", n))
			if replaces != "" {
				d.Replaces = []string{replaces}
			}
			out = append(out, w.seal(d, letter, "octets"))
		}
		return out
	}
	measure := func() [5]int64 {
		one, ten := lot(1, ""), lot(10, "")
		again := w.seal(discharge(fmt.Sprint("1.9.", n)), depot, "octets")
		next := lot(1, fmt.Sprint("1.9.", n))
		return [5]int64{
			cost(func() { w.file(one...) }),
			cost(func() { w.file(ten...) }),
			cost(func() { w.file(again) }),
			cost(func() { w.file(next...) }),
			cost(func() { w.rows(dmp.Query{}) }),
		}
	}
	first := measure()
	if want := [5]int64{2 + 6, 2 + 6 + 2*9, 2 + 4, 2 + 7, 2 + 3}; first != want {
		t.Errorf("%v statements for one, ten, one again, a replacement, a page; want %v", first, want)
	}
	w.copies(many)
	if then := measure(); then != first {
		t.Errorf("%v statements in a vault of %d, %v in an empty one", then, many, first)
	}
}

// Both engines find every row by an index: nothing is scanned or sorted in a vault of
// ten thousand documents that PostgreSQL takes for one of five. It says what it read.
func TestEveryQueryHasItsIndex(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.crowd()
		w.copies(many)
		var shelf []byte
		w.read(func(tx *store.Tx) error {
			return tx.QueryRow(`SELECT shelf FROM vault_shelf WHERE space_id = $1`, string(w.vault.Space)).Scan(&shelf)
		})
		space, mac, id, page := string(w.vault.Space), []byte("m77"), "z000077", int64(dmp.DefaultPage)
		for name, s := range dmp.Statements() {
			args := map[string][]any{
				"same entry": {space, mac, int64(32)}, "document": {space, id}, "deprecate": {space, id, id},
				"list": {space, "~", page}, "shelf": {space, "~", page, shelf}, "history": {space, "~", page + 1},
				"same uniqueId": list(space, mac), "awaited": list(space, mac),
				"rows": list(space, id), "origins": list(space, id), "accesses": list(space, id),
				"strays": list("blob77", "blob77")[1:],
			}[name]
			plan := w.plan(s, args)
			if !strings.Contains(plan, "Index") && !strings.Contains(plan, "USING INDEX") && !strings.Contains(plan, "USING COVERING INDEX") {
				t.Errorf("%s: no index in\n%s", name, plan)
			}
			if db.Engine() == "sqlite" {
				for _, word := range []string{"SCAN x", "SCAN vault", "TEMP B-TREE"} {
					if strings.Contains(plan, word) {
						t.Errorf("%s: %s in\n%s", name, word, plan)
					}
				}
				continue
			}
			if rows := rowsRead(t, plan); rows < 1 || rows > float64(2*page) {
				t.Errorf("%s: %g rows read in\n%s", name, rows, plan)
			}
		}
	})
}

// list is a first argument and as many others as a list of values has, all the same.
func list(first, other any) []any {
	return append([]any{first}, slices.Repeat([]any{other}, dmp.MaxProbes)...)
}

// rowsRead adds up the rows that PostgreSQL read from tables and indexes.
func rowsRead(t *testing.T, plan string) (sum float64) {
	t.Helper()
	number := func(s string) float64 {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	loops := 1.0
	for line := range strings.Lines(plan) {
		if m := regexp.MustCompile(`Scan.* on vault.*actual rows=([0-9.]+) loops=([0-9]+)`).FindStringSubmatch(line); m != nil {
			loops = number(m[2])
			sum += number(m[1]) * loops
		}
		if m := regexp.MustCompile(`Rows Removed by .*: ([0-9]+)`).FindStringSubmatch(line); m != nil {
			sum += number(m[1]) * loops
		}
	}
	return sum
}

// plan asks SQLite how it would run a statement, PostgreSQL how it ran it.
func (w *world) plan(query string, args []any) string {
	w.t.Helper()
	explain := `EXPLAIN (ANALYZE, TIMING OFF) `
	if w.db.Engine() == "sqlite" {
		explain = `EXPLAIN QUERY PLAN `
	}
	var out strings.Builder
	w.write(func(tx *store.Tx) error {
		rows, err := tx.Query(explain+query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var line string
			into := []any{&line}
			if w.db.Engine() == "sqlite" {
				into = []any{new(int64), new(int64), new(int64), &line}
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			out.WriteString(line + "\n")
		}
		return rows.Err()
	})
	return out.String()
}
