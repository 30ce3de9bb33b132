package trust_test

import (
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/trust"
)

// FuzzVerify holds that no change to a signed list changes what it says: either
// the same space comes out, or none.
func FuzzVerify(f *testing.F) {
	s := theSandbox(f)
	good := s.sign(f, small(day()))
	f.Add(good)
	f.Add([]byte("<ListeBlancheMSSante/>"))
	f.Add(signBy(f, s.stranger, small(day())))
	want, err := trust.Verify(good, s.policy, trust.Mark{}, time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, xml []byte) {
		got, err := trust.Verify(xml, s.policy, trust.Mark{}, time.Now())
		if err != nil {
			return
		}
		if !got.Generated().Equal(want.Generated()) || got.Len() != want.Len() {
			t.Fatalf("another list was accepted: %v", got.All())
		}
		for _, d := range want.All() {
			if !sameSubjects(got.DNs(d), want.DNs(d)) {
				t.Fatalf("%s has other subjects", d)
			}
		}
	})
}

func sameSubjects(a, b []identity.DN) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].Equal(b[i]) {
			return false
		}
	}
	return true
}
