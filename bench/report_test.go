package bench_test

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/bench"
)

var update = flag.Bool("update", false, "refresh the goldens")

func TestReportReadsAsATable(t *testing.T) {
	t.Parallel()
	r := &bench.Report{
		Date:    time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC),
		Machine: bench.Machine{Model: "A processor", Processors: 2, Go: "go1.26.0", FileSystem: "ext4", Others: 0.12, MostOthers: 0.3},
		Window:  2, Rounds: 3, Notes: []string{"PostgreSQL 15.18"},
		Cells: []bench.Cell{{Size: 2 << 10, Conns: 32, Servers: []bench.Figure{
			{Server: "floor", Rate: 5000, Ratio: -1, P50: 5.5, P99: 12, CPU: 0.2, Database: -1, Flushes: 0.08},
			{Server: "sqlite", Rate: 2100, Ratio: 0.42, P50: 14, P99: 31, CPU: 0.55, Database: -1, Flushes: 0.12},
			{Server: "postgres", Rate: 1100, Ratio: 0.22, P50: 28, P99: 66, CPU: 0.7, Database: 0.9, Flushes: 0.35, Refused: 2},
		}}},
		Push: []bench.Push{
			{Server: "sqlite", Letters: 200, P50: 0.4, P95: 1.25, Max: 3, Looked: 200},
			{Server: "postgres", Conns: 8, Letters: 200, P50: 0.9, P95: 7.5, Max: 30, Looked: 200, Missing: 1},
		},
		Large: []bench.Large{{Server: "sqlite", Octets: 100 << 20, Extra: 12 << 20, Before: 60 << 20, Heap: 21 << 20, Seconds: 1.5}},
	}
	r.Conclude()
	var out strings.Builder
	r.WriteText(&out)
	const golden = "testdata/report.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
