package pace

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Rate is one event per Every on average, and at most Burst at once.
type Rate struct {
	Every time.Duration
	Burst int
}

// Pacer is a set of token buckets by key, safe for concurrent use.
type Pacer struct {
	rate Rate
	max  int

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// New returns a Pacer for at most max keys.
func New(r Rate, max int) *Pacer {
	return &Pacer{rate: r, max: max, buckets: make(map[string]*rate.Limiter)}
}

// Allow takes one token of the key's bucket. It fails with fault.OverQuota,
// reason "too-fast".
func (p *Pacer) Allow(key string) error {
	if !p.bucket(key).Allow() {
		return fault.New(fault.OverQuota, "too-fast")
	}
	return nil
}

// Empty reports whether the key has no token left, without taking one.
func (p *Pacer) Empty(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, ok := p.buckets[key]
	return ok && b.Tokens() < 1
}

func (p *Pacer) bucket(key string) *rate.Limiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b, ok := p.buckets[key]; ok {
		return b
	}
	if len(p.buckets) >= p.max {
		p.sweep()
	}
	b := rate.NewLimiter(rate.Every(p.rate.Every), p.rate.Burst)
	p.buckets[key] = b
	return b
}

// sweep drops full buckets, and if none is full any one: the table never grows
// past its bound.
func (p *Pacer) sweep() {
	for key, b := range p.buckets {
		if b.Tokens() >= float64(p.rate.Burst) {
			delete(p.buckets, key)
		}
	}
	for key := range p.buckets {
		if len(p.buckets) < p.max {
			return
		}
		delete(p.buckets, key)
	}
}
