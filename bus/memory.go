package bus

import "sync"

// memory is the bus of one process. It starts no goroutine.
type memory struct {
	// mu guards topics. Pokes are sent under the read lock: a subscription that is
	// closed under the write lock gets none afterwards.
	mu     sync.RWMutex
	topics map[string]map[*subscription]struct{} // nil after Close
}

// subscription is a listener on a memory bus.
type subscription struct {
	bus    *memory
	topics []string
	poke   chan struct{}
}

// InProcess returns a bus for the sessions of one process.
func InProcess() Bus {
	return &memory{topics: map[string]map[*subscription]struct{}{}}
}

// Publish implements Bus.
func (m *memory) Publish(topics ...string) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, topic := range topics {
		for s := range m.topics[topic] {
			select {
			case s.poke <- struct{}{}:
			default: // a poke is waiting already
			}
		}
	}
}

// Subscribe implements Bus.
func (m *memory) Subscribe(topics ...string) Subscription {
	s := &subscription{bus: m, topics: append([]string(nil), topics...), poke: make(chan struct{}, 1)}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.topics == nil {
		return s
	}
	for _, topic := range s.topics {
		if m.topics[topic] == nil {
			m.topics[topic] = map[*subscription]struct{}{}
		}
		m.topics[topic][s] = struct{}{}
	}
	return s
}

// Close implements Bus.
func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.topics = nil
	return nil
}

// C implements Subscription.
func (s *subscription) C() <-chan struct{} { return s.poke }

// Close implements Subscription.
func (s *subscription) Close() {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	for _, topic := range s.topics {
		delete(s.bus.topics[topic], s)
		if len(s.bus.topics[topic]) == 0 {
			delete(s.bus.topics, topic)
		}
	}
}
