package bench_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/bench"
)

// TestRunInThisProcessMeasuresAndProfiles runs a whole trust space, loads it for a
// moment and looks at its letters over IMAP.
func TestRunInThisProcessMeasuresAndProfiles(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a whole trust space")
	}
	dir, profiles := t.TempDir(), filepath.Join(t.TempDir(), "profiles")
	report, err := bench.Run(t.Context(), bench.Options{
		Engines: []string{"sqlite"}, Conns: []int{2}, Window: 200 * time.Millisecond, Rounds: 1,
		Quick: true, Dir: dir, Profiles: profiles,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Cells) != 1 || len(report.Cells[0].Servers) != 1 {
		t.Fatalf("got cells %v, want one", report.Cells)
	}
	if f := report.Cells[0].Servers[0]; f.Server != "sqlite" || f.Rate <= 0 || f.P50 <= 0 || f.P99 < f.P50 || f.Refused > 0 {
		t.Errorf("got %+v, want letters taken and none refused", f)
	}
	for _, p := range report.Push {
		if p.Letters != 30 || p.Looked != 30 || p.Missing != 0 {
			t.Errorf("with %d connections: got %+v, want 30 letters pushed and 30 there at their 250", p.Conns, p)
		}
	}
	if len(report.Push) != 2 {
		t.Errorf("got %d measurements of push, want a quiet one and a loaded one", len(report.Push))
	}
	if info, err := os.Stat(filepath.Join(profiles, "sqlite-2KiB-2.pprof")); err != nil || info.Size() == 0 {
		t.Errorf("no profile: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestOptionsThatMakeNoSenseSaySo(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]bench.Options{
		"write sqlite, postgres or both": {Engines: []string{"oracle"}},
		"connections from 1 to 60":       {Conns: []int{64}},
		"sizes go from 1 KiB":            {Sizes: []int{10}},
	} {
		if _, err := bench.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
