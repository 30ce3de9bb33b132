package bench_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/bench"
)

func TestStatOfAProcessWithAnOddName(t *testing.T) {
	t.Parallel()
	parent, used, err := bench.ParseStat("4242 (a) R 1 (x) S 17 4242 4242 0 -1 4194560 900 0 0 0 321 79 0 0 20 0 9 0 100 0 0\n")
	if err != nil || parent != 17 || used != 4*time.Second {
		t.Errorf("got parent %d, %v, %v; want 17, 4s", parent, used, err)
	}
	for _, bad := range []string{"", "1 (a) S 1", "1 (a) S x 1 1 1 1 1 1 1 1 1 1 1 1 1 1"} {
		if _, _, err := bench.ParseStat(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// write puts text into a file of the test.
func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFlushesOfATraceAreCountedOnceAndInTheWindow(t *testing.T) {
	t.Parallel()
	file := write(t, `8813  1795300017.900000 fsync(3) = 0
8813  1795300018.000000 fdatasync(12) = 0
8814  1795300018.100000 fsync(7 <unfinished ...>
8815  1795300018.100400 fdatasync(12) = 0
8814  1795300018.100900 <... fsync resumed>) = 0
8813  1795300019.000000 fsync(3) = 0
8813  1795300019.100000 +++ exited with 0 +++
`)
	got, err := bench.TraceFlushes(file, time.Unix(1795300018, 0), time.Unix(1795300019, 0))
	if err != nil || got != 3 {
		t.Errorf("got %d, %v; want 3", got, err)
	}
	if _, err := bench.TraceFlushes(write(t, "strace: attach: Operation not permitted\n"), time.Unix(0, 0), time.Now()); err == nil {
		t.Error("a trace without a line counts as no flush: want an error")
	}
}

func TestHeapPeakIsTheLargestOfTheCollectorsLines(t *testing.T) {
	t.Parallel()
	file := write(t, `gc 1 @0.012s 2%: 0.01+0.5+0.01 ms clock, 0.02+0.1/0.4/0+0.02 ms cpu, 4->4->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P
something else
gc 2 @0.050s 2%: 0.01+0.5+0.01 ms clock, 0.02+0.1/0.4/0+0.02 ms cpu, 11->13->3 MB, 12 MB goal, 0 MB stacks, 0 MB globals, 2 P
`)
	got, err := bench.HeapPeak(file)
	if err != nil || got != 13<<20 {
		t.Errorf("got %d, %v; want 13 MiB", got, err)
	}
}

func TestSizesAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"2KiB": 2048, "50 kib": 51200, "1MiB": 1 << 20, "1234": 1234} {
		if got, err := bench.ParseSize(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v; want %d", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "KiB", "-1", "2KB", "0"} {
		if _, err := bench.ParseSize(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}
