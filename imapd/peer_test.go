package imapd_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/vaguemestre/vaguemestre/imapd"
)

// program runs a real mail client, which must be installed where CORPUS=required.
func program(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CORPUS") == "required" {
			t.Fatalf("%s is required and not there", name)
		}
		t.Skipf("no %s", name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

// caFile writes the test's root certificate.
func (w *world) caFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.pki.cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPythonImaplib(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, imapd.Options{})
	w.deliver(patient, "", text("one", "1"))
	w.deliver(patient, "", text("two", "2"))
	out := program(t, nil, "python3", "testdata/imaplib_session.py", port(t, w.implicit), w.caFile(t), patient, password, port(t, w.starttls))
	if !strings.Contains(out, "imaplib: fine") {
		t.Error(out)
	}
}

// TestMbsyncBothWays pulls letters byte for byte, then pushes flags and a letter.
func TestMbsyncBothWays(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, imapd.Options{})
	var letters [][]byte
	for i := range 20 {
		l := text(fmt.Sprintf("letter %d", i), strings.Repeat("Ligne é\n", 1+i*400))
		letters = append(letters, l)
		w.deliver(patient, "Received: from x by y\r\n", l)
	}
	home := t.TempDir()
	rc := filepath.Join(home, "mbsyncrc")
	config := fmt.Sprintf(`
IMAPStore far
Host localhost
Port %s
User %s
Pass %s
SSLType IMAPS
SystemCertificates no
CertificateFile %s

MaildirStore near
Path %s/mail/
Inbox %s/mail/INBOX

Channel all
Far :far:
Near :near:
Patterns INBOX Sent
Create Both
Expunge Both
`, port(t, w.implicit), patient, password, w.caFile(t), home, home)
	if err := os.WriteFile(rc, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(home, "mail"), 0o700); err != nil {
		t.Fatal(err)
	}
	out := program(t, []string{"HOME=" + home}, "mbsync", "-c", rc, "-a")
	if strings.Contains(out, "warning") || strings.Contains(out, "unknown") {
		t.Error(out)
	}
	files, err := filepath.Glob(home + "/mail/INBOX/*/*")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && !strings.Contains(f, ".mbsync") {
			// It marks what it has copied with a field of its own.
			got[regexp.MustCompile(`X-TUID: .*\n`).ReplaceAllString(string(b), "")] = f
		}
	}
	for i, l := range letters {
		// A Maildir has local line ends.
		want := "Received: from x by y\n" + strings.ReplaceAll(string(l), "\r\n", "\n")
		if got[want] == "" {
			t.Errorf("letter %d did not arrive byte for byte", i)
		}
	}
	// Back: one read, one deleted, one new.
	read := got["Received: from x by y\n"+strings.ReplaceAll(string(letters[0]), "\r\n", "\n")]
	gone := got["Received: from x by y\n"+strings.ReplaceAll(string(letters[1]), "\r\n", "\n")]
	base := strings.Split(filepath.Base(read), ":")[0]
	if err := os.Rename(read, filepath.Join(home, "mail/INBOX/cur", base+":2,FS")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(home+"/mail/Sent/new/1.2.3", []byte("Subject: pushed\n\nText\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program(t, []string{"HOME=" + home}, "mbsync", "-c", rc, "-a")
	c := w.dial(patient, nil)
	if n := selectBox(t, c, "INBOX").NumMessages; n != 19 {
		t.Errorf("%d letters after the deletion", n)
	}
	all, err := c.Fetch(imap.UIDSetNum(1), &imap.FetchOptions{Flags: true}).Collect()
	if err != nil || len(all) != 1 || fmt.Sprint(all[0].Flags) != `[\Seen \Flagged]` {
		t.Errorf("flags: %v %v", all, err)
	}
	selectBox(t, c, "Sent")
	if b := fetchOne(t, c, 1, peek(nil, ""))[0]; !bytes.HasPrefix(b, []byte("Subject: pushed\r\n")) || !bytes.HasSuffix(b, []byte("\r\n\r\nText\r\n")) {
		t.Errorf("pushed: %q", b)
	}
}

// TestMuttSavesALetter drives mutt by its keys: it opens INBOX, copies a letter to
// a file, flags it and leaves.
func TestMuttSavesALetter(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, imapd.Options{})
	want := text("for mutt", "Contenu é exact\n\nfin")
	w.deliver(patient, "Received: from x by y\r\n", want)
	home := t.TempDir()
	rc := filepath.Join(home, "muttrc")
	config := fmt.Sprintf(`set imap_pass=%s
set certificate_file=%s
set folder=%s
set mbox_type=mbox
set header_cache=%s/cache
set confirmappend=no
set confirmcreate=no
set move=no
set quit=yes
set tmpdir=%s
push "<copy-message>%s/saved<enter><flag-message><sync-mailbox><quit>"
`, password, w.caFile(t), home, home, home, home)
	if err := os.WriteFile(rc, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	url := fmt.Sprintf("imaps://%s@localhost:%s/INBOX", strings.ReplaceAll(patient, "@", "%40"), port(t, w.implicit))
	out := program(t, []string{"HOME=" + home, "TERM=xterm"}, "script", "-qec", "mutt -n -F "+rc+" -f "+url, "/dev/null")
	saved, err := os.ReadFile(filepath.Join(home, "saved"))
	if err != nil {
		t.Fatalf("%v\n%q", err, out)
	}
	for _, line := range []string{"Subject: for mutt\n", "Contenu é exact\n\nfin\n", "Received: from x by y\n"} {
		if !bytes.Contains(saved, []byte(line)) {
			t.Errorf("%q is missing in %q", line, saved)
		}
	}
	c := w.dial(patient, nil)
	selectBox(t, c, "INBOX")
	all, err := c.Fetch(imap.UIDSetNum(1), &imap.FetchOptions{Flags: true}).Collect()
	if err != nil || !strings.Contains(fmt.Sprint(all[0].Flags), `\Flagged`) {
		t.Errorf("flags: %v %v", all, err)
	}
}
