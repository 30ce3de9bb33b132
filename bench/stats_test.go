package bench_test

import (
	"testing"

	"github.com/vaguemestre/vaguemestre/bench"
)

func TestQuantileIsTheNearestRank(t *testing.T) {
	t.Parallel()
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = 100 - i
	}
	for _, c := range []struct {
		values []int
		q      float64
		want   int
	}{
		{nil, 0.5, 0},
		{[]int{7}, 0.99, 7},
		{[]int{3, 1, 2}, 0.5, 2},
		{[]int{4, 1, 3, 2}, 0.5, 2},
		{hundred, 0.99, 99},
		{hundred, 0.95, 95},
		{hundred, 1, 100},
		{hundred, 0, 1},
	} {
		if got := bench.Quantile(c.values, c.q); got != c.want {
			t.Errorf("quantile %v of %d values: got %d, want %d", c.q, len(c.values), got, c.want)
		}
	}
}

func TestMedianLeavesTheValuesInTheirOrder(t *testing.T) {
	t.Parallel()
	values := []float64{9, 1, 5}
	if got := bench.Median(values); got != 5 {
		t.Errorf("got %v, want 5", got)
	}
	if values[0] != 9 {
		t.Errorf("the values were sorted: %v", values)
	}
	if got := bench.Median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("of four: got %v, want 2.5", got)
	}
	if got := bench.Median(nil); got != 0 {
		t.Errorf("of none: got %v, want 0", got)
	}
}
