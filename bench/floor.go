package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/emersion/go-smtp"

	"github.com/vaguemestre/vaguemestre/certs"
)

// FloorFiles are the files of a floor: the certificate and key that it shows, the
// root that its peers' certificates must come from, and the folder for what it
// writes.
type FloorFiles struct {
	Cert, Key, CA, Dir string
}

// ServeFloor runs the floor until in ends: go-smtp's server with the TLS of our
// MX, which demands a client certificate, appends each letter to one file and
// answers 250 once it is flushed. Nothing is looked at, nothing is sealed.
//
// It prints its address on out, and for each line of in the number of its flushes.
func ServeFloor(ctx context.Context, files FloorFiles, in io.Reader, out io.Writer) error {
	config, err := files.config()
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	file, err := newAppender(filepath.Join(files.Dir, "floor.log"))
	if err != nil {
		l.Close()
		return fmt.Errorf("floor: %w", err)
	}
	server := newFloor(config, file)
	var wait sync.WaitGroup
	wait.Go(file.run)
	wait.Go(func() { err = server.Serve(l) }) // read after Wait
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	fmt.Fprintln(out, l.Addr())
	for lines := bufio.NewScanner(in); lines.Scan(); {
		fmt.Fprintln(out, file.flushes.Load())
	}
	_ = server.Close() // the clients are gone or do not matter
	file.end()
	wait.Wait()
	return err
}

// config is the TLS of our MX, but a certificate is demanded and checked in the
// handshake: go-smtp has no other place for it.
func (f FloorFiles) config() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, err
	}
	roots, err := readRoots(f.CA)
	if err != nil {
		return nil, err
	}
	config := certs.PeerServerTLS(pair)
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, roots
	return config, nil
}

// readRoots reads a PEM file of root certificates.
func readRoots(file string) (*x509.CertPool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, errors.New("no certificate in the authority's file")
	}
	return roots, nil
}

func newFloor(config *tls.Config, to *appender) *smtp.Server {
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &floorSession{conn: c, to: to, done: make(chan error, 1)}, nil
	}))
	s.Domain, s.TLSConfig = "floor.example", config
	s.MaxMessageBytes, s.MaxRecipients = 1<<30, 100
	s.ReadTimeout, s.WriteTimeout = patience, patience
	s.ErrorLog = log.New(io.Discard, "", 0) // connections that end at the end
	return s
}

// floorSession is one connection to the floor.
type floorSession struct {
	conn *smtp.Conn
	to   *appender
	done chan error
	body bytes.Buffer
}

// Mail implements smtp.Session.
func (s *floorSession) Mail(string, *smtp.MailOptions) error {
	if state, ok := s.conn.TLSConnectionState(); !ok || len(state.PeerCertificates) == 0 {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "STARTTLS first"}
	}
	return nil
}

// Rcpt implements smtp.Session.
func (s *floorSession) Rcpt(string, *smtp.RcptOptions) error { return nil }

// Data implements smtp.Session.
func (s *floorSession) Data(r io.Reader) error {
	s.body.Reset()
	if _, err := s.body.ReadFrom(r); err != nil {
		return err
	}
	return s.to.append(s.body.Bytes(), s.done)
}

// Reset implements smtp.Session.
func (s *floorSession) Reset() {}

// Logout implements smtp.Session.
func (s *floorSession) Logout() error { return nil }
