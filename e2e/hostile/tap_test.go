package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain plays the server that reaches out when a test starts this program as one.
func TestMain(m *testing.M) {
	if file := os.Getenv("HOSTILE_REACHES_FOR"); file != "" {
		reachOut(file, os.Getenv("HOSTILE_LOOKS_UP"))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// reachOut opens a file, looks up a name that /etc/hosts has, and makes a socket
// towards elsewhere, over which nothing is sent.
func reachOut(file, name string) {
	time.Sleep(200 * time.Millisecond) // the watch begins
	_, _ = os.ReadFile(file)
	_, _ = net.LookupHost(name)
	if conn, err := net.Dial("udp", "203.0.113.1:53"); err == nil { // RFC 5737: nobody is there
		defer conn.Close()
	}
	time.Sleep(200 * time.Millisecond)
}

// hostName is a name of /etc/hosts other than localhost.
func hostName(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("/etc/hosts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(data), "\n") {
		line, _, _ = strings.Cut(line, "#")
		for i, name := range strings.Fields(line) {
			if i > 0 && name != "localhost" {
				return name
			}
		}
	}
	t.Fatal("no other name than localhost in /etc/hosts")
	return ""
}

func TestTapSeesWhatAServerReachesFor(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	name := hostName(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "HOSTILE_REACHES_FOR="+file, "HOSTILE_LOOKS_UP="+name, "GODEBUG=netdns=go+2")
	printed, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	tap := newTap(cmd.Process.Pid)
	tap.wg.Go(func() { tap.listen(printed) })
	tap.watch([]string{file})
	if err := tap.trap("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", tap.traps[0].Addr().String()); err == nil {
		conn.Close()
	}
	time.Sleep(100 * time.Millisecond)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	wanted := []string{fmt.Sprintf("looked up the name %q", name), "udp socket towards 017100CB:0035", "somebody connected to"}
	if len(tap.blindness()) == 0 {
		wanted = append(wanted, "opened "+file)
	} else {
		t.Log(tap.blindness())
	}
	got := fmt.Sprint(tap.quiet())
	for _, want := range wanted {
		if !strings.Contains(got, want) {
			t.Errorf("the tap did not see %q: %s", want, got)
		}
	}
	if err := tap.quiet(); err != nil {
		t.Errorf("told twice: %v", err)
	}
	tap.close()
}
