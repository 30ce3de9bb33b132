package bus

import (
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Bus carries pokes from publishers to subscribers. It is safe for concurrent use.
type Bus interface {
	// Publish pokes every subscriber of at least one of the topics; it never blocks.
	// After Close it does nothing.
	Publish(topics ...string)
	// Subscribe starts to listen to the topics. After Close it returns a subscription
	// that is never poked.
	Subscribe(topics ...string) Subscription
	// Close ends all subscriptions. A second Close does nothing.
	Close() error
}

// Subscription is one listener. It is safe for concurrent use.
type Subscription interface {
	// C returns the channel of pokes: capacity 1, coalesced, never closed.
	C() <-chan struct{}
	// Close ends the subscription. A second Close does nothing.
	Close()
}

// Open opens the bus that a URL names: "mem:" is InProcess. Faults: Invalid
// "bus-scheme-not-built" for "redis://", Invalid "bus-scheme-unknown".
func Open(url string) (Bus, error) {
	scheme, _, _ := strings.Cut(url, ":")
	switch scheme {
	case "mem":
		return InProcess(), nil
	case "redis", "rediss":
		return nil, fault.New(fault.Invalid, "bus-scheme-not-built")
	default:
		return nil, fault.New(fault.Invalid, "bus-scheme-unknown")
	}
}
