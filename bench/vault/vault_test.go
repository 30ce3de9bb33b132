package vault_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/bench/vault"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestAVaultIsMeasuredAtEachSize(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for engine, dsn := range map[string]string{"sqlite": "sqlite:" + filepath.Join(dir, "s.db"), "postgres": storetest.PostgresDSN(t)} {
		figures, err := vault.Run(t.Context(), vault.Options{Engine: engine, DSN: dsn, Dir: dir, Sizes: []int{0, 120}, Rounds: 3})
		if err != nil {
			t.Fatal(err)
		}
		if len(figures) != 8 {
			t.Errorf("%s: %d figures, want four acts at two sizes", engine, len(figures))
		}
		for _, f := range figures {
			if f.Small <= 0 || f.Grown <= 0 || f.Ratio <= 0 {
				t.Errorf("%+v", f)
			}
		}
		var out bytes.Buffer
		vault.WriteText(&out, figures)
		if !strings.Contains(out.String(), "open the list") {
			t.Error(out.String())
		}
	}
}
