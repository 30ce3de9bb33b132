package queue

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// group is a group of a kind that has jobs, and when the first may be claimed.
type group struct {
	name string
	wake int64
}

// readGroups finds the groups of a kind, earliest first: two probes into the index
// for each, however many jobs they have. (Not MIN: without statistics PostgreSQL
// would read a whole group for it.)
func readGroups(tx *store.Tx, kind string) ([]group, error) {
	rows, err := tx.Query(`WITH RECURSIVE g(grp) AS (
			SELECT (SELECT grp FROM queue_job WHERE kind = $1 AND held = 0 ORDER BY grp LIMIT 1)
			UNION ALL
			SELECT (SELECT q.grp FROM queue_job AS q WHERE q.kind = $1 AND q.held = 0 AND q.grp > g.grp ORDER BY q.grp LIMIT 1)
			FROM g WHERE g.grp IS NOT NULL
		)
		SELECT grp, (SELECT q.wake FROM queue_job AS q WHERE q.kind = $1 AND q.held = 0 AND q.grp = g.grp ORDER BY q.wake LIMIT 1)
		FROM g WHERE grp IS NOT NULL`, kind)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var groups []group
	for rows.Next() {
		var g group
		if err := rows.Scan(&g.name, &g.wake); err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b group) int {
		return cmp.Or(cmp.Compare(a.wake, b.wake), cmp.Compare(a.name, b.name))
	})
	return groups, rows.Err()
}

// claimText is the claim for an engine. The CTE is evaluated once, so that no more
// than the limit is locked; on PostgreSQL rows that another worker is claiming are
// passed over.
func claimText(engine string) string {
	skip := ""
	if engine == "postgres" {
		skip = " FOR UPDATE SKIP LOCKED"
	}
	return `WITH c AS MATERIALIZED (
			SELECT id FROM queue_job WHERE kind = $1 AND held = 0 AND grp = $2 AND wake <= $3 ORDER BY wake LIMIT $4` + skip + `
		)
		UPDATE queue_job SET wake = $5, holder = $6, epoch = epoch + 1, claims = claims + 1, attempts = attempts + 1
		WHERE id IN (SELECT id FROM c)
		RETURNING id, due, expires, payload, attempts, added, reason, epoch, claims`
}

// claim leases up to n jobs of a group, earliest due first.
func (w *Worker) claim(tx *store.Tx, kind, group string, n int, now time.Time) ([]Job, error) {
	rows, err := tx.Query(w.claimText, kind, group, store.Micros(now), n, store.Micros(now.Add(w.o.Lease)), w.o.Node)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var jobs []Job
	for rows.Next() {
		j := Job{Kind: kind, Group: group}
		var due, expires, added int64
		if err := rows.Scan(&j.ID, &due, &expires, &j.Payload, &j.Attempts, &added, &j.Reason, &j.epoch, &j.claims); err != nil {
			return nil, err
		}
		j.Due, j.Expires, j.Added = store.Time(due), store.Time(expires), store.Time(added)
		jobs = append(jobs, j)
	}
	slices.SortFunc(jobs, func(a, b Job) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) })
	return jobs, rows.Err()
}

// reclaim makes the jobs due at once that an earlier life of this node left leased.
func reclaim(tx *store.Tx, node string) (int64, error) {
	return tx.Exec(`UPDATE queue_job SET wake = due WHERE claims > 0 AND holder = $1 AND wake > due`, node)
}

// extend moves the end of a lease.
func extend(tx *store.Tx, j Job, until time.Time) (bool, error) {
	n, err := tx.Exec(`UPDATE queue_job SET wake = $1 WHERE id = $2 AND epoch = $3 AND claims > 0`,
		store.Micros(until), string(j.ID), j.epoch)
	return n == 1, err
}

// remove deletes a completed job, if the lease is still ours.
func remove(tx *store.Tx, j Job) error {
	n, err := tx.Exec(`DELETE FROM queue_job WHERE id = $1 AND epoch = $2 AND claims > 0`, string(j.ID), j.epoch)
	return leased(n, err)
}

// postpone gives the lease back with a new due time. A nil payload stays as it is.
func postpone(tx *store.Tx, j Job, at time.Time, reason string, payload []byte) error {
	query := `UPDATE queue_job SET due = $1, wake = $1, claims = 0, holder = '', reason = $2 WHERE id = $3 AND epoch = $4 AND claims > 0`
	args := []any{store.Micros(at), short(reason), string(j.ID), j.epoch}
	if payload != nil {
		query = `UPDATE queue_job SET due = $1, wake = $1, claims = 0, holder = '', reason = $2, payload = $5
			WHERE id = $3 AND epoch = $4 AND claims > 0`
		args = append(args, payload)
	}
	n, err := tx.Exec(query, args...)
	return leased(n, err)
}

// giveBack undoes a claim whose attempt was interrupted by the worker's own stop.
func giveBack(tx *store.Tx, j Job) error {
	n, err := tx.Exec(`UPDATE queue_job SET wake = due, claims = 0, holder = '', attempts = attempts - 1
		WHERE id = $1 AND epoch = $2 AND claims > 0`, string(j.ID), j.epoch)
	if err := leased(n, err); err != nil {
		return err
	}
	tx.Changed(Topic(j.Kind))
	return nil
}

// shelve holds an expired job that no handler wants.
func shelve(tx *store.Tx, j Job) error {
	n, err := tx.Exec(`UPDATE queue_job SET held = 1, wake = due, claims = 0, holder = '', reason = 'job-expired'
		WHERE id = $1 AND epoch = $2 AND claims > 0`, string(j.ID), j.epoch)
	return leased(n, err)
}

// leased turns "no such row" into the loss of the lease: the whole transaction,
// effects included, is then rolled back.
func leased(n int64, err error) error {
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "job-lease-lost")
	}
	return err
}

func unknown(err error) error {
	if errors.Is(err, store.ErrNoRows) {
		return fault.New(fault.NotFound, "job-unknown")
	}
	return err
}
