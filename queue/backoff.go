package queue

import "time"

// Backoff says how long to wait after each failed attempt: the quick retries in
// their order, then First, doubled each time, up to Max.
type Backoff struct {
	// Quick are the first waits; nil is 5 s, 30 s, 2 min. Empty, not nil, is none.
	Quick []time.Duration
	// First and Max bound the waits that follow; 0 is 15 min and 4 h (spec mssante 6.12).
	First, Max time.Duration
}

// After returns the wait after the attempt of that number, from 1.
func (b Backoff) After(attempt int) time.Duration {
	quick := b.Quick
	if quick == nil {
		// A peer that restarts is back within minutes: do not make people wait 15.
		quick = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute}
	}
	wait, limit := b.First, b.Max
	if wait <= 0 {
		wait = 15 * time.Minute
	}
	if limit <= 0 {
		limit = 4 * time.Hour
	}
	attempt = max(attempt, 1)
	if attempt <= len(quick) {
		return quick[attempt-1]
	}
	for range attempt - len(quick) - 1 {
		if wait >= limit {
			break
		}
		wait *= 2
	}
	return min(wait, limit)
}
