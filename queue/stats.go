package queue

import (
	"time"

	"github.com/vaguemestre/vaguemestre/store"
)

// States of a job, as Stats counts them.
const (
	// Waiting is due later.
	Waiting = "waiting"
	// Due could run now.
	Due = "due"
	// Running is leased to a worker.
	Running = "running"
	// Held is set aside.
	Held = "held"
)

// Stat counts the jobs of one kind in one state.
type Stat struct {
	Kind, State string
	// Count is how many there are.
	Count int64
	// Oldest is how long the longest waiting of them has been due; 0 if none is yet.
	Oldest time.Duration
}

// Stats counts the jobs by kind and state. It reads the whole queue: for pages and
// gauges, not for decisions.
func Stats(tx *store.Tx) ([]Stat, error) {
	now := store.Micros(tx.Now())
	rows, err := tx.Query(`SELECT kind, state, COUNT(*), MIN(due) FROM (
			SELECT kind, due, CASE WHEN claims > 0 AND wake > $1 THEN 'running'
				WHEN held = 1 THEN 'held' WHEN wake > $1 THEN 'waiting' ELSE 'due' END AS state FROM queue_job
		) AS q GROUP BY kind, state ORDER BY kind, state`, now)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var stats []Stat
	for rows.Next() {
		var s Stat
		var due int64
		if err := rows.Scan(&s.Kind, &s.State, &s.Count, &due); err != nil {
			return nil, err
		}
		s.Oldest = max(0, time.Duration(now-due)*time.Microsecond)
		stats = append(stats, s)
	}
	return stats, rows.Err()
}
