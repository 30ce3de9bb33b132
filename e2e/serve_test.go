package e2e_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/wiretest"
)

// TestServeGoesOnWithWhatIsKeptOnDisk runs one operator by its configuration file
// while the authority is away: whitelist and CRLs come from the disk, letters are
// taken, a box is added by a command beside the running node.
func TestServeGoesOnWithWhatIsKeptOnDisk(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.stop()
	name, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := w.operatorDir("hospital")
	mx, imaps := freePort(t), freePort(t)
	conf := filepath.Join(dir, "serve.toml")
	data, err := os.ReadFile(filepath.Join(dir, "vaguemestre.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for door, addr := range map[string]string{"mx": mx, "imaps": imaps, "submission": "", "submissions": "", "imap": "", "https": ""} {
		line := regexp.MustCompile(`(?m)^` + door + ` = .*$`)
		if !line.Match(data) {
			t.Fatalf("no line for %s in the configuration", door)
		}
		data = line.ReplaceAll(data, fmt.Appendf(nil, "%s = %q", door, addr))
	}
	if err := os.WriteFile(conf, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := tool(t, name, "check", "--config", conf); !strings.Contains(out, "in order") {
		t.Errorf("check: %s", out)
	}
	var log bytes.Buffer
	cmd := exec.Command(name, "serve", "--config", conf)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	eventually(t, 20*time.Second, "the node listens", func() bool {
		c, err := net.Dial("tcp", imaps)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	hospital, city := w.operator("hospital"), w.operator("city")
	to := "nouvelle@" + hospital.Domains[0]
	out := tool(t, name, "user", "add", "--config", conf, "--kind", "PER", "--address", to, "--name", "Dr_Nouvelle_VENUE_Essai", "--cert", hospital.Boxes[1].CertFile)
	_, password, found := strings.Cut(strings.TrimSpace(out), "(shown once): ")
	if !found {
		t.Fatalf("user add: %s", out)
	}
	if out := tool(t, name, "user", "state", "--config", conf, to); !strings.Contains(out, "PER, active") {
		t.Errorf("user state: %s", out)
	}
	c, err := wiretest.DialSMTP(mx, w.config(city.CertFile, city.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	reply, err := c.Send(city.Boxes[0].Address, []string{to}, mail(city.Boxes[0].Address, to, "sans autorite", "x"))
	if err != nil || reply.Code != 250 {
		t.Fatalf("send: %v %s", err, reply)
	}
	b, err := wiretest.DialIMAP(imaps, w.config(hospital.Boxes[1].CertFile, hospital.Boxes[1].KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Login(to, password); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Do("SELECT INBOX"); err != nil {
		t.Fatal(err)
	}
	if n := len(subjects(t, b, "sans autorite")); n != 1 {
		t.Errorf("%d letters, want 1", n)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("serve did not stop cleanly: %v\n%s", err, &log)
	}
	if out := tool(t, name, "audit", "verify", "--config", conf); !strings.Contains(out, " 0 findings") {
		t.Errorf("audit verify: %s", out)
	}
}

// freePort returns host:port of loopback that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
