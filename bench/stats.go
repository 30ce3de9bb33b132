package bench

import (
	"cmp"
	"slices"
	"time"
)

// quantile returns the smallest value that at least the share q of the values
// do not exceed (nearest rank), zero of none. It sorts the values in place.
func quantile[T cmp.Ordered](values []T, q float64) T {
	var zero T
	if len(values) == 0 {
		return zero
	}
	slices.Sort(values)
	rank := int(q * float64(len(values)))
	if float64(rank) < q*float64(len(values)) {
		rank++
	}
	return values[min(max(rank, 1), len(values))-1]
}

// median returns the middle value, the mean of the two middle ones of an even
// number, zero of none. It leaves the values as they are.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// ms returns a duration in milliseconds.
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
