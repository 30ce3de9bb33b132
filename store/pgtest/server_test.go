package pgtest_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/store/pgtest"
)

const childDir = "PGTEST_CHILD_DIR"

// TestChild is no test: it is a process that starts a server and is killed.
func TestChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("runs as a child process")
	}
	if _, err := pgtest.Start(context.Background(), dir, pgtest.Options{}); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(os.Stdout, "started")
	select {}
}

// scratch names a folder that does not exist yet and that any user can reach.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgtest-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "pg")
}

func TestServerEndsWithAKilledProcess(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "started\n" {
		t.Fatalf("the child said %q: %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left, err := os.ReadDir(dir)
		if os.IsNotExist(err) || err == nil && len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server's folder still holds %v", left)
		}
	}
}

func TestStopEndsTheServerAndRemovesItsFolder(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	server, err := pgtest.Start(t.Context(), dir, pgtest.Options{Durable: true, Settings: []string{"work_mem = '3MB'"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Create(t.Context(), "one", ""); err != nil {
		t.Fatal(err)
	}
	if err := server.Create(t.Context(), "two", "one"); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", server.DSN("two"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"fsync": "on", "full_page_writes": "on", "work_mem": "3MB", "lc_collate": "C", "listen_addresses": ""} {
		var got string
		if err := db.QueryRowContext(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, want)
		}
	}
	if err := server.Drop(t.Context(), "two"); err != nil { // although somebody is connected
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the server's folder is still there: %v", err)
	}
}

func TestFolderThatIsTooLongSaysSo(t *testing.T) {
	t.Parallel()
	_, err := pgtest.Start(t.Context(), filepath.Join(t.TempDir(), strings.Repeat("x", 100)), pgtest.Options{})
	if err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("got %v, want an error that explains", err)
	}
}

func TestSharedServerIsOne(t *testing.T) {
	t.Parallel()
	if first, second := pgtest.Shared(t), pgtest.Shared(t); first != second {
		t.Error("two servers")
	}
}
