package trust_test

import (
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/trust"
)

// BenchmarkVerify measures a list of 10,000 rows, about the size of the real one.
func BenchmarkVerify(b *testing.B) {
	s := theSandbox(b)
	xml := s.sign(b, large(10_000))
	b.SetBytes(int64(len(xml)))
	for b.Loop() {
		if _, err := trust.Verify(xml, s.policy, trust.Mark{}, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSenderAllowed measures the verdict that each MAIL FROM asks for.
func BenchmarkSenderAllowed(b *testing.B) {
	s := theSandbox(b)
	space, err := trust.Verify(s.sign(b, large(10_000)), s.policy, trust.Mark{}, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	from, err := identity.ParseAddress("x@etablissement-5000.mss.example")
	if err != nil {
		b.Fatal(err)
	}
	peer := space.DNs(from.Domain())[0]
	for b.Loop() {
		if err := trust.SenderAllowed(space, peer, from); err != nil {
			b.Fatal(err)
		}
	}
}
