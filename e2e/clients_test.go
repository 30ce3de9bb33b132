package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRealClientsReadWhatSwaksDelivers sends a letter through the MX with swaks
// and the operator's certificate, and reads it with mbsync and mutt, byte for byte.
func TestRealClientsReadWhatSwaksDelivers(t *testing.T) {
	t.Parallel()
	w := start(t)
	city, hospital := w.operator("city"), w.operator("hospital")
	to := hospital.Boxes[0]
	sent := []byte(strings.ReplaceAll("From: <"+city.Boxes[0].Address+">\nTo: <"+to.Address+">\nSubject: r=C3=A9sultats\n"+
		"Message-ID: <swaks-1@e2e.example>\nDate: Mon, 02 Nov 2026 10:00:00 +0100\nMIME-Version: 1.0\n"+
		"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nÉlévation de la CRP.\n.\n..deux points\n \nfin\n", "\n", "\r\n"))
	file := filepath.Join(t.TempDir(), "letter.eml")
	// swaks ends the last line itself.
	if err := os.WriteFile(file, bytes.TrimSuffix(sent, []byte("\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	host, port := split(hospital.MX)
	out := tool(t, "swaks", "--server", host, "--port", port, "--tls", "--tls-cert", city.CertFile, "--tls-key", city.KeyFile,
		"--tls-ca-path", w.ready.Authority.CAFile, "--tls-verify", "--from", city.Boxes[0].Address, "--to", to.Address,
		"--ehlo", "mx.sante-ville.mss.example", "--data", "@"+file)
	if !strings.Contains(out, "250 2.0.0") {
		t.Errorf("swaks saw no 250 2.0.0 to the final dot:\n%s", out)
	}
	raw := w.fetched(t, to.Address, sent)
	w.mbsync(t, raw)
	w.mutt(t)
}

// fetched returns the stored letter, having held it against what was sent.
func (w *world) fetched(t *testing.T, address string, sent []byte) []byte {
	t.Helper()
	o := w.operator("hospital")
	b := w.inbox(o, o.Boxes[0])
	uids := subjects(t, b, "sultats")
	if len(uids) != 1 {
		t.Fatalf("%d letters for %s, want 1", len(uids), address)
	}
	raw, err := b.Fetch(uids[0], "")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(raw, sent) {
		t.Errorf("the letter changed on its way:\n%q", raw)
	}
	return raw
}

// mbsync pulls the inbox into a Maildir.
func (w *world) mbsync(t *testing.T, raw []byte) {
	t.Helper()
	o := w.operator("hospital")
	p := o.Boxes[0]
	dir := t.TempDir()
	_, port := split(o.IMAPS)
	conf := fmt.Sprintf(`IMAPAccount a
Host localhost
Port %s
User %s
Pass "%s"
SSLType IMAPS
SSLVersions TLSv1.2 TLSv1.3
CertificateFile %s
ClientCertificate %s
ClientKey %s

IMAPStore far
Account a

MaildirStore near
Path %s/
Inbox %s/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns INBOX
Create Near
Sync Pull
SyncState *
`, port, p.Login, p.Password, w.ready.Authority.CAFile, p.CertFile, p.KeyFile, dir, dir)
	rc := filepath.Join(dir, "mbsyncrc")
	if err := os.WriteFile(rc, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	out := tool(t, "mbsync", "-c", rc, "-V", "c")
	if strings.Contains(out, "unknown system flag") {
		t.Errorf("mbsync complains of our flags:\n%s", out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "INBOX", "*", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("mbsync left %d files (%v), want 1:\n%s", len(files), err, out)
	}
	got, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	// A Maildir has bare line feeds; mbsync marks its copy with one field more.
	want := bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	if !bytes.Equal(withoutTUID(got), want) {
		t.Errorf("mbsync's copy differs:\n got %q\nwant %q", got, want)
	}
}

func withoutTUID(b []byte) []byte {
	i := bytes.Index(b, []byte("X-TUID: "))
	if i < 0 {
		return b
	}
	end := i + bytes.IndexByte(b[i:], '\n') + 1
	return append(b[:i:i], b[end:]...)
}

// mutt opens the inbox and saves the letter's text.
func (w *world) mutt(t *testing.T) {
	t.Helper()
	o := w.operator("hospital")
	p := o.Boxes[0]
	dir := t.TempDir()
	saved := filepath.Join(dir, "saved")
	host, port := split(o.IMAPS)
	both := filepath.Join(dir, "both.pem")
	cert, err := os.ReadFile(p.CertFile)
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(p.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(both, append(key, cert...), 0o600); err != nil {
		t.Fatal(err)
	}
	rc := filepath.Join(dir, "muttrc")
	conf := fmt.Sprintf(`set imap_user="%s"
set imap_pass="%s"
set ssl_client_cert="%s"
set ssl_ca_certificates_file="%s"
set certificate_file="%s"
set ssl_usesystemcerts=no
set ssl_verify_host=no
set folder="imaps://%s:%s/"
set spoolfile="imaps://%s:%s/INBOX"
set quit=yes
set confirmappend=no
set mail_check=1
set header_cache=""
set copy=no
set mbox_type=mbox
set delete=no
set wait_key=no
set tilde
push "<tag-pattern>~A<enter><tag-prefix><copy-message><kill-line>%s<enter>y<quit>"
`, p.Login, p.Password, both, w.ready.Authority.CAFile, w.ready.Authority.CAFile, host, port, host, port, saved)
	if err := os.WriteFile(rc, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "typescript")
	// mutt wants a terminal: script(1) gives it one.
	tool(t, "timeout", "60", "script", "-q", "-c", "TERM=xterm mutt -n -F "+rc, script)
	eventually(t, 5*time.Second, "mutt saved the letter", func() bool {
		_, err := os.Stat(saved)
		return err == nil
	})
	got, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(got), "Élévation de la CRP.\n.\n..deux points\n \nfin\n") {
		t.Errorf("mutt's copy lacks the body:\n%s", got)
	}
}

func split(hostport string) (host, port string) {
	i := strings.LastIndexByte(hostport, ':')
	return hostport[:i], hostport[i+1:]
}
