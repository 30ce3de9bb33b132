package smtpd_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	netsmtp "net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/vaguemestre/vaguemestre/smtpd"
)

const sample = "From: <dr.martin@" + hospital + ">\r\nSubject: t\r\n\r\n.a line\r\n..\r\nthe end\r\n"

// TestGoSMTPClient delivers with the library's client: mutual TLS, DSN, UTF-8, two letters.
func TestGoSMTPClient(t *testing.T) {
	t.Parallel()
	d := open(t, smtpd.MX, smtpd.Options{})
	c, err := smtp.DialStartTLS(d.addr, authority().client(t, hospital))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 {
		if err := c.Mail("dr.martin@"+hospital, &smtp.MailOptions{Size: int64(len(sample)), UTF8: true, Return: smtp.DSNReturnHeaders, EnvelopeID: "a+b c"}); err != nil {
			t.Fatal(err)
		}
		if err := c.Rcpt("patient1@"+patients, &smtp.RcptOptions{
			Notify: []smtp.DSNNotify{smtp.DSNNotifyFailure}, OriginalRecipientType: smtp.DSNAddressTypeUTF8, OriginalRecipient: "zoé@" + patients,
		}); err != nil {
			t.Fatal(err)
		}
		w, err := c.Data()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(sample)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Quit(); err != nil {
		t.Error(err)
	}
	kept := d.kept()
	if len(kept) != 2 || kept[0].Body != sample || kept[0].Mail.EnvelopeID != "a+b c" || kept[0].Rcpt[0].Original != "zoé@"+patients {
		t.Errorf("kept %+v", kept)
	}
}

// TestGoSMTPClientSubmits on the implicit port, by certificate and by password.
func TestGoSMTPClientSubmits(t *testing.T) {
	t.Parallel()
	for cert, auth := range map[string]sasl.Client{
		"":      sasl.NewPlainClient("", "patient1@"+patients, "right"),
		"user1": sasl.NewExternalClient(""),
	} {
		d := open(t, smtpd.Submissions, smtpd.Options{})
		c, err := smtp.DialTLS(d.addr, authority().client(t, cert))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Auth(auth); err != nil {
			t.Fatal(err)
		}
		from := "patient1@" + patients
		if cert != "" {
			from = cert + "@" + patients
		}
		if err := c.SendMail(from, []string{"dr.martin@" + hospital}, strings.NewReader(sample)); err != nil {
			t.Fatal(err)
		}
		if err := c.Quit(); err != nil {
			t.Error(err)
		}
		if kept := d.kept(); len(kept) != 1 || kept[0].Body != sample {
			t.Errorf("kept %+v", kept)
		}
	}
}

// TestNetSMTP submits with the standard library's client.
func TestNetSMTP(t *testing.T) {
	t.Parallel()
	d := open(t, smtpd.Submission, smtpd.Options{})
	c, err := netsmtp.Dial(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.StartTLS(authority().client(t, "")); err != nil {
		t.Fatal(err)
	}
	if err := c.Auth(netsmtp.PlainAuth("", "patient1@"+patients, "right", "127.0.0.1")); err != nil {
		t.Fatal(err)
	}
	if err := c.Mail("patient1@" + patients); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("nobody@" + patients); err == nil || !strings.Contains(err.Error(), "5.1.1 No such box") {
		t.Errorf("rcpt: %v", err)
	}
	if err := c.Rcpt("dr.martin@" + hospital); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(sample)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Quit(); err != nil {
		t.Error(err)
	}
	if kept := d.kept(); len(kept) != 1 || kept[0].Body != sample {
		t.Errorf("kept %+v", kept)
	}
}

// TestSwaks delivers with swaks, with and without pipelining and in both ways of login.
func TestSwaks(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("swaks"); err != nil {
		if os.Getenv("CORPUS") == "required" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	cert, key := writePair(t, dir, authority().certificate(t, hospital))
	message := filepath.Join(dir, "letter.eml")
	if err := os.WriteFile(message, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		kind smtpd.Kind
		args []string
		want int
	}{
		"mutual TLS":          {smtpd.MX, []string{"--tls", "--tls-cert", cert, "--tls-key", key, "--from", "dr.martin@" + hospital, "--to", "patient1@" + patients}, 1},
		"pipelined":           {smtpd.MX, []string{"--pipeline", "--tls", "--tls-cert", cert, "--tls-key", key, "--from", "dr.martin@" + hospital, "--to", "patient1@" + patients}, 1},
		"no certificate":      {smtpd.MX, []string{"--tls", "--from", "dr.martin@" + hospital, "--to", "patient1@" + patients}, 0},
		"in clear":            {smtpd.MX, []string{"--from", "dr.martin@" + hospital, "--to", "patient1@" + patients}, 0},
		"login by password":   {smtpd.Submission, []string{"--tls", "--auth", "LOGIN", "--auth-user", "patient1@" + patients, "--auth-password", "right", "--from", "patient1@" + patients, "--to", "dr.martin@" + hospital}, 1},
		"plain, implicit TLS": {smtpd.Submissions, []string{"--tlsc", "--auth", "PLAIN", "--auth-user", "patient1@" + patients, "--auth-password", "right", "--from", "patient1@" + patients, "--to", "dr.martin@" + hospital}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, c.kind, smtpd.Options{})
			args := append([]string{"--server", d.addr, "--helo", hospital, "--data", "@" + message}, c.args...)
			out, err := exec.CommandContext(t.Context(), "swaks", args...).CombinedOutput()
			kept := d.kept()
			if len(kept) != c.want || (err == nil) != (c.want == 1) || c.want == 1 && kept[0].Body != sample+"\r\n" { // swaks ends every letter with a line of its own
				t.Errorf("kept %+v, %v\n%s", kept, err, out)
			}
		})
	}
}

// writePair writes a certificate and its key as PEM files.
func writePair(t *testing.T, dir string, c tls.Certificate) (cert, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := os.WriteFile(cert, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return cert, key
}
