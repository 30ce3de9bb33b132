package e2e_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/wiretest"
)

// config trusts the demo's root and shows a certificate, if any.
func (w *world) config(cert, key string) *tls.Config {
	w.t.Helper()
	data, err := os.ReadFile(w.ready.Authority.CAFile)
	if err != nil {
		w.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		w.t.Fatal("no root in the authority's file")
	}
	c := &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			w.t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c
}

// mx opens a session with the MX of one operator as another one.
func (w *world) mx(to, from string) *wiretest.SMTP {
	w.t.Helper()
	as := w.operator(from)
	c, err := wiretest.DialSMTP(w.operator(to).MX, w.config(as.CertFile, as.KeyFile))
	if err != nil {
		w.t.Fatalf("MX of %s: %v", to, err)
	}
	w.t.Cleanup(c.Close)
	return c
}

// submission opens an authenticated session of a person.
func (w *world) submission(o demo.Operator, p demo.Person) *wiretest.SMTP {
	w.t.Helper()
	c, err := wiretest.DialSMTP(o.Submission, w.config(p.CertFile, p.KeyFile))
	if err != nil {
		w.t.Fatalf("submission of %s: %v", o.Name, err)
	}
	w.t.Cleanup(c.Close)
	if err := c.Plain(p.Login, p.Password); err != nil {
		w.t.Fatalf("login at submission: %v", err)
	}
	return c
}

// inbox opens a person's inbox.
func (w *world) inbox(o demo.Operator, p demo.Person) *wiretest.IMAP {
	w.t.Helper()
	b, err := wiretest.DialIMAP(o.IMAPS, w.config(p.CertFile, p.KeyFile))
	if err != nil {
		w.t.Fatalf("IMAP of %s: %v", o.Name, err)
	}
	w.t.Cleanup(b.Close)
	if err := b.Login(p.Login, p.Password); err != nil {
		w.t.Fatal(err)
	}
	if _, err := b.Do("SELECT INBOX"); err != nil {
		w.t.Fatal(err)
	}
	return b
}

// mail is a small letter.
func mail(from, to, subject, body string) []byte {
	return []byte(strings.ReplaceAll(fmt.Sprintf(
		"From: <%s>\nTo: <%s>\nSubject: %s\nDate: Mon, 02 Nov 2026 10:00:00 +0100\nMessage-ID: <%x@e2e.example>\nMIME-Version: 1.0\n\n%s\n",
		from, to, subject, subject, body), "\n", "\r\n"))
}

// eventually polls until fn returns true.
func eventually(t *testing.T, within time.Duration, what string, fn func() bool) {
	t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if fn() {
			return
		}
	}
	t.Fatalf("not within %v: %s", within, what)
}

// subjects returns the UIDs whose subject holds text.
func subjects(t *testing.T, b *wiretest.IMAP, text string) []string {
	t.Helper()
	if _, err := b.Do("NOOP"); err != nil {
		t.Fatal(err)
	}
	uids, err := b.Search(fmt.Sprintf("HEADER SUBJECT %q", text))
	if err != nil {
		t.Fatal(err)
	}
	return uids
}
