package seal

import "sync"

// TransitKey is the private half of one day's transit pair, held by worker nodes:
// it opens the letters that jobs are still working on, and no space. It is safe for
// concurrent use.
type TransitKey struct {
	redacted
	day string

	// mu guards what follows.
	mu     sync.RWMutex
	zeroed bool
	pair   *pair
}

// NewTransit makes the transit pair of one day ("2006-01-02"): the public half for
// the nodes that deliver, the private half under the platform key, bound to the day.
func NewTransit(p Platform, day string) (*PublicKey, []byte, error) {
	made, err := newPair(nil)
	if err != nil {
		return nil, nil, err
	}
	defer made.zero()
	wrapped, err := p.Wrap(transitLabel(day), made.raw)
	if err != nil {
		return nil, nil, err
	}
	return made.public, wrapped, nil
}

// OpenTransit opens the wrapped private half of one day.
func OpenTransit(p Platform, day string, wrapped []byte) (*TransitKey, error) {
	raw, err := p.Unwrap(transitLabel(day), wrapped)
	if err != nil {
		return nil, err
	}
	opened, err := parsePair(raw)
	if err != nil {
		clear(raw)
		return nil, err
	}
	return &TransitKey{day: day, pair: opened}, nil
}

func transitLabel(day string) string { return "transit/" + day }

// Day returns the day of the pair.
func (t *TransitKey) Day() string { return t.day }

// Public returns the public half.
func (t *TransitKey) Public() *PublicKey { return t.pair.public }

// Unwrap opens a session key that was wrapped for this day's pair. Faults: Internal
// "key-wrap-broken" for another day, another body or a damaged wrap, Denied
// "space-locked" after Zero.
func (t *TransitKey) Unwrap(wrapped []byte, bodyID string) (SessionKey, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.zeroed {
		return SessionKey{}, errLocked()
	}
	return t.pair.unwrap(wrapped, bodyID)
}

// Zero wipes the private half; every later Unwrap fails.
func (t *TransitKey) Zero() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.zeroed = true
	t.pair.zero()
}
