package demo

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"os"
	"strings"
	"time"
)

// Walk carries a discharge report from a hospital's system to a patient's inbox,
// vault and agenda, as the programs of others would, and tells each step and how to
// look at it.
func (s *Space) Walk(ctx context.Context, out io.Writer) error {
	w := &walk{ready: s.Ready(), begin: time.Now(), out: out}
	w.hospital, w.patients = w.ready.Operators[0], w.ready.Operators[2]
	w.doctor, w.system, w.patient = w.hospital.Boxes[0], w.hospital.box("APP"), w.patients.Boxes[0]
	fmt.Fprintf(out, "\nA discharge report: %s (hospital) to %s (patient).\n", w.system.Name, w.patient.Name)
	for _, step := range []func(context.Context) error{w.report, w.inbox, w.vault, w.receipt, w.invitation} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\nOpen the patient's space: https://%s/  login %s  password %s\n", w.patients.HTTPS, w.patient.WebLogin, w.patient.WebPassword)
	fmt.Fprintf(out, "  (the browser warns of the demo's own authority; its root is %s)\n", w.ready.Authority.CAFile)
	return nil
}

// walk is one walk.
type walk struct {
	ready                   Ready
	hospital, patients      Operator
	doctor, system, patient Person
	marker                  string // of the discharge letter
	begin                   time.Time
	out                     io.Writer
}

// box returns the operator's first box of a kind.
func (o Operator) box(kind string) Person {
	for _, p := range o.Boxes {
		if p.Kind == kind {
			return p
		}
	}
	return Person{}
}

func (w *walk) say(format string, args ...any) {
	fmt.Fprintf(w.out, "  %7s  %s\n", time.Since(w.begin).Round(time.Millisecond), fmt.Sprintf(format, args...))
}

// report submits the discharge report.
func (w *walk) report(context.Context) error {
	w.marker = rand.Text()
	m, source, err := dischargeLetter(w.system, w.patient, w.marker, w.begin)
	if err != nil {
		return fmt.Errorf("discharge report: %w", err)
	}
	w.begin = time.Now()
	if err := submit(w.ready.Authority.CAFile, w.hospital, w.system, w.patient, m); err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	w.say("250 from the hospital's submission: STARTTLS, the system's own certificate; durable, sealed (report: %s)", source)
	return nil
}

// inbox awaits the letter at the patient's operator.
func (w *walk) inbox(ctx context.Context) error {
	err := await(ctx, w.ready.Authority.CAFile, w.patients, w.patient, fmt.Sprintf("HEADER MESSAGE-ID %q", w.marker))
	if err != nil {
		return fmt.Errorf("arrive: %w", err)
	}
	w.say("relayed over mutual TLS and delivered: in the patient's inbox, read back over IMAP")
	return nil
}

// vault awaits the document in the patient's space.
func (w *walk) vault(ctx context.Context) error {
	page, err := w.space(ctx, "/documents", "documents", func(d map[string]any) bool { return d["type"] != "" })
	if err != nil {
		return fmt.Errorf("file: %w", err)
	}
	w.say("filed in the patient's vault: https://%s%s", w.patients.HTTPS, page)
	return nil
}

// receipt awaits what the hospital's system is told.
func (w *walk) receipt(ctx context.Context) error {
	err := await(ctx, w.ready.Authority.CAFile, w.hospital, w.system, `HEADER SUBJECT "XDM/1.0"`)
	if err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	w.say("the hospital's system has its disposition notification: integrated")
	return nil
}

// invitation sends the follow-up and awaits it in the agenda.
func (w *walk) invitation(ctx context.Context) error {
	m, err := invitationLetter(w.doctor, w.patient, time.Now())
	if err != nil {
		return fmt.Errorf("invitation: %w", err)
	}
	if err := submit(w.ready.Authority.CAFile, w.hospital, w.doctor, w.patient, m); err != nil {
		return fmt.Errorf("invitation: %w", err)
	}
	page, err := w.space(ctx, "/agenda", "events", func(e map[string]any) bool { return e["status"] == "needs-action" })
	if err != nil {
		return fmt.Errorf("invitation: %w", err)
	}
	w.say("%s's invitation is in the agenda, waiting for an answer: https://%s%s", strings.ReplaceAll(w.doctor.Name, "_", " "), w.patients.HTTPS, page)
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
func submit(caFile string, o Operator, from, to Person, text []byte) error {
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
		func() error { return c.Auth(credentials(from)) },
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
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// credentials is how somebody proves who they are beside their certificate.
func credentials(p Person) smtp.Auth {
	if p.Password == "" {
		return external(p.Address)
	}
	return smtp.PlainAuth("", p.Login, p.Password, "127.0.0.1")
}

// external is SASL EXTERNAL (RFC 4422 appendix A): the certificate has said who it
// is, the box is named.
type external string

// Start implements smtp.Auth.
func (e external) Start(*smtp.ServerInfo) (string, []byte, error) {
	return "EXTERNAL", []byte(e), nil
}

// Next implements smtp.Auth.
func (e external) Next([]byte, bool) ([]byte, error) { return nil, nil }

// await looks into a box over IMAP until a letter is there.
func await(ctx context.Context, caFile string, o Operator, p Person, search string) error {
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
	login := fmt.Sprintf("LOGIN %q %q", p.Login, p.Password)
	if p.Password == "" { // RFC 4959: the answer comes with the command
		login = "AUTHENTICATE EXTERNAL " + base64.StdEncoding.EncodeToString([]byte(p.Address))
	}
	if _, err := do(login); err != nil {
		return err
	}
	if _, err := do("SELECT INBOX"); err != nil {
		return err
	}
	for range 200 {
		found, err := do("SEARCH " + search)
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
