package bench

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"
)

const (
	largeLetter = 100 << 20
	// largeLimit is what --max-size is raised to for it.
	largeLimit = 110 << 20
	// largeTimes is how often it is sent: the first one may find buffers to make.
	largeTimes = 3
)

// Large is what one letter of 100 MiB costs the server.
type Large struct {
	Server string `json:"server"`
	Octets int    `json:"octets"`
	// Extra is the peak of resident memory while it was taken, less what was
	// resident before it, after some hundred small letters; the worst of three.
	Extra int64 `json:"extra_octets"`
	// Before is what was resident before the first.
	Before int64 `json:"before_octets"`
	// Heap is the largest heap that the collector saw when it began a cycle since
	// the server's start.
	Heap int64 `json:"heap_octets"`
	// Seconds is from MAIL to the 250, the median of three.
	Seconds float64 `json:"seconds"`
}

// large starts a world with a raised limit and sends it a large letter. It needs
// the server in a process of its own.
func large(ctx context.Context, w *world) (g Large, err error) {
	s, err := w.start(ctx, manner{heap: true, maxSize: largeLimit})
	if err != nil {
		return g, err
	}
	defer func() {
		if serr := s.stop(); err == nil {
			err = serr
		}
	}()
	t, err := s.target()
	if err != nil {
		return g, err
	}
	if err := accustom(ctx, t); err != nil {
		return g, err
	}
	g = Large{Server: w.engine, Octets: largeLetter}
	times := make([]float64, 0, largeTimes)
	for i := range largeTimes {
		before, peak, took, err := weigh(ctx, s, t, int64(i))
		if err != nil {
			return g, fmt.Errorf("a letter of 100 MiB on %s: %w", w.engine, err)
		}
		if i == 0 {
			g.Before = before
		}
		g.Extra = max(g.Extra, peak-g.Before)
		times = append(times, took.Seconds())
	}
	g.Seconds = median(times)
	g.Heap, err = heapPeak(s.child.log)
	return g, err
}

// accustom lets a server make the buffers that any load needs.
func accustom(ctx context.Context, t target) error {
	for _, c := range []cell{{smallLetter, 4}, {1 << 20, 2}} {
		if _, err := play(ctx, t, c, 500*time.Millisecond, 500*time.Millisecond, nil); err != nil {
			return err
		}
	}
	return rest(ctx, 500*time.Millisecond)
}

// weigh sends one large letter and watches the server's memory.
func weigh(ctx context.Context, s *server, t target, n int64) (before, peak int64, took time.Duration, err error) {
	l := newLetter(t.from, t.to[0], largeLetter)
	l.number(n)
	from, err := dial(ctx, t.addr, t.config)
	if err != nil {
		return 0, 0, 0, err
	}
	defer from.close()
	if err := forgetPeak(s.child.pid()); err != nil {
		return 0, 0, 0, err
	}
	if before, _, err = memory(s.child.pid()); err != nil {
		return 0, 0, 0, err
	}
	begin := time.Now()
	_, answered, err := from.send(envelope(t.from, t.to[0], l.size()), l.wire)
	if err != nil {
		return 0, 0, 0, err
	}
	_, peak, err = memory(s.child.pid())
	return before, peak, answered.Sub(begin), err
}

// heapPeak reads the largest heap from the lines of GODEBUG=gctrace=1:
// "gc 7 @0.9s 1%: … ms clock, … ms cpu, 4->5->1 MB, …".
func heapPeak(file string) (octets int64, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for _, m := range regexp.MustCompile(`(?m)^gc \d+ .* (\d+)->(\d+)->\d+ MB`).FindAllSubmatch(data, -1) {
		for _, field := range m[1:] {
			mb, err := strconv.ParseInt(string(field), 10, 64)
			if err != nil {
				return 0, err
			}
			octets = max(octets, mb<<20)
		}
	}
	return octets, nil
}
