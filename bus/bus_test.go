package bus_test

import (
	"fmt"
	"testing"

	"github.com/vaguemestre/vaguemestre/bus"
	"github.com/vaguemestre/vaguemestre/bus/bustest"
	"github.com/vaguemestre/vaguemestre/fault"
)

func TestContract(t *testing.T) { //nolint:paralleltest // counts goroutines
	bustest.Run(t, func(t *testing.T) bus.Bus {
		t.Helper()
		b, err := bus.Open("mem:")
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
}

func TestOpenNamesItsScheme(t *testing.T) { //nolint:paralleltest // the other test counts goroutines
	for url, want := range map[string]string{
		"redis://localhost:6379": "bus-scheme-not-built", "rediss://x": "bus-scheme-not-built",
		"nats://x": "bus-scheme-unknown", "": "bus-scheme-unknown",
	} {
		if b, err := bus.Open(url); !fault.Is(err, fault.Invalid) || fault.Reason(err) != want || b != nil {
			t.Errorf("%q: %v, %v; want %s", url, b, err, want)
		}
	}
}

// BenchmarkPublish pokes one of many subscribed folders, as a delivery does.
func BenchmarkPublish(b *testing.B) {
	m := bus.InProcess()
	for i := range 10_000 {
		m.Subscribe(fmt.Sprintf("folder:%d", i))
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Publish("folder:4242", "box:1")
		}
	})
}
