package reading

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/seal"
)

// Bounds of what is remembered of openings.
const (
	// consultation is how long opening an item again is the same opening: a page, the
	// frames in it and the ranges of a viewer are one act of one reader (DESIGN
	// section 4: a consultation ends after 15 minutes).
	consultation = 15 * time.Minute
	// mostTraced is how many openings are remembered; beyond it the oldest are
	// forgotten, and would be traced again.
	mostTraced = 1 << 16
)

// consultations remembers what was opened with which released keys: two generations,
// so that forgetting costs nothing. It is safe for concurrent use. What it does not
// know is traced: a restart, another node or a flood only add lines.
type consultations struct {
	mu       sync.Mutex
	new, old map[opened]time.Time // guarded by mu
}

// opened is one item under one release.
type opened struct {
	keys *seal.Keyring
	item string
}

// has reports whether an item was traced lately.
func (c *consultations) has(o opened, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, found := c.new[o]
	if !found {
		at, found = c.old[o]
	}
	return found && now.Sub(at) < consultation
}

// add remembers an item that was traced.
func (c *consultations) add(o opened, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.new == nil || len(c.new) >= mostTraced/2 {
		c.old, c.new = c.new, make(map[opened]time.Time)
	}
	c.new[o] = now
}

// mostInSession is how many letters an IMAP session remembers to have traced.
const mostInSession = 1 << 14

// memory remembers which letters a session has traced, in some twenty octets each:
// two generations too. Two letters of one hash would be traced as one, which happens
// to one session in ten thousand million.
type memory struct {
	seed     maphash.Seed
	new, old map[uint64]struct{}
}

func (m *memory) key(id string) uint64 {
	if m.new == nil {
		m.seed, m.new = maphash.MakeSeed(), make(map[uint64]struct{})
	}
	return maphash.String(m.seed, id)
}

// has reports whether a letter was traced.
func (m *memory) has(id string) bool {
	k := m.key(id)
	_, recent := m.new[k]
	_, before := m.old[k]
	return recent || before
}

// add remembers a letter.
func (m *memory) add(id string) {
	k := m.key(id)
	if len(m.new) >= mostInSession/2 {
		m.old, m.new = m.new, make(map[uint64]struct{})
	}
	m.new[k] = struct{}{}
}
