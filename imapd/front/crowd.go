package front

import (
	"net/netip"
	"sync"
)

// maxFailures is how many refused commands or logins a connection gets before it
// is closed. Our choice: a client's retry fits, a dictionary does not.
const maxFailures = 4

// Crowd counts what is open, by key. The zero Crowd is ready.
type Crowd[K comparable] struct {
	mu    sync.Mutex
	count map[K]int
}

// Enter counts one more of k, unless there are max already.
func (c *Crowd[K]) Enter(k K, max int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count[k] >= max {
		return false
	}
	if c.count == nil {
		c.count = map[K]int{}
	}
	c.count[k]++
	return true
}

// Leave is the inverse of a successful Enter.
func (c *Crowd[K]) Leave(k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count[k]--; c.count[k] <= 0 {
		delete(c.count, k)
	}
}

// peerKey is what connections of one peer share: the address, or the /64 that one
// IPv6 customer has.
func peerKey(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}
