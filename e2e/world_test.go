package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/store/pgtest"
)

// binary builds the program once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "vaguemestre-e2e-")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "vaguemestre")
	cmd := exec.Command("go", "build", "-o", name, "../cmd/vaguemestre")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return name, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if name, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(name))
	}
	os.Exit(code)
}

// world is a running demo.
type world struct {
	t     *testing.T
	dir   string
	args  []string
	cmd   *exec.Cmd
	out   *bytes.Buffer
	ready demo.Ready
}

// short skips the tests that start the program under make quick.
func short(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts the program: not for make quick")
	}
}

// start runs a demo in a fresh folder.
func start(t *testing.T, args ...string) *world {
	t.Helper()
	short(t)
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "keep"), args: args}
	w.run()
	t.Cleanup(w.kill)
	return w
}

// run starts the program and waits until it is ready.
func (w *world) run() {
	w.t.Helper()
	name, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	ready := filepath.Join(w.t.TempDir(), "ready.json")
	args := append([]string{"demo", "--no-walk", "--keep", w.dir, "--ready", ready}, w.args...)
	w.cmd = exec.Command(name, args...)
	w.out = new(bytes.Buffer)
	w.cmd.Stdout, w.cmd.Stderr = w.out, w.out
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := w.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	// Within 30 s of the start, also after a kill; a loaded machine gets some more.
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		data, err := os.ReadFile(ready)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			w.t.Fatal(err)
		}
		w.ready = demo.Ready{}
		if err := json.Unmarshal(data, &w.ready); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	w.kill()
	w.t.Fatalf("the demo was not ready within a minute:\n%s", w.out)
}

// kill ends the program without a word.
func (w *world) kill() {
	if w.cmd != nil && w.cmd.ProcessState == nil {
		_ = w.cmd.Process.Kill()
		_ = w.cmd.Wait()
	}
}

// stop asks the program to end and says how long it took.
func (w *world) stop() time.Duration {
	w.t.Helper()
	begin := time.Now()
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		w.t.Fatal(err)
	}
	if err := w.cmd.Wait(); err != nil {
		w.t.Errorf("the demo did not stop cleanly: %v\n%s", err, w.out)
	}
	return time.Since(begin)
}

func (w *world) operator(name string) demo.Operator {
	for _, o := range w.ready.Operators {
		if o.Name == name {
			return o
		}
	}
	w.t.Fatalf("no operator %s", name)
	return demo.Operator{}
}

// operatorDir is what that operator's machine holds.
func (w *world) operatorDir(name string) string { return filepath.Join(w.dir, "operators", name) }

// engines runs a test on SQLite and on PostgreSQL; args are the demo's flags.
func engines(t *testing.T, fn func(t *testing.T, args []string)) {
	t.Helper()
	short(t)
	t.Run("sqlite", func(t *testing.T) { fn(t, nil) })
	t.Run("postgres", func(t *testing.T) {
		server := pgtest.New(t, pgtest.Options{Durable: true})
		fn(t, []string{"--store", server.DSN("postgres")})
	})
}

// tool runs a client and fails the test when it is missing or fails.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is missing: run make peers", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
