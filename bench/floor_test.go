package bench_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/bench"
	"github.com/vaguemestre/vaguemestre/certs"
)

// floor is a floor that runs in the test's process.
type floor struct {
	addr string
	dir  string
	ask  io.Writer
	told *bufio.Reader
	pair certs.Pair
	root *x509.Certificate
}

func startFloor(t *testing.T) *floor {
	t.Helper()
	f := &floor{dir: t.TempDir()}
	authority, err := certs.NewAuthority(filepath.Join(f.dir, "authority"), certs.AuthorityOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := authority.Enrol(certs.Request{
		Profile: certs.ServerTLS, DNS: []string{"mx.chu.example"}, IPs: []net.IP{net.IPv4(127, 0, 0, 1)},
		Subject: certs.Subject{Department: "Paris (75)", Organisation: "ESSAI", Structure: "318751275100020", Name: "mx.chu.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.pair, f.root = pairs[0], authority.Root()
	files := bench.FloorFiles{
		Cert: filepath.Join(f.dir, "c.pem"), Key: filepath.Join(f.dir, "c.key"),
		CA: filepath.Join(f.dir, "authority", "public", "ca", "root.pem"), Dir: f.dir,
	}
	if err := f.pair.WriteFiles(files.Cert, files.Key); err != nil {
		t.Fatal(err)
	}
	in, ask := io.Pipe()
	told, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- bench.ServeFloor(context.Background(), files, in, out)
		out.Close()
	}()
	t.Cleanup(func() {
		ask.Close()
		if err := <-ended; err != nil {
			t.Errorf("the floor ended with %v", err)
		}
	})
	f.ask, f.told = ask, bufio.NewReader(told)
	line, err := f.told.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	f.addr = strings.TrimSpace(line)
	return f
}

func (f *floor) config(own ...tls.Certificate) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(f.root)
	return &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", Certificates: own}
}

func TestFloorFlushesEveryLetterBeforeIts250(t *testing.T) {
	t.Parallel()
	f := startFloor(t)
	taken, refused, inside, err := bench.Load(t.Context(), f.addr, f.config(f.pair.TLS()), 2<<10, 4, 300*time.Millisecond)
	if err != nil || refused > 0 {
		t.Fatalf("%d refused: %v", refused, err)
	}
	if inside == 0 || inside > taken {
		t.Errorf("%d letters in the window, %d in all", inside, taken)
	}
	data, err := os.ReadFile(filepath.Join(f.dir, "floor.log"))
	if err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(data, []byte("Message-ID: <")); got != taken || len(data) != taken<<11 {
		t.Errorf("the file holds %d letters in %d octets, want %d of 2 KiB", got, len(data), taken)
	}
	if _, err := io.WriteString(f.ask, "\n"); err != nil {
		t.Fatal(err)
	}
	var flushes int
	if _, err := fmt.Fscan(f.told, &flushes); err != nil {
		t.Fatal(err)
	}
	if flushes < taken/4 || flushes > taken { // at most four letters wait at one time
		t.Errorf("%d flushes for %d letters over 4 connections", flushes, taken)
	}
}

func TestFloorDemandsACertificate(t *testing.T) {
	t.Parallel()
	f := startFloor(t)
	if taken, _, _, err := bench.Load(t.Context(), f.addr, f.config(), 2<<10, 1, 10*time.Millisecond); err == nil || taken > 0 {
		t.Errorf("took %d letters from a client without a certificate: %v", taken, err)
	}
}
