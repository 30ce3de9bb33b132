package trust

import (
	"github.com/vaguemestre/vaguemestre/fault"
)

// RemovalBrake returns a Brake that refuses a list without more than the given
// share (0.2 is a fifth) of the domains in force: a mistake or a theft at the
// authority must not close the space in one hour. Changes of some 1,000 of 9,000
// rows in a day are normal (spec mssante 1.6).
//
// Refusal: fault.Denied, "whitelist-mass-removal".
func RemovalBrake(share float64) func(current, next *Space) error {
	return func(current, next *Space) error {
		if current == nil || current.Len() == 0 {
			return nil
		}
		gone := 0
		for d := range current.domains {
			if !next.Contains(d) {
				gone++
			}
		}
		if float64(gone) > share*float64(current.Len()) {
			return fault.Newf(fault.Denied, "whitelist-mass-removal", "%d of %d domains are gone", gone, current.Len())
		}
		return nil
	}
}
