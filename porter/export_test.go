package porter

import (
	"time"

	"github.com/vaguemestre/vaguemestre/seal"
)

// NewSession begins a session with keys that a test made, inside its own time.
func NewSession(keys *seal.Keyring) *Session { return newSession(proof{}, keys) }

// Rings is the table of released keys, inside a test's own time.
type Rings struct{ t rings }

// NewRings returns an empty table.
func NewRings(most int) *Rings {
	return &Rings{rings{most: most, clock: time.Now, held: make(map[string]*ring)}}
}

// Put adds a release that ends at a moment, and returns what tells of its end.
func (r *Rings) Put(id string, keys *seal.Keyring, until time.Time) (<-chan struct{}, error) {
	got, err := r.t.put(id, keys, until)
	if err != nil {
		return nil, err
	}
	return got.over, nil
}

// Take reports whether a session's keys are here, and uses them.
func (r *Rings) Take(id string) bool { return r.t.take(id) != nil }

// DeviceLabel is what is kept of a User-Agent.
func DeviceLabel(agent string) string { return deviceLabel(agent) }
