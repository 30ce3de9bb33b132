package demo

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"os"
	"strings"
	"time"
)

// Walk sends a discharge letter from a hospital's doctor to a patient as a mail
// client would, follows it, and tells each step.
func (s *Space) Walk(ctx context.Context, out io.Writer) error {
	ready := s.Ready()
	hospital, patients := ready.Operators[0], ready.Operators[2]
	doctor, patient := hospital.Boxes[0], patients.Boxes[0]
	marker := rand.Text()
	begin := time.Now()
	say := func(format string, args ...any) {
		fmt.Fprintf(out, "  %6s  %s\n", time.Since(begin).Round(time.Millisecond), fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(out, "\nA first letter: %s (hospital) writes to %s (patient).\n", doctor.Name, patient.Name)
	if err := submit(ready.Authority.CAFile, hospital, doctor, patient, marker); err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	say("250 from the hospital's submission (STARTTLS, client certificate, app password): durable, sealed")
	if err := await(ctx, ready.Authority.CAFile, patients, patient, marker); err != nil {
		return fmt.Errorf("arrive: %w", err)
	}
	say("relayed over mutual TLS, filed in the patient's inbox, read back over IMAP: delivered")
	return nil
}

// clientConfig is a mail client's TLS: the authority's root, the box's certificate.
func clientConfig(caFile string, p Person) (*tls.Config, error) {
	data, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, errors.New("no certificate in the authority's file")
	}
	c := &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	if p.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(p.CertFile, p.KeyFile)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// submit sends one letter through the sender's submission.
func submit(caFile string, o Operator, from, to Person, marker string) error {
	config, err := clientConfig(caFile, from)
	if err != nil {
		return err
	}
	conn, err := net.DialTimeout("tcp", o.Submission, 5*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	c, err := smtp.NewClient(conn, "127.0.0.1")
	if err != nil {
		return err
	}
	steps := []func() error{
		func() error { return c.Hello("poste-1.chu-riviere.mss.example") },
		func() error { return c.StartTLS(config) },
		func() error { return c.Auth(smtp.PlainAuth("", from.Login, from.Password, "127.0.0.1")) },
		func() error { return c.Mail(from.Address) },
		func() error { return c.Rcpt(to.Address) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, firstLetter(from, to, marker)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// firstLetter is the letter of the walk.
func firstLetter(from, to Person, marker string) string {
	return strings.ReplaceAll(fmt.Sprintf(`From: %s <%s>
To: <%s>
Subject: Compte rendu de votre hospitalisation
Date: %s
Message-ID: <%s@walk.mss.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Bonjour,

Votre hospitalisation s'est bien passée. Prenez votre traitement comme convenu,
et revenez me voir dans un mois.

Dr Claire Martin, cardiologie
`, strings.ReplaceAll(from.Name, "_", " "), from.Address, to.Address, time.Now().Format(time.RFC1123Z), marker), "\n", "\r\n")
}

// await looks into a box over IMAP until the letter with the marker is there.
func await(ctx context.Context, caFile string, o Operator, p Person, marker string) error {
	config, err := clientConfig(caFile, p)
	if err != nil {
		return err
	}
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", o.IMAPS, config)
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := r.ReadString('\n'); err != nil {
		return err
	}
	do := func(cmd string) (string, error) {
		if _, err := fmt.Fprintf(conn, "w %s\r\n", cmd); err != nil {
			return "", err
		}
		var all strings.Builder
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return "", err
			}
			if rest, done := strings.CutPrefix(line, "w "); done {
				if !strings.HasPrefix(rest, "OK") {
					return "", errors.New(strings.TrimSpace(rest))
				}
				return all.String(), nil
			}
			all.WriteString(line)
		}
	}
	if _, err := do(fmt.Sprintf("LOGIN %q %q", p.Login, p.Password)); err != nil {
		return err
	}
	if _, err := do("SELECT INBOX"); err != nil {
		return err
	}
	for range 200 {
		found, err := do(fmt.Sprintf("SEARCH HEADER MESSAGE-ID %q", marker))
		if err != nil {
			return err
		}
		if strings.ContainsAny(found, "123456789") {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return errors.New("the letter did not arrive within 10 s: look into the operators' log.jsonl")
}
