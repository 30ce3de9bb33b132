package bench_test

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/vaguemestre/vaguemestre/bench"
)

// grumpy refuses recipient b and takes what is for others.
type grumpy struct{}

func (grumpy) Mail(string, *smtp.MailOptions) error { return nil }

func (grumpy) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to == "b@taker.example" {
		return &smtp.SMTPError{Code: 452, Message: "Not now"}
	}
	return nil
}

func (grumpy) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}
func (grumpy) Reset()        {}
func (grumpy) Logout() error { return nil }

// TestRefusalsAreCountedAndTheSessionGoesOn loads a server that refuses every
// other letter.
func TestRefusalsAreCountedAndTheSessionGoesOn(t *testing.T) {
	t.Parallel()
	f := startFloor(t) // for its certificate
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return grumpy{}, nil }))
	s.Domain, s.ErrorLog = "grumpy.example", log.New(io.Discard, "", 0)
	s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{f.pair.TLS()}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })

	taken, refused, _, err := bench.Load(t.Context(), l.Addr().String(), f.config(), 2<<10, 1, 50*time.Millisecond)
	if err == nil || refused == 0 || taken == 0 {
		t.Fatalf("got %d taken, %d refused, %v; want some of both, and the refusal", taken, refused, err)
	}
	if taken < refused-1 || taken > refused+1 {
		t.Errorf("got %d taken, %d refused, want each in turn", taken, refused)
	}
}
