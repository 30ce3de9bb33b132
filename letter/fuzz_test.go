package letter_test

import (
	"testing"

	"github.com/vaguemestre/vaguemestre/letter"
)

// FuzzWalker holds the invariants of the offset map for any octets, any cut, and
// limits that are soon reached.
func FuzzWalker(f *testing.F) {
	for _, data := range fixtures(f) {
		f.Add([]byte(data), uint64(len(data)))
	}
	for _, data := range doubtful() {
		f.Add([]byte(data), uint64(1))
	}
	small := letter.Limits{
		Header: 300, Fields: 8, Line: 30, HardLine: 60, Unfolded: 100, Depth: 4, Parts: 6,
		Params: 3, Continuations: 3, Addresses: 3, Kept: 300,
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		if len(data) > 16<<10 {
			return
		}
		checkChunks(t, data, letter.Limits{}, seed)
		checkChunks(t, data, small, seed)
		checkStored(t, data)
	})
}
