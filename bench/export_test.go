package bench

import (
	"context"
	"crypto/tls"
	"time"
)

// Quantile and Median are what the figures are made with.
func Quantile(values []int, q float64) int { return quantile(values, q) }

func Median(values []float64) float64 { return median(values) }

// NewLetter returns a numbered letter without its final dot, its unique part, and
// what goes on the wire.
func NewLetter(from, to string, size int, number int64) (text []byte, id string, wire []byte) {
	l := newLetter(from, to, size)
	id = l.number(number)
	return l.text(), id, l.wire
}

// Load loads a server for a while; it returns how many letters were taken and
// refused in all, and how many of them in the window.
func Load(ctx context.Context, addr string, config *tls.Config, size, conns int, window time.Duration) (taken, refused, inside int, err error) {
	t := target{name: "test", addr: addr, config: config, from: "a@sender.example", to: []string{"b@taker.example", "c@taker.example"}}
	c, err := engage(ctx, t, size, conns)
	if err != nil {
		return 0, 0, 0, err
	}
	from := time.Now()
	time.Sleep(window)
	to := time.Now()
	err = c.stop()
	latencies, refused := c.between(from, to)
	for _, w := range c.workers {
		taken += len(w.taken)
	}
	return taken, refused, len(latencies), err
}

// ParseStat, TraceFlushes and HeapPeak read what others wrote.
func ParseStat(data string) (parent int, used time.Duration, err error) { return parseStat(data) }

func TraceFlushes(file string, from, to time.Time) (int64, error) {
	return countFlushes(file, from, to)
}

func HeapPeak(file string) (int64, error) { return heapPeak(file) }

// Conclude holds a report against the goals.
func (r *Report) Conclude() { r.conclude() }
